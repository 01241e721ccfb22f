"""Detection metrics of scores: higher means more likely the same speaker; a trial is accepted at score >= threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import auc, roc_curve

from .errors import InputError


@dataclass(frozen=True)
class ErrorRates:
    """Error rates at every threshold that tells trials apart, equal scores grouped.

    Attributes:
        thresholds: float64 ``(n,)``, falling, the first infinite (nothing is accepted).
        false_accept: float64 ``(n,)``, rising from 0 to 1: share of nontargets accepted.
        miss: float64 ``(n,)``, falling from 1 to 0: share of targets rejected.
    """

    thresholds: np.ndarray
    false_accept: np.ndarray
    miss: np.ndarray


def error_rates(scores, targets):
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
    false_accept, hit, thresholds = roc_curve(targets, scores, drop_intermediate=False)
    return ErrorRates(thresholds, false_accept, 1 - hit)


def equal_error_rate(rates):
    """Equal error rate by linear interpolation between the two neighbouring operating points.

    Returns:
        ``(eer, threshold)``: a fraction, and the score there.
    """
    gap = rates.miss - rates.false_accept  # falls from 1 to -1
    after = int(np.argmax(gap <= 0))
    before = after - 1
    share = gap[before] / (gap[before] - gap[after])
    eer = rates.false_accept[before] + share * (rates.false_accept[after] - rates.false_accept[before])
    low, high = rates.thresholds[after], rates.thresholds[before]
    threshold = low if np.isinf(high) else high + share * (low - high)
    return float(eer), float(threshold)


def min_dcf(rates, prior):
    """Least detection cost over all thresholds, normalised, with unit costs (NIST SRE evaluation plans).

    min over thresholds of prior * miss + (1 - prior) * false_accept, divided by min(prior, 1 - prior), the cost of the
    better of accepting and of rejecting everything.
    """
    cost = prior * rates.miss + (1 - prior) * rates.false_accept
    return float(cost.min() / min(prior, 1 - prior))


def roc_auc(rates):
    """Area under the ROC curve; tied scores count half."""
    return float(auc(rates.false_accept, 1 - rates.miss))


def best_balanced_point(rates):
    """Hit rate and correct-reject rate at the threshold that maximises their sum (Youden), as the seed prints."""
    best = int(np.argmax((1 - rates.miss) - rates.false_accept))
    return float(1 - rates.miss[best]), float(1 - rates.false_accept[best])


def summary(scores, targets):
    """What a result file says of one protocol: EER, threshold, minDCF, ROC-AUC and counts, ready for JSON."""
    rates = error_rates(scores, targets)
    eer, threshold = equal_error_rate(rates)
    return {
        "eer": eer,
        "threshold": threshold,
        "min_dcf": {str(prior): min_dcf(rates, prior) for prior in (0.01, 0.05)},
        "roc_auc": roc_auc(rates),
        "targets": int(np.count_nonzero(targets)),
        "nontargets": int(np.count_nonzero(~np.asarray(targets, bool))),
    }
