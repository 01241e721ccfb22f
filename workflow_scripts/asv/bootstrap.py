"""Confidence intervals of the EER, and of a difference of EERs, by resampling speakers.

Trials that share a speaker are not independent, so it is speakers that are drawn, with replacement, as many as there
are. A trial of two speakers counts as often as the product of their numbers of draws says, a trial within a speaker as
often as that speaker was drawn: the bootstrap of dyadic data (Davezies, D'Haultfœuille and Guyonvarch 2021). Intervals
lie between percentiles of the replicates. What few speakers do to them is told in ``docs/metrics.md``.
"""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .metrics import equal_error_rate, error_rates

LEVEL = 0.95
BLOCK = 1 << 19  # weights at a time: some 20 MB


class _Trials:
    """Trials sorted by falling score, and the weighted EER of them.

    Attributes:
        first, second: intp ``(n,)``, speakers of the sides; the second side of a trial within a speaker is the last
            column of the draws, which is 1 throughout.
        targets: bool ``(n,)``.
        ends: intp ``(m,)``, the last place of each group of equal scores.
    """

    def __init__(self, scores, targets, first, second):
        order = np.argsort(scores)[::-1]
        scores = scores[order]
        self.first, self.second, self.targets = first[order], second[order], targets[order]
        self.ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)

    def equal_error_rates(self, draws):
        """EER by linear interpolation, as :func:`asv.metrics.equal_error_rate`, once for each row of draws.

        Args:
            draws: int32 ``(replicates, speakers + 1)``, how often each speaker was drawn, then 1.

        Returns:
            float64 ``(replicates,)``, NaN where a replicate has no target or no nontarget.
        """
        weights = draws[:, self.first] * draws[:, self.second]
        accepted = np.cumsum(weights, axis=1, dtype=np.int64)
        weights *= self.targets
        hits = np.cumsum(weights, axis=1, dtype=np.int64)
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


def _replicates(score_vectors, targets, first, second, replicates, seed):
    """EERs float64 ``(vectors, replicates)`` of the same draws of speakers, and the number of speakers."""
    targets = np.asarray(targets, bool)
    _, codes = np.unique(np.concatenate((first, second)), return_inverse=True)
    first, second = codes[: len(targets)], codes[len(targets) :]
    speakers = int(codes.max()) + 1
    second = np.where(first == second, speakers, second)
    trials = [_Trials(np.asarray(scores, np.float64), targets, first, second) for scores in score_vectors]
    draws = np.ones((replicates, speakers + 1), np.int32)
    random = np.random.default_rng(seed)
    draws[:, :-1] = random.multinomial(speakers, np.full(speakers, 1 / speakers), size=replicates)
    step = max(1, BLOCK // len(targets))
    blocks = [draws[start : start + step] for start in range(0, replicates, step)]
    return np.array([np.concatenate([t.equal_error_rates(block) for block in blocks]) for t in trials]), speakers


def _percentiles(values):
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def eer_interval(scores, targets, speakers_first, speakers_second, replicates=1000, seed=0):
    """95 % confidence interval of the EER.

    Args:
        scores: float ``(n,)``, finite.
        targets: bool ``(n,)``.
        speakers_first, speakers_second: ``(n,)``, speakers of the trials' sides: names, or (faster) numbers.
        replicates: number of draws.
        seed: of the draws.

    Returns:
        dictionary, ready for JSON: ``low``, ``high`` (fractions), ``level``, ``speakers``, ``replicates`` (those that
        had both classes), and ``reason``: None, or why there is no interval.
    """
    values, speakers = _replicates([scores], targets, speakers_first, speakers_second, replicates, seed)
    values = values[0][np.isfinite(values[0])]
    facts = {"level": LEVEL, "speakers": speakers, "replicates": len(values)}
    if len(values) < replicates / 2 or speakers < 2:
        reason = f"too few speakers ({speakers}): most draws of them have no targets or no nontargets"
        return {"low": None, "high": None, **facts, "reason": reason}
    low, high = _percentiles(values)
    return {"low": low, "high": high, **facts, "reason": None}


def paired_eer_difference(scores_a, scores_b, targets, speakers_first, speakers_second, replicates=1000, seed=0):
    """How much higher the EER of scores b is than that of scores a, the trials being the same.

    Both are drawn together, so what the speakers have in common cancels: far narrower than two intervals.

    Returns:
        ``(difference, low, high)``: fractions, EER of b less EER of a, and its 95 % confidence interval.

    Raises:
        InputError: where the trials have too few speakers, or not both classes.
    """
    values, speakers = _replicates([scores_a, scores_b], targets, speakers_first, speakers_second, replicates, seed)
    differences = values[1] - values[0]
    differences = differences[np.isfinite(differences)]
    if len(differences) < replicates / 2 or speakers < 2:
        raise InputError(
            f"{len(targets)} trials, too few speakers ({speakers}): most draws of them have no targets or no "
            "nontargets; a comparison of EERs needs a trial list of more speakers"
        )
    a, b = (equal_error_rate(error_rates(scores, targets))[0] for scores in (scores_a, scores_b))
    return b - a, *_percentiles(differences)
