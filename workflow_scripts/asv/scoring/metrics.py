"""Detection metrics of scores: higher means more likely the same speaker; a trial is accepted at score >= threshold.

Formulas, sources and conventions: ``docs/metrics.md``. All of them are functions of :class:`ErrorRates`, in which equal
scores are one point, so none depends on the order of rows. O(n log n) in the number of trials.

scikit-learn is imported where it is used: that takes a second, and comparisons of engines use none of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

PRIORS = (0.01, 0.05)  # of a target, for minDCF
FALSE_ACCEPT_RATES = (0.01, 0.001, 0.0001)  # of the operating points


@dataclass(frozen=True)
class ErrorRates:
    """Error rates at every threshold that tells trials apart, equal scores grouped.

    Attributes:
        thresholds: float64 ``(n,)``, falling, the first infinite (nothing is accepted).
        false_accept: float64 ``(n,)``, rising from 0 to 1: share of nontargets accepted.
        miss: float64 ``(n,)``, falling from 1 to 0: share of targets rejected.
        targets, nontargets: numbers of trials.
    """

    thresholds: npt.NDArray[np.float64]
    false_accept: npt.NDArray[np.float64]
    miss: npt.NDArray[np.float64]
    targets: int
    nontargets: int


def error_rates(scores: npt.ArrayLike, targets: npt.ArrayLike) -> ErrorRates:
    """Error rates of trials.

    Args:
        scores: float ``(n,)``.
        targets: bool ``(n,)``: True for same-speaker trials.

    Raises:
        InputError: where scores are not finite, or only one class is there.
    """
    scores, targets = np.asarray(scores, np.float64), np.asarray(targets, bool)
    if not np.isfinite(scores).all():
        raise InputError(f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores are not finite")
    if targets.all() or not targets.any():
        kind = "targets" if targets.any() else "nontargets"
        raise InputError(f"{len(targets)} trials, all of them {kind}: error rates need both classes")
    thresholds, accepts, hits = _accepted(scores, targets)
    count = int(np.count_nonzero(targets))
    others = len(targets) - count
    false_accept = np.zeros(len(thresholds))
    np.divide(accepts, others, out=false_accept[1:])
    del accepts
    miss = np.ones(len(thresholds))
    np.subtract(1, np.divide(hits, count, out=miss[1:]), out=miss[1:])
    return ErrorRates(thresholds, false_accept, miss, count, others)


def _accepted(scores, targets):
    """Thresholds of :class:`ErrorRates`, and nontargets and targets that all but the first of them accept."""
    order = np.argsort(scores)[::-1]
    falling, hits = scores[order], targets[order]
    del order  # each of these arrays is 80 MB of 10,000,000 trials
    last = last_of_group(falling)
    thresholds = np.full(1 + np.count_nonzero(last), np.inf)
    np.compress(last, falling, out=thresholds[1:])
    del falling
    kind: type[np.integer[Any]] = np.int32 if len(hits) < 2**31 else np.int64
    hits = np.cumsum(hits, dtype=kind)[last]
    accepts = np.flatnonzero(last)
    accepts += 1
    accepts -= hits
    return thresholds, accepts, hits


def last_of_group(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether each value is the last of a group of equal neighbours, bool ``(n,)``."""
    last = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=last[:-1])
    return last


def equal_error_rate(rates: ErrorRates) -> tuple[float, float]:
    """Equal error rate by linear interpolation between the two neighbouring operating points.

    Returns:
        ``(eer, threshold)``: a fraction, and the score there.

    At 0.6 one of four targets is missed, the one of score 0.4, and one of four nontargets is accepted:

    >>> equal_error_rate(error_rates([0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.1], [1, 1, 1, 1, 0, 0, 0, 0]))
    (0.25, 0.6)
    """
    after = int(np.argmax(rates.miss <= rates.false_accept))  # their difference falls from 1 to -1
    before = after - 1
    gap_before, gap_after = (rates.miss[place] - rates.false_accept[place] for place in (before, after))
    share = gap_before / (gap_before - gap_after)
    eer = rates.false_accept[before] + share * (rates.false_accept[after] - rates.false_accept[before])
    low, high = rates.thresholds[after], rates.thresholds[before]
    threshold = low if np.isinf(high) else high + share * (low - high)
    return float(eer), float(threshold)


def convex_hull(rates: ErrorRates) -> ErrorRates:
    """The vertices of the ROC convex hull, as error rates: the operating points that no mixture of others beats.

    Found by isotonic regression of the truth on the score (pool adjacent violators, O(n)), whose blocks of equal value
    are the hull's edges (Fawcett and Niculescu-Mizil 2007). Between two vertices one accepts at random.
    """
    from sklearn.isotonic import isotonic_regression

    hits = np.rint(-np.diff(rates.miss) * rates.targets)
    trials = hits + np.rint(np.diff(rates.false_accept) * rates.nontargets)
    share = isotonic_regression(hits / trials, sample_weight=trials, increasing=False)
    vertex = np.concatenate(([True], np.diff(share) != 0, [True]))
    return ErrorRates(
        rates.thresholds[vertex], rates.false_accept[vertex], rates.miss[vertex], rates.targets, rates.nontargets
    )


def _costs(rates, prior):
    """Detection cost at each threshold, float64 ``(n,)``, with unit costs, not normalised."""
    return prior * rates.miss + (1 - prior) * rates.false_accept


def min_dcf(rates: ErrorRates, prior: float) -> tuple[float, float]:
    """Minimum detection cost over all thresholds, normalised, with unit costs (NIST SRE evaluation plans).

    min over thresholds of prior * miss + (1 - prior) * false_accept, divided by min(prior, 1 - prior), the cost of the
    better of accepting and of rejecting everything.

    Returns:
        ``(cost, threshold)``; of several best thresholds the highest, infinite if nothing is better accepted.

    Where targets are rare it pays to miss the one of score 0.4, where they are frequent to accept the nontarget of 0.6:

    >>> rates = error_rates([0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.1], [1, 1, 1, 1, 0, 0, 0, 0])
    >>> min_dcf(rates, prior=0.01), min_dcf(rates, prior=0.9)
    ((0.25, 0.7), (0.25, 0.4))
    """
    cost = _costs(rates, prior)
    best = int(np.argmin(cost))
    return float(cost[best] / min(prior, 1 - prior)), float(rates.thresholds[best])


def min_dcf_point(rates: ErrorRates, prior: float) -> tuple[float, float]:
    """``(false accept, miss)`` at the threshold of :func:`min_dcf`."""
    best = int(np.argmin(_costs(rates, prior)))
    return float(rates.false_accept[best]), float(rates.miss[best])


def operating_point(rates: ErrorRates, false_accept_rate: float) -> dict[str, float | str | None]:
    """The lowest threshold at which no more than this share of nontargets is accepted, and what it does.

    Returns:
        dictionary of ``threshold``, ``false_accept``, ``miss``, and ``reason``: None, or why the others are None.
    """
    allowed = rates.nontargets * false_accept_rate * (1 + 1e-12)
    point: dict[str, float | str | None] = {"threshold": None, "false_accept": None, "miss": None, "reason": None}
    if allowed < 1:
        return point | {"reason": f"too few nontargets: {rates.nontargets:,} x {false_accept_rate:g} < 1"}
    best = int(np.searchsorted(np.rint(rates.false_accept * rates.nontargets), allowed, side="right")) - 1
    if best == 0:
        return point | {"reason": "more nontargets than that share the highest score"}
    values = rates.thresholds[best], rates.false_accept[best], rates.miss[best]
    return point | dict(zip(point, map(float, values)))


def cllr(rates: ErrorRates) -> float:
    """Cost of log-likelihood ratios, in bits, of the scores taken as natural log-likelihood ratios.

    Half the sum of the targets' mean log2(1 + exp(-s)) and the nontargets' mean log2(1 + exp(s)) (Brümmer and du Preez
    2006). 1 is what scores of 0 cost.
    """
    scores, hits, accepts = rates.thresholds[1:], -np.diff(rates.miss), np.diff(rates.false_accept)
    nats = hits @ np.logaddexp(0, -scores) + accepts @ np.logaddexp(0, scores)
    return float(nats / math.log(4))


def min_cllr(rates: ErrorRates) -> float:
    """Cllr after the best monotonic calibration on these very trials: the loss in telling the speakers apart alone.

    On an edge of the ROC convex hull the calibrated likelihood ratio is the slope, hits over false accepts.
    """
    hull = convex_hull(rates)
    hits, accepts = -np.diff(hull.miss), np.diff(hull.false_accept)
    both = hits + accepts
    ratios = (np.divide(both, part, out=np.ones_like(both), where=part > 0) for part in (hits, accepts))
    hit_bits, accept_bits = map(np.log2, ratios)
    return float(hits @ hit_bits + accepts @ accept_bits) / 2


def roc_auc(rates: ErrorRates) -> float:
    """Area under the ROC curve; tied scores count half."""
    from sklearn.metrics import auc

    return float(auc(rates.false_accept, 1 - rates.miss))


def best_balanced_point(rates: ErrorRates) -> tuple[float, float]:
    """Hit rate and correct-reject rate at the threshold with the largest sum (Youden), as the original guide prints."""
    best = int(np.argmax((1 - rates.miss) - rates.false_accept))
    return float(1 - rates.miss[best]), float(1 - rates.false_accept[best])


def summary(scores: npt.ArrayLike, targets: npt.ArrayLike) -> dict[str, Any]:
    """What a result file says of one protocol, ready for JSON; a threshold that would be infinite is None."""
    rates = error_rates(scores, targets)
    eer, threshold = equal_error_rate(rates)
    costs = {str(prior): min_dcf(rates, prior) for prior in PRIORS}
    return {
        "eer": eer,
        "threshold": threshold,
        "eer_convex_hull": equal_error_rate(convex_hull(rates))[0],
        "min_dcf": {prior: cost for prior, (cost, _) in costs.items()},
        "min_dcf_thresholds": {prior: point if math.isfinite(point) else None for prior, (_, point) in costs.items()},
        "operating_points": {str(rate): operating_point(rates, rate) for rate in FALSE_ACCEPT_RATES},
        "roc_auc": roc_auc(rates),
        "cllr": cllr(rates),
        "min_cllr": min_cllr(rates),
        "targets": rates.targets,
        "nontargets": rates.nontargets,
    }
