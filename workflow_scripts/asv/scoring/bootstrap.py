"""Confidence intervals of the EER, and of a difference of EERs, by resampling speakers.

Trials that share a speaker are not independent, so it is speakers that are drawn, with replacement, as many as there
are. A trial of two speakers counts as often as the product of their numbers of draws says, a trial within a speaker as
often as that speaker was drawn: the bootstrap of dyadic data (Davezies, D'Haultfœuille and Guyonvarch 2021). Intervals
lie between percentiles of the replicates. What few speakers do to them is described in ``docs/metrics.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .metrics import equal_error_rate, error_rates, last_of_group

if TYPE_CHECKING:
    import numpy.typing as npt

LEVEL = 0.95
FEWEST_SPEAKERS = 5  # below it intervals hold the truth far less often than they say, see docs/metrics.md
WIDTH = 1e-9  # of an interval that has one; a narrower one is rounding
BLOCK = 1 << 19  # weights at a time: some 20 MB


class _Trials:
    """Trials sorted by falling score, and the weighted EER of them.

    Attributes:
        first, second: unsigned integer ``(n,)``, speakers of the sides; the second side of a trial within a speaker is
            the last column of the draws, which is 1 throughout.
        targets: bool ``(n,)``.
        ends: integer ``(m,)``, the last place of each group of equal scores.
    """

    def __init__(self, scores, targets, first, second):
        order = np.argsort(scores)[::-1]
        last = last_of_group(scores[order])
        self.ends = np.flatnonzero(last).astype(np.int32 if len(last) < 2**31 else np.int64)
        self.first, self.second, self.targets = first[order], second[order], targets[order]

    def _weights(self, draws):
        """How often each trial counts, int32 ``(replicates, n)``; part by part, since indices are copied as intp."""
        weights = np.empty((len(draws), len(self.first)), np.int32)
        for start in range(0, len(self.first), BLOCK):
            part = slice(start, start + BLOCK)
            np.multiply(draws[:, self.first[part]], draws[:, self.second[part]], out=weights[:, part])
        return weights

    def equal_error_rates(self, draws):
        """EER by linear interpolation, as :func:`asv.scoring.metrics.equal_error_rate`, once for each row of draws.

        Args:
            draws: int32 ``(replicates, speakers + 1)``, how often each speaker was drawn, then 1.

        Returns:
            float64 ``(replicates,)``, NaN where a replicate has no target or no nontarget.
        """
        weights = self._weights(draws)
        kind: type[np.integer[Any]] = np.int32 if weights.sum(axis=1, dtype=np.int64).max() < 2**31 else np.int64
        accepted = np.cumsum(weights, axis=1, dtype=kind)
        weights *= self.targets
        hits = np.cumsum(weights, axis=1, dtype=kind)
        rows = np.arange(len(draws))
        all_hits, all_accepts = hits[:, -1], accepted[:, -1] - hits[:, -1]
        usable = (all_hits > 0) & (all_accepts > 0)

        def rates(group):
            """False-accept and miss rates after each row's group; before the first, nothing is accepted."""
            place = self.ends[np.maximum(group, 0)]
            hit = np.where(group < 0, 0, hits[rows, place])
            accept = np.where(group < 0, 0, accepted[rows, place] - hits[rows, place])
            return accept / np.maximum(all_accepts, 1), 1 - hit / np.maximum(all_hits, 1)

        # The first group at which misses no longer exceed false accepts, by bisection in all rows at once.
        low, high = np.zeros(len(rows), np.intp), np.full(len(rows), len(self.ends) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            false_accept, miss = rates(middle)
            crossed = miss <= false_accept
            low, high = np.where(crossed, low, np.minimum(middle + 1, high)), np.where(crossed, middle, high)
        (before, miss_before), (after, miss_after) = rates(low - 1), rates(low)
        gap_before, gap_after = miss_before - before, miss_after - after
        share = gap_before / np.where(usable, gap_before - gap_after, 1)
        return np.where(usable, before + share * (after - before), np.nan)


def _numbered(first, second):
    """Speakers of both sides, names or numbers, as numbers from 0 in the order of their names; how many there are."""
    first, second = np.asarray(first), np.asarray(second)
    if first.dtype.kind in "iu" and second.dtype.kind in "iu":  # without sorting millions of them
        there = np.zeros(1 + max(int(first.max()), int(second.max())), bool)
        there[first] = there[second] = True
        count = int(np.count_nonzero(there))
        number = (np.cumsum(there) - 1).astype(np.min_scalar_type(count))
        return number[first], number[second], count
    names, codes = np.unique(np.concatenate((first, second)), return_inverse=True)
    codes = codes.astype(np.min_scalar_type(len(names)))
    return codes[: len(first)], codes[len(first) :], len(names)


def _replicates(score_vectors, targets, first, second, replicates, seed):
    """EERs float64 ``(vectors, replicates)`` of the same draws of speakers, and the number of speakers."""
    targets = np.asarray(targets, bool)
    first, second, speakers = _numbered(first, second)
    second[first == second] = speakers
    draws = np.ones((replicates, speakers + 1), np.int32)
    random = np.random.default_rng(seed)
    draws[:, :-1] = random.multinomial(speakers, np.full(speakers, 1 / speakers), size=replicates)
    step = max(1, BLOCK // len(targets))
    blocks = [draws[start : start + step] for start in range(0, replicates, step)]
    eers = []
    for scores in score_vectors:  # one after the other: sorted trials take much memory
        trials = _Trials(np.asarray(scores, np.float64), targets, first, second)
        eers.append(np.concatenate([trials.equal_error_rates(block) for block in blocks]))
    return np.array(eers), speakers


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
    values, speakers = _replicates([scores], targets, speakers_first, speakers_second, replicates, seed)
    values = values[0][np.isfinite(values[0])]
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
    first, second, count = _numbered(speakers_first, speakers_second)
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


def paired_eer_difference(
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    targets: npt.NDArray[np.bool_],
    speakers_first: npt.ArrayLike,
    speakers_second: npt.ArrayLike,
    replicates: int = 1000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """How much higher the EER of scores b is than that of scores a, the trials being the same.

    Both are drawn together, so what the speakers have in common cancels: far narrower than two intervals.

    Returns:
        ``(difference, low, high)``: fractions, EER of b less EER of a, and its 95 % confidence interval.

    Raises:
        InputError: where the trials have too few speakers, or not both classes, and where the difference is the same
            in all draws although trials are accepted by the one alone: that is no certainty.
    """
    values, speakers = _replicates([scores_a, scores_b], targets, speakers_first, speakers_second, replicates, seed)
    differences = values[1] - values[0]
    differences = differences[np.isfinite(differences)]
    if len(differences) < replicates / 2 or speakers < FEWEST_SPEAKERS:
        raise InputError(
            f"{len(targets)} trials, too few speakers ({speakers}); a comparison of EERs needs a trial list of "
            f"{FEWEST_SPEAKERS} or more, all draws of which have targets and nontargets"
        )
    (a, threshold_a), (b, threshold_b) = (
        equal_error_rate(error_rates(scores, targets)) for scores in (scores_a, scores_b)
    )
    low, high = _percentiles(differences)
    if high - low < WIDTH and ((np.asarray(scores_a) >= threshold_a) != (np.asarray(scores_b) >= threshold_b)).any():
        raise InputError(f"{len(targets)} trials: all draws of speakers have the same difference of EERs")
    return b - a, low, high
