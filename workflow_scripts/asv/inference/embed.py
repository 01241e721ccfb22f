"""Running features through an engine's session, batch by batch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from ..engine_interface import InFlightSession, Job, Session
from ..errors import InputError
from ..features.npy import WholeUtterances, open_rows
from ..progress import progress
from .averaging import Averaging, average
from .batches import filled

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = Union[npt.NDArray[np.float32], WholeUtterances]

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


def _order(features: Features, batch_size: int) -> npt.NDArray[np.integer[Any]]:
    """First rows of the batches, in the order to run them.

    Whole utterances: the longest first, those of one length one after the other. Engines prepare themselves for each
    length that they meet and remember few; and several in flight end at about the same time.
    """
    if isinstance(features, WholeUtterances):
        return np.argsort(-features.lengths, kind="stable")
    return np.arange(0, len(features), batch_size)


def _batches(features: Features, starts: Iterable[int], batch_size: int) -> Iterator[npt.NDArray[np.float32]]:
    for start in progress(starts, "inference", "batch"):
        yield filled(features[start : start + batch_size], batch_size)


def _run(
    session: Session | InFlightSession, batches: Iterator[npt.NDArray[np.float32]]
) -> tuple[list[npt.NDArray[np.float32]], float]:
    """Outputs of batches in their order, and the time spent inside the engine."""
    if isinstance(session, InFlightSession):
        before = time.perf_counter()
        outputs = session.run_all(batches)
        return outputs, time.perf_counter() - before  # filling batches included: it goes on beside the requests
    outputs, seconds = [], 0.0
    for batch in batches:
        before = time.perf_counter()
        embeddings = session.run(batch)
        seconds += time.perf_counter() - before
        outputs.append(np.array(embeddings, np.float32))
    return outputs, seconds


def embed(
    session: Session | InFlightSession,
    features: Features,
    batch_size: int,
    crops: int = 1,
    averaging: Averaging = "unit",
) -> tuple[npt.NDArray[np.float32], float]:
    """Embeddings of utterances, in their order, whatever the order in which they are run.

    Every batch has ``batch_size`` rows; the last one is filled up with zeros and its surplus outputs are cut off.

    Args:
        session: of an engine, loaded for this batch size.
        features: float32 ``(utterances * crops, mels, frames)``, may be memory-mapped.
        batch_size: rows per batch.
        crops: rows per utterance, one after the other.
        averaging: of their embeddings, see :func:`asv.inference.averaging.average`.

    Returns:
        ``(embeddings, seconds)``: float32 ``(utterances, d)`` and the time spent inside the engine.

    Raises:
        InputError: where an embedding is not finite.
    """
    rows, order = len(features), _order(features, batch_size)
    if rows:
        found, seconds = _run(session, _batches(features, order, batch_size))
        in_place = np.argsort(order)
        outputs = np.concatenate([found[place] for place in in_place])[:rows]
    else:  # the size of an embedding is the network's
        shape = [size or NO_FRAMES for size in features.shape[1:]]
        found, seconds = _run(session, iter([np.zeros((batch_size, *shape), np.float32)]))
        outputs, seconds = found[0][:0], 0.0
    bad = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(bad):
        raise InputError(
            f"{len(bad)} of {rows} embeddings are not finite, the first in row {bad[0]}: "
            "the engine overflows in this precision; use another one"
        )
    return average(outputs, crops, averaging), seconds
