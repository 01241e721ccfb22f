"""Which input and output of an ONNX graph are meant, and how the input is laid out: recognised, or else asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InputError
from .onnx_model import FLOAT, INT32, INT64, TYPES, Axis, Model, Value

MELS_FRAMES, FRAMES_MELS = "mels_frames", "frames_mels"
RELATIVE = ("wav_len", "rel")  # in the name of lengths that are shares of the longest


@dataclass(frozen=True)
class Choice:
    """What of a graph is used.

    Attributes:
        features: the input for features.
        layout: ``mels_frames`` or ``frames_mels``.
        lengths: the input for numbers of frames, if there is one.
        relative: whether that takes shares of the longest, 1.0 here.
        embedding: the output.
        batch, frames: sizes that the file fixes; None: any.
    """

    features: Value
    layout: str
    lengths: Value | None
    relative: bool
    embedding: Value
    batch: int | None
    frames: int | None


def listed(values: Sequence[Value]) -> str:
    """Inputs or outputs, for a message."""
    return "; ".join(map(str, values[:8])) + (f" and {len(values) - 8} more" if len(values) > 8 else "")


def _named(values, name, setting, what):
    for value in values:
        if value.name == name:
            return value
    raise InputError(f"{setting}: no {what} is called {name!r}; there are: {listed(values)}")


def _rank(value):
    return None if value.axes is None else len(value.axes)


def choose_input(model: Model, wanted: str | None) -> Value:
    """The input for features."""
    if wanted is not None:
        found = _named(model.inputs, wanted, "network.input", "input")
    else:
        fitting = [value for value in model.inputs if value.kind == FLOAT and _rank(value) in (3, None)]
        if len(fitting) != 1:
            integer = [value for value in model.inputs if value.kind != FLOAT and _rank(value) == 3]
            kind = f"; {integer[0].name} is {TYPES.get(integer[0].kind, 'of another type')}" if integer else ""
            count = f"{len(fitting)} inputs" if fitting else "no input"
            remedy = "set network.input" if fitting else "export a graph that takes such features"
            raise InputError(
                f"network.input: features are float32 of three axes (batch, mels, frames), and {count} of the graph "
                f"can be that{kind}: {listed(model.inputs)}; {remedy}"
            )
        (found,) = fitting
    if found.kind != FLOAT or _rank(found) not in (3, None):
        raise InputError(
            f"network.input: {found} takes no features, which are float32 of three axes (batch, mels, frames); export "
            "a graph that does"
        )
    return found


def choose_layout(value: Value, n_mels: int, wanted: str | None) -> str:
    """Whether the input is (batch, mels, frames) or (batch, frames, mels)."""
    second, third = value.axes[1:] if value.axes else (None, None)
    fits = {MELS_FRAMES: second == n_mels, FRAMES_MELS: third == n_mels}
    mels = {MELS_FRAMES: second, FRAMES_MELS: third}
    if wanted is not None:
        other = mels[FRAMES_MELS if wanted == MELS_FRAMES else MELS_FRAMES]
        if not fits[wanted] and (isinstance(mels[wanted], int) or other == n_mels):
            raise InputError(f"network.layout: {wanted} with {n_mels} mel bands does not fit the input {value}")
        return wanted
    if not isinstance(second, int) and not isinstance(third, int):
        raise InputError(
            f"network.layout: the input {value} does not tell which of its axes are the {n_mels} mel bands; set "
            f"{MELS_FRAMES} or {FRAMES_MELS}"
        )
    if sum(fits.values()) == 1:
        return next(name for name, fit in fits.items() if fit)
    if all(fits.values()):
        raise InputError(f"network.layout: both axes of the input {value} may be the mel bands; set one")
    raise InputError(
        f"n_mels: the contract, or features.n_mels, says {n_mels}, and the input is {value}: none of its axes is that "
        "long; correct the contract, or network.input"
    )


def _lengths(model: Model, features: Value) -> tuple[Value | None, bool]:
    """The input for lengths, and whether they are relative."""
    others = [value for value in model.inputs if value.name != features.name]
    if not others:
        return None, False
    (first, *more), name = others, others[0].name.lower()
    plain = _rank(first) in (1, None) and (first.kind in (INT32, INT64) or (first.kind == FLOAT and "len" in name))
    if more or not plain:
        raise InputError(
            f"network.input: besides {features.name} the graph has inputs that nothing is known for: {listed(others)}; "
            "only one for lengths (batch,) can be filled in: export a graph without them"
        )
    return first, first.kind == FLOAT and any(mark in name for mark in RELATIVE)


def choose_output(model: Model, wanted: str | int | None) -> Value:
    """The output that is the embedding."""
    if isinstance(wanted, str) and wanted.isdigit() and wanted not in [value.name for value in model.outputs]:
        wanted = int(wanted)
    if isinstance(wanted, int):
        if not 0 <= wanted < len(model.outputs):
            raise InputError(f"network.output: no output {wanted}; from 0 on there are: {listed(model.outputs)}")
        return model.outputs[wanted]
    if wanted is not None:
        return _named(model.outputs, wanted, "network.output", "output")
    fitting = [value for value in model.outputs if value.kind == FLOAT and _is_embedding(value.axes)]
    if len(fitting) > 1:
        fitting = [value for value in fitting if "emb" in value.name.lower()] or fitting
    if len(fitting) != 1:
        count = "several outputs" if fitting else "no output"
        raise InputError(
            f"network.output: an embedding is float32 (batch, numbers), and {count} of the graph can be that: "
            f"{listed(model.outputs)}; set it"
        )
    return fitting[0]


def _is_embedding(axes: tuple[Axis, ...] | None) -> bool:
    return axes is None or len(axes) == 2 or (len(axes) == 3 and 1 in axes[1:])


def choose(
    model: Model, n_mels: int, *, wanted_input: str | None, wanted_output: str | int | None, layout: str | None
) -> Choice:
    """What of a graph is used.

    Args:
        model: the graph.
        n_mels: bands of the contract.
        wanted_input, wanted_output, layout: the settings ``network.input``, ``output`` and ``layout``.

    Raises:
        InputError: where it cannot be told, listing names and shapes.
    """
    features = choose_input(model, wanted_input)
    found = choose_layout(features, n_mels, layout)
    lengths, relative = _lengths(model, features)
    batch, second, third = features.axes or (None, None, None)
    frames = third if found == MELS_FRAMES else second
    return Choice(
        features,
        found,
        lengths,
        relative,
        choose_output(model, wanted_output),
        batch if isinstance(batch, int) else None,
        frames if isinstance(frames, int) else None,
    )
