"""Running features through an engine's session, batch by batch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..engine_interface import EMBEDDING, Job, Session
from ..errors import InputError
from ..features.npy import open_rows
from ..progress import progress
from ..vectors import unit_length_float32

if TYPE_CHECKING:
    import numpy.typing as npt


def open_features(path: Path, job: Job, crops: int = 1) -> npt.NDArray[np.float32]:
    """Memory-map features, float32 ``(utterances * crops, mels, frames)``.

    Raises:
        InputError: where dtype, shape or number of rows do not fit the job and ``crops`` rows per utterance.
    """
    features: npt.NDArray[np.float32] = open_rows(path)
    if features.dtype != np.float32 or features.shape[1:] != job.shape or len(features) % crops:
        raise InputError(
            f"{path}: {features.dtype} {features.shape} does not fit an artefact for float32 (n, {job.shape}) "
            f"and {crops} crops per utterance; make the features again"
        )
    return features


def embed(
    session: Session, features: npt.NDArray[np.float32], batch_size: int, crops: int = 1
) -> tuple[npt.NDArray[np.float32], float]:
    """Embeddings of utterances.

    Every batch has ``batch_size`` rows; the last one is filled up with zeros and its surplus outputs are cut off.

    Args:
        session: of an engine, loaded for this batch size.
        features: float32 ``(utterances * crops, mels, frames)``, may be memory-mapped.
        batch_size: rows per batch.
        crops: rows per utterance, one after the other. For several, their embeddings are normalised, averaged and
            normalised again.

    Returns:
        ``(embeddings, seconds)``: float32 ``(utterances, 192)`` and the time spent inside the engine.

    Raises:
        InputError: where an embedding is not finite.
    """
    rows = len(features)
    outputs = np.empty((rows, EMBEDDING), np.float32)
    batch = np.zeros((batch_size, *features.shape[1:]), np.float32)
    seconds = 0.0
    for start in progress(range(0, rows, batch_size), "inference", "batch"):
        count = min(batch_size, rows - start)
        batch[:count] = features[start : start + count]
        batch[count:] = 0
        before = time.perf_counter()
        embeddings = session.run(batch)
        seconds += time.perf_counter() - before
        outputs[start : start + count] = embeddings[:count]
    bad = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(bad):
        raise InputError(
            f"{len(bad)} of {rows} embeddings are not finite, the first in row {bad[0]}: "
            "the engine overflows in this precision; use another one"
        )
    if crops == 1:
        return outputs, seconds
    mean = unit_length_float32(outputs.reshape(-1, crops, EMBEDDING)).mean(axis=1)
    return unit_length_float32(mean), seconds
