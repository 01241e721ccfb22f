"""An ONNX graph that takes float32 (batch, mels, frames) and gives the embedding alone, made of any other."""

from __future__ import annotations

from ...errors import InputError
from . import onnx_parts as parts
from . import protobuf
from .onnx_choice import FRAMES_MELS, Choice
from .onnx_model import GRAPH, INPUT, OUTPUT, VALUE_INFO, Model

OWN = "asv_"  # before the names of what is added
FEATURES, EMBEDDING = f"{OWN}features", f"{OWN}embedding"
OLDEST = 8  # opset whose operations are used


def edited(model: Model, choice: Choice, n_mels: int, batch: int | None, source: object) -> bytes:
    """The file of the graph that is run.

    Args:
        model: the user's.
        choice: what of it is used.
        n_mels: bands.
        batch: rows of a batch, where it takes so many alone.
        source: what messages call it.

    Raises:
        InputError: where the graph is too old for what must be added.
    """
    added, name = _added(model, choice), choice.features.name
    if added and model.opset < OLDEST:
        raise InputError(f"{source}: opset {model.opset} is too old; export it with {OLDEST} or a later one")
    gone = {choice.features.name, choice.lengths.name if choice.lengths else None}
    kept = [
        protobuf.written(field)
        for field in model.graph
        if field.number not in (OUTPUT, VALUE_INFO)
        and not (field.number == INPUT and protobuf.text_of(field.view, 1) in gone)
    ]
    taken = FEATURES if choice.layout == FRAMES_MELS else name
    given, flat = choice.embedding.name, []
    axes = choice.embedding.axes
    if axes is None or len(axes) != 2:
        flat, given = [parts.node("Flatten", [given], EMBEDDING, axis=1)], EMBEDDING
    size = next((axis for axis in (axes or ())[1:] if isinstance(axis, int) and axis > 1), "numbers")
    graph = [
        *added,
        *kept,
        *flat,
        parts.value(INPUT, taken, [batch or "batch", n_mels, choice.frames or "frames"]),
        parts.value(OUTPUT, given, [batch or "batch", size]),
    ]
    others = [protobuf.written(field) for field in model.fields if field.number != GRAPH]
    return b"".join([*others, protobuf.message(GRAPH, *graph)])


def _added(model: Model, choice: Choice) -> list[bytes]:
    """Operations that come before the user's: the layout, and lengths."""
    found, name = [], choice.features.name
    if choice.layout == FRAMES_MELS:
        found.append(parts.node("Transpose", [FEATURES], name, perm=[0, 2, 1]))
    if choice.lengths:
        taken = FEATURES if choice.layout == FRAMES_MELS else name
        found += [
            parts.int64(f"{OWN}first", [0]),
            parts.int64(f"{OWN}third", [2]),
            parts.int64(f"{OWN}one", [1]),
            parts.node("Shape", [taken], f"{OWN}shape"),
            parts.node("Gather", [f"{OWN}shape", f"{OWN}first"], f"{OWN}batch", axis=0),
            parts.node("Gather", [f"{OWN}shape", f"{OWN}third"], f"{OWN}frames", axis=0),
            parts.node("Expand", [f"{OWN}one" if choice.relative else f"{OWN}frames", f"{OWN}batch"], f"{OWN}whole"),
            parts.node("Cast", [f"{OWN}whole"], choice.lengths.name, to=choice.lengths.kind),
        ]
    return found
