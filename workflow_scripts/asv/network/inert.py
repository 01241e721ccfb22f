"""What a pickle holds, as descriptions that can do nothing: names that are not looked up, calls that are not made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

MOST_DIMENSIONS = 64  # of a tensor, in torch
LARGEST_KEY = 1 << 53  # of integers, whose hashes an attacker could otherwise choose


class PickleError(ValueError):
    """The pickle is damaged, too large, or of a form that torch.save does not write."""


class Global:
    """A function or class by its name, never looked up."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Foreign:
    """An object of a class that is not known here, never made: the class's name, and what the object would hold."""

    __slots__ = ("items", "name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: dict[Any, Any] | None = None
        self.state: Any = None


class Storage(NamedTuple):
    """Numbers that lie beside the pickle: ``key`` says where, ``dtype`` is None where the tensor says it."""

    key: str
    dtype: str | None
    count: int  # type: ignore[assignment]  # shadows tuple.count, which nobody calls


class Tensor(NamedTuple):
    """A view of a storage; ``offset`` and ``stride`` in elements, ``dtype`` without the prefix ``torch.``."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": None,
}


def is_size(value: Any) -> bool:
    """Whether this can be a tensor's shape, strides or place."""
    short = type(value) is tuple and len(value) <= MOST_DIMENSIONS
    return short and all(type(number) is int and 0 <= number < 1 << 62 for number in value)


def _tensor(dtype, storage, offset, shape, stride):
    sizes = [(offset,), shape, stride]
    if not isinstance(storage, Storage) or not all(is_size(part) for part in sizes) or len(shape) != len(stride):
        raise PickleError("a tensor whose storage, shape or strides make no sense")
    return Tensor(storage, dtype or storage.dtype or "uint8", offset, shape, stride)


def _tensor_v2(storage, offset, shape, stride, requires_grad=None, hooks=None, metadata=None):
    # What metadata there may be, such as a negation that is yet to be done, changes the numbers.
    return Foreign("a tensor with metadata") if metadata else _tensor(None, storage, offset, shape, stride)


def _tensor_v3(storage, offset, shape, stride, requires_grad, hooks, dtype, metadata=None):
    described = _tensor(dtype.name.rpartition(".")[2], storage, offset, shape, stride)
    return Foreign("a tensor with metadata") if metadata else described


def dictionary(pairs: dict[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> dict[Any, Any]:
    """A dictionary of pairs, or of another dictionary."""
    content: dict[Any, Any] = {}
    for key, value in pairs.items() if type(pairs) is dict else pairs:
        set_item(content, key, value)
    return content


# What is called by these names is made by these functions, from arguments that have been read.
MAKERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": dictionary,
    "torch.Size": lambda sizes=(): sizes if is_size(sizes) else Foreign("torch.Size"),
    "torch._utils._rebuild_tensor": lambda *parts: _tensor(None, *parts),
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": lambda data, *rest: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, *rest: data,
    "torch.nn.parameter.Parameter": lambda data=None, *rest: data,
    "torch.nn.parameter.Buffer": lambda data=None, *rest: data,
}


def call(function: object, arguments: tuple[Any, ...]) -> Any:
    """What a call yields: of a known name by our own function, of any other a record."""
    if isinstance(function, Foreign):  # such as a method, which getattr would have found
        return Foreign(function.name)
    if not isinstance(function, Global):
        raise PickleError("a call of what is not a function")
    if function.name == "torch._tensor._rebuild_from_type_v2" and len(arguments) == 4:
        return call(arguments[0], arguments[2]) if _is_rebuild(arguments) else Foreign(name_of(arguments[1]))
    if function.name in ("copyreg._reconstructor", "copy_reg._reconstructor") and arguments:
        return Foreign(name_of(arguments[0]))
    maker = MAKERS.get(function.name)
    if maker is None:
        return Foreign(function.name)
    try:
        return maker(*arguments)
    except (TypeError, ValueError, AttributeError) as error:
        raise PickleError(f"{function.name} of arguments that make no sense ({error})") from error


def _is_rebuild(arguments):
    """Whether a tensor with attributes is of torch's own class, made by a known function."""
    function, kind, inner, _ = arguments
    known = isinstance(function, Global) and function.name in MAKERS and function.name.startswith("torch._utils.")
    classes = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter")
    return known and isinstance(inner, tuple) and name_of(kind) in classes


def name_of(value: object) -> str:
    """Name of a class."""
    return value.name if isinstance(value, Global) else "an unknown class"


def set_item(target: Any, key: Any, value: object) -> None:
    """``target[key] = value`` for what may be a dictionary; keys other than text and numbers keep no meaning."""
    if isinstance(target, Foreign):
        if target.items is None:
            target.items = {}
        target = target.items
    if type(target) is not dict:
        raise PickleError("an item for what is no dictionary")
    if type(key) is bytes:
        key = key.decode("latin-1")
    if type(key) is not str and not (type(key) in (int, bool) and abs(key) < LARGEST_KEY):
        key = Foreign("key")
    target[key] = value


def storage_of(identity: Any) -> Any:
    """A storage, by what ``torch.save`` wrote in its place."""
    if type(identity) is not tuple or not identity:
        raise PickleError("a persistent id that torch.save does not write")
    if identity[0] == "module" and len(identity) > 1:  # of torch before 1.6: a class, with its source code
        return identity[1]
    if identity[0] != "storage" or len(identity) < 5 or not isinstance(identity[1], Global):
        raise PickleError("a persistent id that torch.save does not write")
    kind = identity[1].name.rpartition(".")[2]
    key, count = identity[2], identity[4]
    if not isinstance(key, str) or type(count) is not int or count < 0:
        raise PickleError("a storage whose key or size makes no sense")
    if len(identity) > 5 and identity[5] is not None:
        raise PickleError("a storage that is a view of another, which torch has not written since 0.4")
    return Storage(key, STORAGES.get(kind, kind), count)
