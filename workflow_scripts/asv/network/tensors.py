"""The files that weights come in (``torch.save`` old and new, safetensors), read without trusting them.

What a file holds is described first, without its numbers; then only the tensors that are wanted are read.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import IO, Any

import torch

from ..errors import InputError
from . import file_kinds, inert, unpickle, zips
from .inert import Storage, Tensor

# Types that a weight or a counter may have.
DTYPES = {
    name: getattr(torch, name)
    for name in (*("float64", "float32", "float16", "bfloat16"), *("int64", "int32", "int16", "int8", "uint8", "bool"))
}
SAFETENSORS = {
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"},
    **{"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"},
}
LEGACY_PROTOCOL = 1001
# Bytes per number of storages that no weight has, which must be stepped over in old files.
OTHER_SIZES: dict[str | None, int] = {
    **{"ComplexDoubleStorage": 16, "ComplexFloatStorage": 8, "QInt32Storage": 4},
    **dict.fromkeys(("QInt8Storage", "QUInt8Storage", "QUInt4x2Storage", "QUInt2x4Storage", None), 1),
}


def _bytes_of(tensor):
    """First byte of a tensor in its storage and the byte after its last, or None if it is not an array of numbers.

    A few bytes can be declared, by strides of zero, to be a tensor of any size, and two numbers at the ends of a large
    storage to be a weight; what is spread over more than four times its size is no plain array.
    """
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None or (tensor.storage.dtype or tensor.dtype) != tensor.dtype:
        return None
    count, span = 1, 1
    for size, stride in zip(tensor.shape, tensor.stride):
        count, span = count * size, span + max(size - 1, 0) * stride
    if not count:
        span = 0
    if not count <= span <= 4 * count:
        return None
    return tensor.offset * dtype.itemsize, (tensor.offset + span) * dtype.itemsize


class TensorFile:
    """An open file of weights: ``tree``, what it holds (:func:`asv.network.unpickle.load`), and a reader of tensors."""

    def __init__(
        self, tree: Any, open_storage: Callable[[str], AbstractContextManager[IO[bytes]]], swapped: bool = False
    ) -> None:
        self.tree, self._open_storage, self._swapped = tree, open_storage, swapped

    def read(self, tensors: Mapping[str, Tensor]) -> dict[str, torch.Tensor]:
        """Tensors on the CPU by the names of their descriptions; those that are no plain arrays are left out.

        Each storage is read forwards, once, and no more of it than the tensors have.
        """
        places = {name: _bytes_of(tensor) for name, tensor in tensors.items()}
        wanted = sorted((tensors[name].storage.key, *place, name) for name, place in places.items() if place)
        found = {}
        for key, group in groupby(wanted, key=lambda item: item[0]):
            with self._open_storage(key) as stream:
                at, last = 0, (None, None)
                for _, start, end, name in group:
                    if (start, end) != last:
                        if start < at:
                            continue  # it overlaps with another weight
                        content = _read_to(stream, at, start, end, key)
                        at, last = end, (start, end)
                    found[name] = self._made(tensors[name], content)
        return found

    def _made(self, tensor, content):
        dtype = DTYPES[tensor.dtype]
        if not content:
            return torch.empty(tensor.shape, dtype=dtype)
        if self._swapped:
            content = bytearray(torch.frombuffer(content, dtype=torch.uint8).view(-1, dtype.itemsize).flip(1).numpy())
        return torch.frombuffer(content, dtype=dtype).as_strided(tensor.shape, tensor.stride)


def _read_to(stream, at, start, end, key):
    while at < start:
        skipped = len(stream.read(min(zips.BLOCK, start - at)))
        if not skipped:
            break
        at += skipped
    content = bytearray(stream.read(end - start))
    if len(content) != end - start:
        raise InputError(f"its storage {key[:40]!r} is shorter than a tensor in it; fetch it again")
    return content


@contextmanager
def open_file(path: Path | str) -> Iterator[TensorFile]:
    """Open a file of weights as a :class:`TensorFile`.

    Raises:
        InputError: for a file of another kind, by what it is, and for one that is damaged or hostile; the message lacks
            the file's name.
    """
    kind = file_kinds.identify(path)
    if kind.name not in file_kinds.WEIGHTS:
        raise InputError(f"{kind.words}; {kind.remedy}")
    openers = {
        file_kinds.TORCH: _open_zip,
        file_kinds.LEGACY: _open_legacy,
        file_kinds.SAFETENSORS: _open_safetensors,
    }
    with openers[kind.name](path) as opened:
        yield opened


@contextmanager
def _open_zip(path):
    with zipfile.ZipFile(path) as archive:
        zips.check_entries("the checkpoint", archive)
        entries = {entry.filename: entry for entry in archive.infolist()}
        pickled = next(name for name in entries if PurePosixPath(name).name == "data.pkl")
        base = pickled[: -len("data.pkl")]
        with archive.open(entries[pickled]) as stream:
            tree, _ = unpickle.load(stream)
            while stream.read(zips.BLOCK):  # its checksum is compared at its end
                pass
        order = archive.read(entries[base + "byteorder"]) if base + "byteorder" in entries else b"little"

        def open_storage(key):
            if f"{base}data/{key}" not in entries:
                raise InputError(f"its storage {key[:40]!r} is missing; fetch it again")
            return archive.open(entries[f"{base}data/{key}"])

        yield TensorFile(tree, open_storage, swapped=order != sys.byteorder.encode())


@contextmanager
def _open_legacy(path):
    with open(path, "rb") as stream:
        magic, protocol, system = (unpickle.load(stream)[0] for _ in range(3))
        if magic != file_kinds.LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not isinstance(system, dict):
            raise InputError("damaged at its beginning; fetch it again")
        (tree, storages), (keys, _), places = unpickle.load(stream), unpickle.load(stream), {}
        if not isinstance(keys, list) or not all(isinstance(key, str) and key in storages for key in keys):
            raise InputError("its list of storages is damaged; fetch it again")
        for key in keys:
            count, (_, dtype, declared) = int.from_bytes(stream.read(8), "little"), storages[key]
            size = DTYPES[dtype].itemsize if dtype in DTYPES else OTHER_SIZES.get(dtype)
            if size is None or count != declared:
                raise InputError(f"its storage {key[:40]!r} is damaged, or of a type that is not known; fetch it again")
            places[key] = stream.tell()
            stream.seek(count * size, 1)
        if stream.tell() > stream.seek(0, 2):
            raise InputError("its end is missing; fetch it again")

        @contextmanager
        def open_storage(key):
            if key not in places:
                raise InputError(f"its storage {key[:40]!r} is missing; fetch it again")
            stream.seek(places[key])
            yield stream

        yield TensorFile(tree, open_storage, swapped=system.get("little_endian", True) != (sys.byteorder == "little"))


@contextmanager
def _open_safetensors(path):
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError) as error:
            raise InputError(f"its header is damaged ({error}); fetch it again") from error
        size = stream.seek(0, 2) - 8 - length
        tree = {name: _described(name, entry, size) for name, entry in header.items() if name != "__metadata__"}

        @contextmanager
        def open_storage(key):
            stream.seek(8 + length + int(key))
            yield stream

        yield TensorFile(tree, open_storage, swapped=sys.byteorder == "big")


def _described(name, entry, size):
    """A :class:`Tensor` of an entry of a safetensors header; its storage's key is where its bytes begin."""
    try:
        dtype, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        sensible = inert.is_size((start, end)) and inert.is_size(shape) and isinstance(dtype, str)
    except (TypeError, ValueError, KeyError):
        sensible = False
    if not sensible or end < start:
        raise InputError(f"the description of {name[:80]!r} in its header is damaged; fetch it again")
    if end > size:
        raise InputError("its end is missing; fetch it again")
    dtype = SAFETENSORS.get(dtype, dtype)
    count = math.prod(shape)
    if dtype in DTYPES and end - start != count * DTYPES[dtype].itemsize:
        raise InputError(f"{name[:80]!r} has {end - start} bytes, not those of {shape} of {dtype}; fetch it again")
    stride = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    return Tensor(Storage(str(start), dtype, count), dtype, 0, shape, stride)
