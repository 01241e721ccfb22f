"""Parts of an ONNX graph as bytes, to be put into a file: operations, weights, descriptions of inputs and outputs."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from . import protobuf
from .onnx_model import FLOAT, INT64, Axis


def attribute(name: str, value: int | Sequence[int]) -> bytes:
    """An attribute: a number, or several."""
    if isinstance(value, int):
        return protobuf.message(5, protobuf.message(1, name), protobuf.number(3, value), protobuf.number(20, 2))
    numbers = [protobuf.number(8, entry) for entry in value]
    return protobuf.message(5, protobuf.message(1, name), *numbers, protobuf.number(20, 7))


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """An operation of one output, as a field of the graph."""
    names = [protobuf.message(1, name) for name in inputs]
    own = [attribute(name, value) for name, value in attributes.items()]
    return protobuf.message(1, *names, protobuf.message(2, output), protobuf.message(4, kind), *own)


def int64(name: str, values: Sequence[int]) -> bytes:
    """A weight of whole numbers ``(n,)``, as a field of the graph."""
    raw = struct.pack(f"<{len(values)}q", *values)
    head = protobuf.number(1, len(values)), protobuf.number(2, INT64), protobuf.message(8, name)
    return protobuf.message(5, *head, protobuf.message(9, raw))


def value(place: int, name: str, axes: Sequence[Axis]) -> bytes:
    """An input (place 11) or output (12) of float32, as a field of the graph."""
    dims = [
        protobuf.message(1, protobuf.number(1, axis) if isinstance(axis, int) else protobuf.message(2, str(axis)))
        for axis in axes
    ]
    tensor = protobuf.message(1, protobuf.number(1, FLOAT), protobuf.message(2, *dims))
    return protobuf.message(place, protobuf.message(1, name), protobuf.message(2, tensor))
