"""Intervals of thresholds, compared with draws whose trials are really repeated."""

import numpy as np
import pytest

from asv.scoring import metrics
from asv.scoring.threshold_intervals import threshold_intervals


def trials(speakers=12, count=800, seed=0):
    random = np.random.default_rng(seed)
    first, second = random.integers(0, speakers, (2, count))
    targets = first == second
    scores = np.round(random.normal(np.where(targets, 0.6, 0.2), 0.2), 2)  # with ties
    return scores, targets, first, second


@pytest.mark.parametrize("seed", range(4))
def test_one_draw(seed):
    """Its interval has no width: it is the threshold of the trials, each as often as its speakers were drawn."""
    scores, targets, first, second = trials()
    found = threshold_intervals(scores, targets, first, second, (0.1, 0.05), replicates=1, seed=seed)
    times = np.random.default_rng(seed).multinomial(12, np.full(12, 1 / 12))
    repeats = np.where(targets, times[first], times[first] * times[second])
    rates = metrics.error_rates(np.repeat(scores, repeats), np.repeat(targets, repeats))
    for rate in (0.1, 0.05):
        wanted = metrics.operating_point(rates, rate)["threshold"]
        assert found[str(rate)] == (pytest.approx(wanted), pytest.approx(wanted))
    _, threshold = metrics.equal_error_rate(rates)
    steps = np.unique(scores)
    low, high = found["eer"]
    assert low == high
    assert low <= threshold <= steps[np.searchsorted(steps, low, side="right")]  # interpolated to the next score


def test_many_draws_hold_the_threshold_and_are_the_same_again():
    scores, targets, first, second = trials(speakers=40, count=6000)
    found = threshold_intervals(scores, targets, first, second, (0.01,), seed=1)
    assert found == threshold_intervals(scores, targets, first, second, (0.01,), seed=1)
    summary = metrics.summary(scores, targets)
    for name, threshold in {
        "eer": summary["threshold"],
        "0.01": summary["operating_points"]["0.01"]["threshold"],
    }.items():
        low, high = found[name]
        assert low <= threshold <= high
        assert 0 < high - low < 0.2


def test_a_rate_that_few_nontargets_do_not_support():
    assert threshold_intervals(*trials(count=60), (0.001,))["0.001"] is None
