"""What the reference makes of a few inputs: every artefact is compared with that.

It is computed once for a network: the rows of a batch do not influence each other, so one file serves all batch sizes,
compiling needs nothing of what the reference runs on, and an artefact can carry it to where the reference cannot run.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import engines, files
from ..engine_interface import Job, Session
from ..errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

ROWS = 5  # odd, so that an engine which confuses the rows of a batch, say by half of it, gives others
LENGTHS = (150, 333)  # frames of the noise where any number may come


class Pair(NamedTuple):
    """Inputs of one length, float32 ``(rows, mels, frames)``, and their embeddings, float32 ``(rows, d)``."""

    inputs: Array
    embeddings: Array


def noise(shape: tuple[int, int | None], mean: float = 0.0, deviation: float = 1.0) -> list[Array]:
    """Seeded inputs, float32 ``(ROWS, mels, frames)``, of the shape's frames or, where it has any, of two lengths.

    Mean and deviation are those of features where a network in int8 is meant: what lies beyond those that it was
    calibrated with is cut off there.
    """
    draw, (mels, frames) = np.random.default_rng(0), shape
    sizes = [(ROWS, mels, count) for count in ([frames] if frames is not None else LENGTHS)]
    return [np.float32(mean) + np.float32(deviation) * draw.standard_normal(size, np.float32) for size in sizes]


def embeddings(session: Session, inputs: Array, batch_size: int) -> Array:
    """Embeddings float32 ``(n, d)`` of inputs, which are repeated until they fill whole batches."""
    count = math.ceil(len(inputs) / batch_size)
    batches = np.resize(inputs, (count, batch_size, *inputs.shape[1:]))
    return np.concatenate([np.array(session.run(batch), np.float32) for batch in batches])


def compute(
    network: Path,
    shape: tuple[int, int | None],
    batch_size: int = ROWS,
    threads: int = 1,
    *,
    mean: float = 0.0,
    deviation: float = 1.0,
) -> list[Pair]:
    """What the reference makes of noise.

    Args:
        network: the file that the reference reads, TorchScript or ONNX.
        shape: mels, and frames or None for any number.
        batch_size: rows of a batch, for a network that takes no other number.
        threads: of the reference.
        mean, deviation: of the noise.

    Raises:
        InputError: where the network cannot run so many frames, or gives what is not a number.
    """
    name, precision = engines.parse(engines.reference(network.suffix))
    module, job = engines.module(name), Job(batch_size, shape, precision, threads)
    with tempfile.TemporaryDirectory() as place:
        module.compile_artefact(network, Path(place), job)
        with contextlib.closing(module.load(Path(place), job)) as session:
            inputs = noise(shape, mean, deviation)
            return [Pair(batch, _run(session, batch, batch_size)[: len(batch)]) for batch in inputs]


def _run(session: Session, inputs: Array, batch_size: int) -> Array:
    _, mels, frames = inputs.shape
    try:
        found = embeddings(session, inputs, batch_size)
    except RuntimeError as error:  # PyTorch's, of a graph that was made for another number of frames
        raise InputError(
            f"features.frames, accuracy_by_length.frames: the network cannot run {frames} frames of {mels} bands: "
            f"{str(error).strip().splitlines()[-1]}; set the number that it was made for (whole utterances, and so "
            "accuracy_by_length, need a network that takes any number)"
        ) from error
    if not np.isfinite(found).all():
        raise InputError(
            f"the network's embedding of noise has {(~np.isfinite(found)).sum()} numbers of {found.size} that are not "
            "finite (NaN or infinite): its weights are damaged"
        )
    return found


def write(path: Path, pairs: Sequence[Pair]) -> None:
    """Write pairs to a file, ``.npz`` whatever its suffix, whole or not at all; the same pairs make the same bytes."""
    arrays = {f"{name}_{i}": array for i, pair in enumerate(pairs) for name, array in pair._asdict().items()}
    with files.atomic_file(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def read(path: Path) -> list[Pair]:
    """The pairs of a file."""
    with np.load(path) as arrays:
        count = len(arrays.files) // len(Pair._fields)
        return [Pair(*(arrays[f"{name}_{i}"] for name in Pair._fields)) for i in range(count)]
