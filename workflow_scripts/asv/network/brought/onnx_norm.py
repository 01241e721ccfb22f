"""The first batch norm of an ONNX graph, and what lies before it: what its training saw of its features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import protobuf
from .onnx_choice import Choice
from .onnx_model import FLOAT, Model, Node
from .protobuf import Buffer

if TYPE_CHECKING:
    import numpy.typing as npt

    Arrays = dict[str, npt.NDArray[Any]]

PASSED = ("Transpose", "Identity", "Cast", "Squeeze", "Unsqueeze", "Pad")  # between the input and the convolution


def array(view: Buffer) -> npt.NDArray[np.float32] | None:
    """A weight of float32; None for other types."""
    found = list(protobuf.fields(view))
    if next((field.integer for field in found if field.number == 2), 0) != FLOAT:
        return None
    shape = protobuf.integers(field for field in found if field.number == 1)
    raw = [field.view for field in found if field.number in (9, 4)]  # bytes, or packed numbers
    values = np.frombuffer(b"".join(map(bytes, raw)), "<f4")
    return values.reshape(shape) if values.size == np.prod(shape, dtype=int) else None


def _constants(model: Model) -> dict[str, Buffer]:
    """Weights, those that stand in operations of their own included."""
    found = dict(model.weights)
    for node in model.nodes:
        if node.kind == "Constant" and "value" in node.attributes:
            (tensor,) = protobuf.chosen(node.attributes["value"], 5)
            found[node.outputs[0]] = tensor.view
    return found


def _user(nodes: list[Node], name: str) -> Node | None:
    """The operation that takes a value, if there is one alone; what asks for its shape only is passed over."""
    users = [node for node in nodes if name in node.inputs and node.kind != "Shape"]
    return users[0] if len(users) == 1 else None


def _ints(node: Node, name: str) -> list[int]:
    view = node.attributes.get(name)
    return [] if view is None else protobuf.integers(protobuf.chosen(view, 8))


def _text(node: Node, name: str) -> str:
    view = node.attributes.get(name)
    return "" if view is None else protobuf.text_of(view, 4)


def first_norm(model: Model, choice: Choice) -> Arrays:
    """Arrays as of :func:`asv.network.first_norm.arrays`; none where the graph begins with other layers."""
    nodes, name, reflect = model.nodes, choice.features.name, False
    node = _user(nodes, name)
    while node is not None and node.kind in PASSED:
        reflect |= node.kind == "Pad" and _text(node, "mode") == "reflect"
        node = _user(nodes, node.outputs[0])
    if node is None or node.kind != "Conv" or {*_ints(node, "strides"), *_ints(node, "dilations")} - {1}:
        return {}
    relu = _user(nodes, node.outputs[0])
    norm = _user(nodes, relu.outputs[0]) if relu is not None and relu.kind == "Relu" else None
    if norm is None or norm.kind != "BatchNormalization":
        return {}
    constants = _constants(model)
    weight, *bias = (array(constants[given]) if given in constants else None for given in node.inputs[1:])
    _, _, mean, variance = (array(constants[given]) if given in constants else None for given in norm.inputs[1:5])
    if weight is None or weight.ndim != 3 or mean is None or variance is None or len(mean) != len(weight):
        return {}
    return {
        "weight": weight,
        "bias": bias[0] if bias and bias[0] is not None else np.zeros(len(weight), np.float32),
        "mean": mean,
        "variance": variance,
        "reflect": np.array(reflect),
    }
