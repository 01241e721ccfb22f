"""How sure a threshold is: percentiles of the thresholds of draws of speakers, as of :mod:`asv.scoring.bootstrap`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .bootstrap import LEVEL

if TYPE_CHECKING:
    import numpy.typing as npt

EER = "eer"


def threshold_intervals(
    scores: npt.NDArray[np.float64],
    targets: npt.NDArray[np.bool_],
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    rates: Sequence[float],
    replicates: int = 200,
    seed: int = 0,
) -> dict[str, tuple[float, float] | None]:
    """Intervals of the thresholds at the EER, and at false-accept rates.

    Args:
        scores, targets: float64, bool ``(trials,)``.
        first, second: integer ``(trials,)``, numbers of the speakers of both sides.
        rates: false-accept rates, fractions.
        replicates, seed: of the draws of speakers.

    Returns:
        ``(low, high)`` at the level of 95 % by ``eer`` and by each rate as text; None where half of the draws or more
        have no such threshold, for want of nontargets.
    """
    order = np.argsort(scores)[::-1]
    scores, targets, first, second = scores[order], targets[order], first[order], second[order]
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # of groups of equal scores
    speakers, draw = int(max(first.max(), second.max())) + 1, np.random.default_rng(seed)
    found: dict[str, list[float]] = {EER: [], **{str(rate): [] for rate in rates}}
    for _ in range(replicates):
        times = draw.multinomial(speakers, np.full(speakers, 1 / speakers))
        # A trial within a speaker counts as often as that speaker was drawn.
        weights = np.where(first == second, times[first], times[first] * times[second])
        counted = np.cumsum(weights)[ends]
        there = np.flatnonzero(np.diff(counted, prepend=0))  # groups that were drawn
        hits = np.cumsum(weights * targets)[ends][there]
        accepts = counted[there] - hits
        if not len(there) or not hits[-1] or not accepts[-1]:
            continue
        values = scores[ends[there]]
        found[EER].append(float(values[np.argmax(1 - hits / hits[-1] <= accepts / accepts[-1])]))
        for rate in rates:
            allowed = accepts[-1] * rate * (1 + 1e-12)
            place = int(np.searchsorted(accepts, allowed, side="right")) - 1
            if allowed >= 1 and place >= 0:
                found[str(rate)].append(float(values[place]))
    return {name: _interval(values, replicates) for name, values in found.items()}


def _interval(values: list[float], replicates: int) -> tuple[float, float] | None:
    if 2 * len(values) <= replicates:
        return None
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)
