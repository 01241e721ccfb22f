"""One embedding of an utterance from those of its crops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from ..vectors import unit_length_float32

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Averaging = Literal["unit", "raw", "unit_sum"]
AVERAGINGS: tuple[Averaging, ...] = get_args(Averaging)


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
