"""What of an OpenVINO graph does what: where single frames end, which operations are layers, and how they are run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

LAYERS = ("Convolution", "GroupConvolution", "MatMul")
RECURRENT = ("LSTMSequence", "GRUSequence", "RNNSequence", "LSTMCell", "GRUCell", "RNNCell")
ARITHMETIC = ("Add", "Multiply", "Subtract", "Divide")
# What may stand between weights, or a quantiser, and the operation that uses them.
PASSES_ON = ("Convert", "Reshape", "Transpose", "Unsqueeze", "Squeeze", "Multiply", "Subtract")
FRAMES = 200  # that work is counted for where any number may come


class Layer(NamedTuple):
    """An operation with weights."""

    name: str
    kind: str
    weights: tuple[int, ...]  # shape
    work: int  # multiply-accumulates for a crop

    @property
    def described(self) -> str:
        return f"{self.kind} {' x '.join(map(str, self.weights))}"


def _name(operation: Any) -> str:
    return operation.get_friendly_name()


def _sources(operation: Any) -> list[Any]:
    return [port.get_source_output().get_node() for port in operation.inputs()]


def _wide(operation: Any) -> bool:
    """Whether an operation's outcome has more than one axis besides the batch's: channels and frames, say."""
    shapes = [list(port.get_partial_shape()) for port in operation.outputs() if port.get_target_inputs()]
    return any(sum(size.is_dynamic or size.get_length() != 1 for size in shape[1:]) > 1 for shape in shapes)


def after_frames(model: Any) -> list[str]:
    """Names of the operations behind the last values of single frames that everything passes through.

    These are the pooling over frames, with the attention and the context that it may have, and all that follows. They
    are found by what the graph does and not by names: of the operations that lie on every path from the features to
    the embedding, the last one whose outcome still has frames is where pooling begins. Shapes that are computed
    (``ShapeOf``) are no path.

    Returns:
        Names in the order of execution; none where the graph has no such place.
    """
    operations = model.get_ordered_ops()
    to: dict[str, int] = {}  # paths from the features
    for operation in operations:
        kind = operation.get_type_name()
        starts = {"Parameter": 1, "Constant": 0, "ShapeOf": 0}
        to[_name(operation)] = starts[kind] if kind in starts else sum(to[_name(s)] for s in _sources(operation))
    onward = dict.fromkeys(to, 0)  # paths to the embedding, the first output
    onward[_name(model.get_results()[0])] = 1
    for operation in reversed(operations):
        if operation.get_type_name() != "ShapeOf":
            for source in _sources(operation):
                onward[_name(source)] += onward[_name(operation)]
    total = to[_name(model.get_results()[0])]
    places = [
        place
        for place, operation in enumerate(operations)
        if to[_name(operation)] * onward[_name(operation)] == total and _wide(operation)
    ]
    # The features themselves are no place: then nothing is known of what the graph does.
    if not total or not places or operations[places[-1]].get_type_name() == "Parameter":
        return []
    behind = operations[places[-1] + 1 :]
    return [_name(op) for op in behind if to[_name(op)] and op.get_type_name() not in ("Result", "ShapeOf")]


def delicate(model: Any) -> list[str]:
    """Names of the operations whose own rounding costs more than their speed brings, in the order of execution.

    Sums and products of two values that both depend on the features, such as residual sums and gates; and whatever is
    of the utterance as a whole, such as the gates' own layers: it is little work, and scales all frames.
    """
    found, known = [], set()
    for operation in model.get_ordered_ops():
        kind = operation.get_type_name()
        sources = [source for source in _sources(operation) if _name(source) in known]
        if kind == "Parameter" or (sources and kind not in ("ShapeOf", "Result")):
            known.add(_name(operation))
            if sources and (not _wide(operation) or (kind in ARITHMETIC and len(sources) > 1)):
                found.append(_name(operation))
    return found


def recurrent(model: Any) -> list[str]:
    """Names of the recurrent operations, in the order of execution: their rounding adds up from frame to frame."""
    return [_name(operation) for operation in model.get_ordered_ops() if operation.get_type_name() in RECURRENT]


def _constant(operation: Any, port: int) -> Any:
    """The constant that an input comes from, through whatever passes it on; None for another source."""
    source = operation.input(port).get_source_output().get_node()
    while source.get_type_name() in (*PASSES_ON, "FakeQuantize"):
        source = source.input(0).get_source_output().get_node()
    return source if source.get_type_name() == "Constant" else None


def operations_of(model: Any) -> dict[str, Any]:
    """Operations with weights, by name, in the order of execution."""
    return {
        _name(operation): operation
        for operation in model.get_ordered_ops()
        if operation.get_type_name() in LAYERS and _constant(operation, 1) is not None
    }


def layers(model: Any) -> dict[str, Layer]:
    """The operations with weights and their work, by name, in the order of execution."""
    import openvino

    counted = model.clone()
    shape = [1, *list(model.input(0).get_partial_shape())[1:]]
    counted.reshape(openvino.PartialShape([FRAMES if getattr(size, "is_dynamic", False) else size for size in shape]))
    found = {}
    for name, operation in operations_of(counted).items():
        weights = tuple(operation.input(1).get_shape())
        kind, made = operation.get_type_name(), math.prod(operation.output(0).get_shape())
        if kind == "MatMul":
            inner = tuple(operation.input(0).get_shape())[-1]
        else:  # (groups,) outputs, inputs, kernel
            inner = math.prod(weights[2 if kind == "GroupConvolution" else 1 :])
        found[name] = Layer(name, kind, weights, made * inner)
    return found


def quantised(model: Any) -> set[str]:
    """Names of the operations whose weights are integers."""
    integers = {"i8", "u8"}
    return {
        name
        for name, operation in operations_of(model).items()
        if _constant(operation, 1).get_element_type().get_type_name() in integers
    }


def _quantisers(operation: Any) -> Iterator[tuple[Any, Any]]:
    """The inputs behind which an operation's quantisers are, and the quantisers."""
    for port in operation.inputs():
        source = port.get_source_output().get_node()
        while source.get_type_name() in PASSES_ON:
            port = source.input(0)
            source = port.get_source_output().get_node()
        if source.get_type_name() == "FakeQuantize":
            yield port, source


def in_float(model: Any, names: set[str]) -> Any:
    """A copy of a model with simulated quantisers, without those of some operations."""
    copy = model.clone()
    for name, operation in operations_of(copy).items():
        if name in names:
            for port, quantiser in list(_quantisers(operation)):
                port.replace_source_output(quantiser.input(0).get_source_output())
    return copy
