"""Running features through an engine's session, batch by batch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Union, get_args

import numpy as np

from ..engine_interface import Job, Session
from ..errors import InputError
from ..features.npy import WholeUtterances, open_rows
from ..progress import progress
from ..vectors import unit_length_float32

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = Union[npt.NDArray[np.float32], WholeUtterances]

Averaging = Literal["unit", "raw", "unit_sum"]
AVERAGINGS: tuple[Averaging, ...] = get_args(Averaging)
NO_FRAMES = 200  # of the batch that is run where there are no features


def open_features(path: Path, job: Job, crops: int = 1, lengths: Path | None = None) -> Features:
    """Memory-map features, float32 ``(utterances * crops, mels, frames)``.

    Args:
        path: ``.npy`` of ``extract_features.py``.
        job: what they are for.
        crops: rows per utterance.
        lengths: ``.npy`` with the frames of each row; needed where the job takes any number of frames.

    Raises:
        InputError: where dtype, shape or number of rows do not fit the job and ``crops`` rows per utterance.
    """
    rows: npt.NDArray[np.float32] = open_rows(path)
    features: Features = rows
    if job.shape[1] is None and lengths is not None and rows.ndim == 2:
        features = WholeUtterances(rows, np.load(lengths))
    if rows.dtype != np.float32 or features.shape[1:] != job.shape or len(features) % crops:
        raise InputError(
            f"{path}: {rows.dtype} {rows.shape} does not fit an artefact for float32 (n, {job.shape}) "
            f"and {crops} crops per utterance; make the features again"
        )
    return features


def _filled(rows: npt.NDArray[np.float32], batch_size: int) -> npt.NDArray[np.float32]:
    """Rows as a batch of their own memory, filled up with zeros."""
    batch = np.zeros((batch_size, *rows.shape[1:]), np.float32)
    batch[: len(rows)] = rows
    return batch


def embed(
    session: Session, features: Features, batch_size: int, crops: int = 1, averaging: Averaging = "unit"
) -> tuple[npt.NDArray[np.float32], float]:
    """Embeddings of utterances.

    Every batch has ``batch_size`` rows; the last one is filled up with zeros and its surplus outputs are cut off.

    Args:
        session: of an engine, loaded for this batch size.
        features: float32 ``(utterances * crops, mels, frames)``, may be memory-mapped.
        batch_size: rows per batch.
        crops: rows per utterance, one after the other.
        averaging: of their embeddings, see :func:`average`.

    Returns:
        ``(embeddings, seconds)``: float32 ``(utterances, d)`` and the time spent inside the engine.

    Raises:
        InputError: where an embedding is not finite.
    """
    rows, seconds, parts = len(features), 0.0, []
    for start in progress(range(0, rows, batch_size), "inference", "batch"):
        chosen = features[start : start + batch_size]
        batch = _filled(chosen, batch_size)
        before = time.perf_counter()
        embeddings = session.run(batch)
        seconds += time.perf_counter() - before
        parts.append(np.array(embeddings[: len(chosen)], np.float32))
    if not parts:  # the size of an embedding is the network's
        shape = [size or NO_FRAMES for size in features.shape[1:]]
        parts = [session.run(np.zeros((batch_size, *shape), np.float32))[:0]]
    outputs = np.concatenate(parts)
    bad = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(bad):
        raise InputError(
            f"{len(bad)} of {rows} embeddings are not finite, the first in row {bad[0]}: "
            "the engine overflows in this precision; use another one"
        )
    return average(outputs, crops, averaging), seconds


def average(embeddings: npt.NDArray[np.float32], crops: int, averaging: Averaging) -> npt.NDArray[np.float32]:
    """One embedding per utterance.

    Args:
        embeddings: float32 ``(utterances * crops, d)``.
        crops: of an utterance; of a single one the embedding stays as it is.
        averaging: ``unit``: embeddings get unit length, are averaged, and the average gets unit length again; ``raw``:
            they are averaged as they are; ``unit_sum``: as ``unit``, but the average keeps its length, so that the dot
            product of two averages is the mean of the cosines of all pairs of crops.

    Returns:
        float32 ``(utterances, d)``.
    """
    if crops == 1:
        return embeddings
    grouped = embeddings.reshape(-1, crops, embeddings.shape[1])
    if averaging == "raw":
        raw: npt.NDArray[np.float32] = grouped.mean(axis=1)
        return raw
    mean = unit_length_float32(grouped).mean(axis=1)
    return unit_length_float32(mean) if averaging == "unit" else mean
