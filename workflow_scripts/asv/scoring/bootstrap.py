"""Confidence intervals of the EER, and of a difference of EERs, by resampling speakers.

Trials that share a speaker are not independent, so it is speakers that are drawn, with replacement, as many as there
are. A trial of two speakers counts as often as the product of their numbers of draws says, a trial within a speaker as
often as that speaker was drawn: the bootstrap of dyadic data (Davezies, D'Haultfœuille and Guyonvarch 2021). Intervals
lie between percentiles of the replicates. What few speakers do to them is described in ``docs/metrics.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from .metrics import equal_error_rate, error_rates, min_dcf
from .resampling import numbered, replicates_of

if TYPE_CHECKING:
    import numpy.typing as npt

LEVEL = 0.95
FEWEST_SPEAKERS = 5  # below it intervals hold the truth far less often than they say, see docs/metrics.md
WIDTH = 1e-9  # of an interval that has one; a narrower one is rounding
ROUNDING = 1e-12  # of a threshold


def _percentiles(values):
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def eer_interval(
    scores: npt.ArrayLike,
    targets: npt.NDArray[np.bool_],
    speakers_first: npt.ArrayLike,
    speakers_second: npt.ArrayLike,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """95 % confidence interval of the EER.

    Args:
        scores: float ``(n,)``, finite.
        targets: bool ``(n,)``.
        speakers_first, speakers_second: ``(n,)``, speakers of the trials' sides: names, or (faster) numbers.
        replicates: number of draws.
        seed: of the draws.

    Returns:
        dictionary, ready for JSON: ``low``, ``high`` (fractions), ``level``, ``speakers``, ``replicates`` (those that
        had both classes), ``reason``: None, or why there is no interval, and ``upper_bound``: None, or where there are
        no errors what the EER is below at the same level, see :func:`upper_bound`.
    """
    (((values,),), speakers) = replicates_of([scores], targets, speakers_first, speakers_second, replicates, seed)
    values = values[np.isfinite(values)]
    facts = {"level": LEVEL, "speakers": speakers, "replicates": len(values)}
    eer, _ = equal_error_rate(error_rates(scores, targets))
    bound = upper_bound(targets, speakers_first, speakers_second) if eer == 0 else None
    low, high = _percentiles(values) if len(values) else (None, None)
    if reason := _no_interval(eer, low, high, speakers, len(values) / replicates):
        low = high = None
    return {"low": low, "high": high, **facts, "reason": reason, "upper_bound": bound}


def _no_interval(eer, low, high, speakers, usable):
    """Why there is no interval, or None; ``usable`` is the share of draws that have both classes."""
    if usable < 1 / 2 or speakers < 2:
        return f"too few speakers ({speakers}): most draws of them have no targets or no nontargets"
    if eer in (0, 1):
        what = "no trial is wrong" if eer == 0 else "all targets score below all nontargets"
        return f"{what} in any draw of the {speakers:,} speakers"
    if speakers < FEWEST_SPEAKERS:
        return f"too few speakers ({speakers}): an interval needs {FEWEST_SPEAKERS}, better 20"
    return "every draw of speakers has the same EER" if high - low < WIDTH else None


def upper_bound(
    targets: npt.NDArray[np.bool_], speakers_first: npt.ArrayLike, speakers_second: npt.ArrayLike
) -> float | None:
    """What the EER is below, at the level of the intervals, where no trial is wrong.

    Let e be the true EER and t its threshold. Where the sample is without errors at some threshold, it has no misses at
    t, or no false accepts at t. A speaker has a miss among its targets with a probability of e or more, so n
    independent speakers are without one with (1 - e)^n or less. Of the nontargets only disjoint pairs of speakers are
    independent; m of them are without a false accept with (1 - e)^m or less. So e is below the solution of
    (1 - e)^n + (1 - e)^m = 0.05 in 95 % of samples: a rule of three whose units are speakers, however many trials each
    has. It takes speakers for a random sample, and how many trials one has for independent of how easy they are.

    Args:
        targets: bool ``(trials,)``.
        speakers_first, speakers_second: ``(trials,)``, speakers of the sides.

    Returns:
        a fraction; None where the trials bound nothing.
    """
    targets = np.asarray(targets, bool)
    first, second, count = numbered(speakers_first, speakers_second)
    alone = len(np.unique(first[targets & (first == second)]))
    met: set[int] = set()
    for code in np.unique((first.astype(np.int64) * count + second)[~targets & (first != second)]).tolist():
        pair = divmod(code, count)  # any disjoint pairs will do; a few more would lower the bound a little
        if met.isdisjoint(pair):
            met.update(pair)
    if not alone or not met:
        return None
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = (1 - middle) ** alone + (1 - middle) ** (len(met) // 2)
        low, high = (middle, high) if chance > 1 - LEVEL else (low, middle)
    return high


class Difference(NamedTuple):
    """Of b less a: of all trials, and the ends of its 95 % confidence interval."""

    difference: float
    low: float
    high: float


class Differences(NamedTuple):
    """What :func:`paired_differences` finds; EERs are fractions, costs normalised."""

    eer: Difference
    min_dcf: Difference | None  # None: not asked for
    speakers: int


def paired_differences(
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    targets: npt.NDArray[np.bool_],
    speakers_first: npt.ArrayLike,
    speakers_second: npt.ArrayLike,
    replicates: int = 1000,
    seed: int = 0,
    prior: float | None = None,
) -> Differences:
    """How much higher EER and, with a ``prior``, minDCF of scores b are than those of scores a, of the same trials.

    Both are drawn together, so what the speakers have in common cancels: far narrower than two intervals.

    Raises:
        InputError: where the trials have too few speakers, or not both classes, and where the difference of the EERs is
            the same in all draws although trials are accepted by the one alone: that is no certainty.
    """
    trials = (targets, speakers_first, speakers_second)
    values, speakers = replicates_of([scores_a, scores_b], *trials, replicates, seed, prior)
    differences = values[1] - values[0]
    differences = differences[:, np.isfinite(differences[0])]
    if differences.shape[1] < replicates / 2 or speakers < FEWEST_SPEAKERS:
        raise InputError(
            f"{len(targets)} trials, too few speakers ({speakers}); a comparison of EERs needs a trial list of "
            f"{FEWEST_SPEAKERS} or more, all draws of which have targets and nontargets"
        )
    rates = [error_rates(scores, targets) for scores in (scores_a, scores_b)]
    a, b = (equal_error_rate(rate)[0] for rate in rates)
    eer = Difference(b - a, *_percentiles(differences[0]))
    if eer.high - eer.low < WIDTH and sides_changed(scores_a, scores_b, targets):
        raise InputError(f"{len(targets)} trials: all draws of speakers have the same difference of EERs")
    if prior is None:
        return Differences(eer, None, speakers)
    a, b = (min_dcf(rate, prior)[0] for rate in rates)
    return Differences(eer, Difference(b - a, *_percentiles(differences[1])), speakers)


def paired_eer_difference(
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    targets: npt.NDArray[np.bool_],
    speakers_first: npt.ArrayLike,
    speakers_second: npt.ArrayLike,
    replicates: int = 1000,
    seed: int = 0,
) -> Difference:
    """The EER's part of :func:`paired_differences`."""
    trials = (targets, speakers_first, speakers_second)
    return paired_differences(scores_a, scores_b, *trials, replicates, seed).eer


def sides_changed(scores_a: npt.ArrayLike, scores_b: npt.ArrayLike, targets: npt.ArrayLike) -> int:
    """How many trials are decided otherwise by scores b than by scores a, each at the threshold of its own EER."""
    decisions = []
    for scores in (np.asarray(scores_a), np.asarray(scores_b)):
        _, threshold = equal_error_rate(error_rates(scores, targets))
        decisions.append(scores >= threshold - ROUNDING * max(1, abs(threshold)))  # interpolation may miss a score
    return int(np.count_nonzero(decisions[0] != decisions[1]))
