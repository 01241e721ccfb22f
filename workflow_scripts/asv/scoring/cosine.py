"""Scores of trials and of the centroid protocols, from embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..vectors import unit_length

if TYPE_CHECKING:
    import numpy.typing as npt

BLOCK = 1 << 14  # trials at a time: 50 MB at 192 dimensions


def subtract_mean(
    embeddings: npt.NDArray[np.floating[Any]], rows: slice | Sequence[int] = slice(None)
) -> npt.NDArray[np.float64]:
    """Embeddings less the mean of those of ``rows`` (by default all of them), float64 ``(n, d)``."""
    return embeddings - np.mean(embeddings[rows], axis=0, dtype=np.float64)


def cosine_scores(
    embeddings: npt.ArrayLike, first: npt.NDArray[np.integer[Any]], second: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.float64]:
    """Cosine of pairs of rows.

    Args:
        embeddings: float ``(n, d)``.
        first, second: integer ``(trials,)``, rows of the pair.

    Returns:
        float64 ``(trials,)``.
    """
    unit = unit_length(embeddings)
    scores = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        scores[part] = np.einsum("ij,ij->i", unit[first[part]], unit[second[part]])
    return scores


def _speaker_sums(unit, speakers):
    """Sums of each speaker's rows float64 ``(speakers, d)``, by name, and the speaker of each row."""
    names, speaker_of = np.unique(np.asarray(speakers), return_inverse=True)
    sums = np.zeros((len(names), unit.shape[1]))
    np.add.at(sums, speaker_of, unit)
    return sums, speaker_of


def speaker_centroids(embeddings: npt.ArrayLike, speakers: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Normalised mean of each speaker's unit-length embeddings, float64 ``(speakers, d)``, sorted by name."""
    return unit_length(_speaker_sums(unit_length(embeddings), speakers)[0])


def centroid_scores(
    embeddings: npt.ArrayLike, speakers: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The centroid protocol of the original guide: every utterance against every speaker's centroid.

    A centroid is the normalised mean of a speaker's unit-length embeddings. The utterance is part of its speaker's
    centroid, which flatters the result; it is computed to be compared with the guide's published ROC-AUC.

    Args:
        embeddings: float ``(n, d)``.
        speakers: sequence of n names.

    Returns:
        ``(scores, targets)``: float64 and bool ``(n, number of speakers)``, columns sorted by name.
    """
    unit = unit_length(embeddings)
    sums, speaker_of = _speaker_sums(unit, speakers)
    return unit @ unit_length(sums).T, speaker_of[:, None] == np.arange(len(sums))


def own_centroid_scores(embeddings: npt.ArrayLike, speakers: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The targets of :func:`centroid_scores` with an utterance taken out of its own speaker's centroid: unbiased.

    Returns:
        float64 ``(n,)``; NaN for a speaker's only utterance, since nothing is left of its centroid.
    """
    unit = unit_length(embeddings)
    sums, speaker_of = _speaker_sums(unit, speakers)
    rest = unit_length(sums[speaker_of] - unit)
    alone = np.bincount(speaker_of)[speaker_of] == 1
    return np.where(alone, np.nan, np.einsum("ij,ij->i", unit, rest))
