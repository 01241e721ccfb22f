"""AS-norm: scores normalised by each side's scores with a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..vectors import unit_length

if TYPE_CHECKING:
    import numpy.typing as npt

COHORT_SCORES = 1 << 22  # at a time: 100 MB


def cohort_statistics(
    embeddings: npt.NDArray[np.floating[Any]], cohort: npt.NDArray[np.float64], top: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation of each utterance's ``top`` highest cosines with a cohort.

    Args:
        embeddings: float ``(n, d)``.
        cohort: float64 ``(m, d)``, of length 1, such as :func:`asv.scoring.cosine.speaker_centroids`.
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


def as_norm(
    scores: npt.NDArray[np.float64],
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    means: npt.NDArray[np.float64],
    deviations: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Adaptive symmetric normalisation: the mean of both sides' z-scores (Matejka et al. 2017, "AS-norm1").

    Args:
        scores: float64 ``(trials,)``, cosines.
        first, second: integer ``(trials,)``, rows of the pair.
        means, deviations: of :func:`cohort_statistics`, of these rows.
    """
    return ((scores - means[first]) / deviations[first] + (scores - means[second]) / deviations[second]) / 2
