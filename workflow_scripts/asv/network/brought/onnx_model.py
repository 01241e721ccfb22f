"""An ONNX file: its metadata, inputs, outputs, nodes and weights, read without the package ``onnx``.

The Snakefile reads the metadata, so this imports the standard library alone, and reads no weights unless asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Union

from ...errors import InputError
from . import protobuf
from .protobuf import Buffer, DamagedError, Field

# Numbers of fields, as onnx.proto has them.
GRAPH, OPSET, METADATA = 7, 8, 14
NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13
TENSOR_NAME, DATA_LOCATION, EXTERNAL_DATA = 8, 14, 13
FLOAT, INT32, INT64 = 1, 6, 7
TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
MOST_METADATA, LARGEST_ENTRY = 256, 1 << 16  # entries; bytes of one
Axis = Union[int, str, None]  # a size, the name of a dynamic axis, or nothing


@dataclass(frozen=True)
class Value:
    """An input or output: its name, the number of its type, and its axes; None where the file does not tell them."""

    name: str
    kind: int
    axes: tuple[Axis, ...] | None

    def __str__(self) -> str:
        axes = "?" if self.axes is None else ", ".join("?" if axis is None else str(axis) for axis in self.axes)
        return f"{self.name} ({TYPES.get(self.kind, f'type {self.kind}')}: {axes})"


@dataclass(frozen=True)
class Node:
    """An operation: its type, the names of its inputs and outputs, and its attributes as they lie in the file."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Buffer]


@dataclass(frozen=True)
class Model:
    """An ONNX file, taken apart. ``graph`` and ``fields`` are all fields, of its graph and of itself."""

    fields: list[Field]
    graph: list[Field]
    inputs: list[Value]
    outputs: list[Value]
    weights: dict[str, Buffer]

    @property
    def opset(self) -> int:
        """The version of ONNX's own operations."""
        sets = [protobuf.fields(field.view) for field in self.fields if field.number == OPSET]
        for found in (list(fields) for fields in sets):
            domain = next((field.text for field in found if field.number == 1), "")
            if domain in ("", "ai.onnx"):
                return next((field.integer for field in found if field.number == 2), 1)
        return 1

    @property
    def nodes(self) -> list[Node]:
        """All operations, in order."""
        return [_node(field.view) for field in self.graph if field.number == NODE]


def _node(view: Buffer) -> Node:
    found = list(protobuf.fields(view))
    attributes: dict[str, Buffer] = {
        protobuf.text_of(field.view, 1): field.view for field in found if field.number == 5
    }
    inputs, outputs = ([field.text for field in found if field.number == number] for number in (1, 2))
    return Node(protobuf.text_of(view, 4), inputs, outputs, attributes)


def _value(view: Buffer) -> Value:
    name, kind, axes = protobuf.text_of(view, 1), 0, None
    for type_ in protobuf.chosen(view, 2):
        for tensor in protobuf.chosen(type_.view, 1):
            for field in protobuf.fields(tensor.view):
                if field.number == 1:
                    kind = field.integer
                elif field.number == 2:
                    axes = tuple(_axis(axis.view) for axis in protobuf.chosen(field.view, 1))
    return Value(name, kind, axes)


def _axis(view: Buffer) -> Axis:
    for field in protobuf.fields(view):
        if field.number == 1:
            return field.integer if field.integer > 0 else None
        if field.number == 2 and field.view:
            return field.text
    return None


def _damaged(source: object, error: DamagedError) -> InputError:
    return InputError(f"{source}: a truncated or damaged ONNX file ({error}); fetch it, or export it, again")


def _check_data(source: object, tensors: dict[str, Buffer]) -> None:
    """Raise InputError where weights lie in another file."""
    for name, view in tensors.items():
        if not any(field.integer == 1 for field in protobuf.chosen(view, DATA_LOCATION)):
            continue
        entries = [field.view for field in protobuf.chosen(view, EXTERNAL_DATA)]
        pairs = {protobuf.text_of(entry, 1): protobuf.text_of(entry, 2) for entry in entries}
        file = pairs.get("location", "?")[:80]
        raise InputError(
            f"{source}: its weights, such as {name[:60]}, lie in another file, {file!r}, which is not read; make one "
            "file of both where they lie side by side: "
            """python -c "import onnx; onnx.save(onnx.load('network.onnx'), 'one.onnx')" """.rstrip()
        )


def parse(content: Buffer, source: object) -> Model:
    """Take an ONNX file apart; messages call it ``source``.

    Raises:
        InputError: for a file that is damaged, has no graph, or has its weights elsewhere.
    """
    try:
        fields = list(protobuf.fields(content))
        graphs = [field.view for field in fields if field.number == GRAPH]
        if len(graphs) != 1:
            raise DamagedError("it has no graph")
        graph = list(protobuf.fields(graphs[0]))
        tensors: dict[str, Buffer] = {
            protobuf.text_of(f.view, TENSOR_NAME): f.view for f in graph if f.number == INITIALIZER
        }
        inputs = [_value(field.view) for field in graph if field.number == INPUT]
        outputs = [_value(field.view) for field in graph if field.number == OUTPUT]
        _check_data(source, tensors)
        own = [value for value in inputs if value.name not in tensors]  # older files list weights as inputs, too
        model = Model(fields, graph, own, outputs, dict(tensors))
        _ = model.nodes, model.opset  # all that is read later is whole
    except DamagedError as error:
        raise _damaged(source, error) from None
    return model


def metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The entries of a file's metadata; all else in it is passed over unread.

    Raises:
        InputError: for a damaged file.
    """
    found: list[bytes] = []
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            while len(found) < MOST_METADATA and (head := stream.read(2 * protobuf.LONGEST)):
                start = stream.tell() - len(head)
                number, begin, length = protobuf.header(head)
                if start + begin + length > size:
                    raise DamagedError(f"{length} bytes are announced, and {size - start - begin} are there")
                stream.seek(start + begin)
                if number == METADATA:
                    found.append(stream.read(min(length, LARGEST_ENTRY)))
                stream.seek(start + begin + length)
        return {protobuf.text_of(entry, 1): protobuf.text_of(entry, 2) for entry in found}
    except DamagedError as error:
        raise _damaged(path, error) from None


def metadata_of(model: Model) -> dict[str, str]:
    """The same of a file that is read."""
    found = [field.view for field in model.fields if field.number == METADATA]
    return {protobuf.text_of(entry, 1): protobuf.text_of(entry, 2) for entry in found}
