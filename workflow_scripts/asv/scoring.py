"""Scores of trials and of the seed's centroid protocol, from embeddings."""

from __future__ import annotations

import numpy as np

BLOCK = 1 << 16  # trials at a time: 200 MB at 192 dimensions


def unit_length(embeddings):
    """float ``(n, d)`` to float64 rows of length 1 (zero rows stay zero)."""
    embeddings = np.asarray(embeddings, np.float64)
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.divide(embeddings, norms, out=np.zeros_like(embeddings), where=norms > 0)


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


def centroid_scores(embeddings, speakers):
    """The seed's protocol: every utterance against every speaker's centroid, its own utterance included.

    A centroid is the normalised mean of a speaker's unit-length embeddings. The utterance is part of its speaker's
    centroid, which flatters the result; it is computed to be compared with the seed's published ROC-AUC.

    Args:
        embeddings: float ``(n, d)``.
        speakers: sequence of n names.

    Returns:
        ``(scores, targets)``: float64 and bool ``(n, number of speakers)``, columns sorted by name.
    """
    unit = unit_length(embeddings)
    names, speaker_of = np.unique(np.asarray(speakers), return_inverse=True)
    sums = np.zeros((len(names), unit.shape[1]))
    np.add.at(sums, speaker_of, unit)
    return unit @ unit_length(sums).T, speaker_of[:, None] == np.arange(len(names))
