"""Scores of trials and of the centroid protocols, from embeddings."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..vectors import unit_length

BLOCK = 1 << 14  # trials at a time: 50 MB at 192 dimensions
COHORT_SCORES = 1 << 22  # at a time: 100 MB


def subtract_mean(embeddings, rows=slice(None)):
    """Embeddings less the mean of those of ``rows`` (all of them unless told), float64 ``(n, d)``."""
    return embeddings - np.mean(embeddings[rows], axis=0, dtype=np.float64)


def cosine_scores(embeddings, first, second):
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


def speaker_centroids(embeddings, speakers):
    """Normalised mean of each speaker's unit-length embeddings, float64 ``(speakers, d)``, sorted by name."""
    return unit_length(_speaker_sums(unit_length(embeddings), speakers)[0])


def cohort_statistics(embeddings, cohort, top):
    """Mean and standard deviation of each utterance's ``top`` highest cosines with a cohort.

    Args:
        embeddings: float ``(n, d)``.
        cohort: float64 ``(m, d)``, of length 1, such as :func:`speaker_centroids`.
        top: how many of the cohort, those most like the utterance; all of them if there are fewer.

    Returns:
        ``(means, deviations)``: float64 ``(n,)``; the deviation divides by the count.

    Raises:
        InputError: where the cohort is too small, or does not tell utterances apart.
    """
    top = min(top, len(cohort))
    if top < 2:
        raise InputError(f"scoring.as_norm: a cohort of {len(cohort)} speakers; AS-norm needs 2, better hundreds")
    means, deviations = np.empty(len(embeddings)), np.empty(len(embeddings))
    step = max(1, COHORT_SCORES // len(cohort))
    for start in range(0, len(embeddings), step):
        part = slice(start, start + step)
        scores = unit_length(embeddings[part]) @ cohort.T
        highest = np.partition(scores, -top, axis=1)[:, -top:]
        highest.sort(axis=1)  # else the sums' last digits depend on the cohort's order
        means[part], deviations[part] = highest.mean(axis=1), highest.std(axis=1)
    if flat := np.count_nonzero(~(deviations > 1e-12)):
        raise InputError(
            f"scoring.as_norm: {flat} of {len(embeddings)} utterances are equally like all of the {top} most like them "
            "in the cohort, so their scores cannot be normalised; give another cohort, or a larger top"
        )
    return means, deviations


def as_norm(scores, first, second, means, deviations):
    """Adaptive symmetric normalisation: the mean of both sides' z-scores (Matejka et al. 2017, "AS-norm1").

    Args:
        scores: float64 ``(trials,)``, cosines.
        first, second: integer ``(trials,)``, rows of the pair.
        means, deviations: of :func:`cohort_statistics`, of these rows.
    """
    return ((scores - means[first]) / deviations[first] + (scores - means[second]) / deviations[second]) / 2


def centroid_scores(embeddings, speakers):
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


def own_centroid_scores(embeddings, speakers):
    """The targets of :func:`centroid_scores` with an utterance taken out of its own speaker's centroid: unbiased.

    Returns:
        float64 ``(n,)``; NaN for a speaker's only utterance, since nothing is left of its centroid.
    """
    unit = unit_length(embeddings)
    sums, speaker_of = _speaker_sums(unit, speakers)
    rest = unit_length(sums[speaker_of] - unit)
    alone = np.bincount(speaker_of)[speaker_of] == 1
    return np.where(alone, np.nan, np.einsum("ij,ij->i", unit, rest))
