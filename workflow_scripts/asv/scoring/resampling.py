"""Speakers drawn with replacement, and the weighted error rates of trials of the speakers drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .metrics import last_of_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

BLOCK = 1 << 19  # weights at a time: some 20 MB


class _Trials:
    """Trials sorted by falling score, and their weighted error rates.

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

    def error_rates(self, draws, prior):
        """EER and normalised minDCF, as in :mod:`asv.scoring.metrics`, once for each row of draws.

        Args:
            draws: int32 ``(replicates, speakers + 1)``, how often each speaker was drawn, then 1.
            prior: of a target, for minDCF; None: without it.

        Returns:
            float64 ``(1 or 2, replicates)``, NaN where a replicate has no target or no nontarget.
        """
        weights = self._weights(draws)
        kind: type[np.integer[Any]] = np.int32 if weights.sum(axis=1, dtype=np.int64).max() < 2**31 else np.int64
        accepted = np.cumsum(weights, axis=1, dtype=kind)
        weights *= self.targets
        hits = np.cumsum(weights, axis=1, dtype=kind)
        usable = (hits[:, -1] > 0) & (accepted[:, -1] > hits[:, -1])
        found = [self._equal_error_rates(hits, accepted)]
        if prior is not None:
            found.append(self._min_dcfs(hits, accepted, prior))
        return np.where(usable, found, np.nan)

    def _equal_error_rates(self, hits, accepted):
        """By linear interpolation; meaningless where a class is missing."""
        rows = np.arange(len(hits))
        all_hits, all_accepts = hits[:, -1], accepted[:, -1] - hits[:, -1]

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
        gap = gap_before - gap_after
        share = gap_before / np.where(gap > 0, gap, 1)
        return before + share * (after - before)

    def _min_dcfs(self, hits, accepted, prior):
        """Minimum cost over thresholds; meaningless where a class is missing."""
        all_hits, all_accepts = np.maximum(hits[:, -1:], 1), np.maximum(accepted[:, -1:] - hits[:, -1:], 1)
        of_accepted = (1 - prior) / all_accepts
        of_hit = prior / all_hits + of_accepted
        lowest = np.full(len(hits), prior)  # where nothing is accepted
        step = max(1, BLOCK // len(hits))
        for start in range(0, len(self.ends), step):
            place = self.ends[start : start + step]
            costs = prior + of_accepted * accepted[:, place] - of_hit * hits[:, place]
            np.minimum(lowest, costs.min(axis=1), out=lowest)
        return lowest / min(prior, 1 - prior)


def numbered(
    first: npt.ArrayLike, second: npt.ArrayLike
) -> tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]], int]:
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


def replicates_of(
    score_vectors: Sequence[npt.ArrayLike],
    targets: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    replicates: int,
    seed: int,
    prior: float | None = None,
) -> tuple[npt.NDArray[np.float64], int]:
    """Error rates of the same draws of speakers for several vectors of scores.

    Args:
        score_vectors: float ``(n,)`` each.
        targets: bool ``(n,)``.
        first, second: ``(n,)``, speakers of the trials' sides: names, or numbers.
        replicates, seed: number of draws, and of the generator.
        prior: of a target, for minDCF; None: the EER alone.

    Returns:
        float64 ``(vectors, 1 or 2, replicates)``, EER and minDCF, NaN in draws without targets or without nontargets;
        and the number of speakers.
    """
    targets = np.asarray(targets, bool)
    left, right, speakers = numbered(first, second)
    right[left == right] = speakers
    draws = np.ones((replicates, speakers + 1), np.int32)
    random = np.random.default_rng(seed)
    draws[:, :-1] = random.multinomial(speakers, np.full(speakers, 1 / speakers), size=replicates)
    step = max(1, BLOCK // len(targets))
    blocks = [draws[start : start + step] for start in range(0, replicates, step)]
    found = []
    for scores in score_vectors:  # one after the other: sorted trials take much memory
        trials = _Trials(np.asarray(scores, np.float64), targets, left, right)
        found.append(np.concatenate([trials.error_rates(block, prior) for block in blocks], axis=1))
    return np.array(found), speakers
