"""Metrics against brute force over every threshold, and the properties that any of them must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asv import metrics
from asv.errors import InputError


def operating_points(scores, targets):
    """(false accepts, misses) at every threshold, one comparison at a time, from 'accept nothing' on."""
    thresholds = [np.inf, *sorted(set(scores), reverse=True)]
    pairs = list(zip(scores, targets))
    positives = sum(targets)
    negatives = len(targets) - positives
    return [
        (
            threshold,
            sum(score >= threshold and not target for score, target in pairs) / negatives,
            sum(score < threshold and target for score, target in pairs) / positives,
        )
        for threshold in thresholds
    ]


def brute_eer(scores, targets):
    """Where the polygon through the operating points meets the diagonal."""
    points = operating_points(scores, targets)
    for (_, f0, m0), (_, f1, m1) in zip(points, points[1:]):
        if m1 <= f1:
            share = (m0 - f0) / ((m0 - f0) - (m1 - f1))
            return f0 + share * (f1 - f0)
    raise AssertionError("the curve ends at (1, 0)")


# Few distinct scores, so that ties within and between the classes are common.
trial_sets = (
    st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=40)
    .filter(lambda rows: len({target for _, target in rows}) == 2)
    .map(lambda rows: ([score / 4 for score, _ in rows], [target for _, target in rows]))
)


@given(trial_sets)
@settings(max_examples=300, deadline=None)
def test_against_brute_force(trials):
    scores, targets = trials
    rates = metrics.error_rates(scores, targets)
    eer, threshold = metrics.equal_error_rate(rates)
    assert eer == pytest.approx(brute_eer(scores, targets), abs=1e-12)
    assert min(scores) <= threshold <= max(scores)
    for prior in (0.01, 0.05, 0.5):
        cost = min(prior * miss + (1 - prior) * accept for _, accept, miss in operating_points(scores, targets))
        assert metrics.min_dcf(rates, prior)[0] == pytest.approx(cost / min(prior, 1 - prior), abs=1e-12)
    wins = [(p > n) + 0.5 * (p == n) for p, a in zip(scores, targets) if a for n, b in zip(scores, targets) if not b]
    assert metrics.roc_auc(rates) == pytest.approx(np.mean(wins), abs=1e-12)


@given(trial_sets, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_does_not_matter(trials, random):
    rows = list(zip(*trials))
    shuffled = rows[:]
    random.shuffle(shuffled)
    assert metrics.summary(*zip(*shuffled)) == metrics.summary(*trials)


@pytest.mark.parametrize(
    ("scores", "targets", "eer"),
    [
        ([3.0, 2.0, 1.0, 0.0], [1, 1, 0, 0], 0.0),  # perfect
        ([3.0, 2.0, 1.0, 0.0], [0, 0, 1, 1], 1.0),  # reversed
        ([1.0, 0.0], [1, 0], 0.0),  # one trial each
        ([0.0, 1.0], [1, 0], 1.0),
        ([0.5, 0.5], [1, 0], 0.5),  # nothing but a tie
        ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 0.5),
    ],
)
def test_known_equal_error_rates(scores, targets, eer):
    found, threshold = metrics.equal_error_rate(metrics.error_rates(scores, targets))
    assert found == pytest.approx(eer, abs=1e-15)
    assert np.isfinite(threshold)


def test_the_threshold_separates_at_the_equal_error_rate():
    random = np.random.default_rng(7)
    scores = np.concatenate([random.normal(1, 1, 5000), random.normal(-1, 1, 5000)])
    targets = np.arange(10_000) < 5000
    eer, threshold = metrics.equal_error_rate(metrics.error_rates(scores, targets))
    # Of two unit Gaussians two apart the error rates meet at Phi(-1); 5000 trials a class: 3 sigma = 0.016.
    assert eer == pytest.approx(0.1587, abs=0.016)
    assert np.mean(scores[targets] < threshold) == pytest.approx(eer, abs=1 / 5000)
    assert np.mean(scores[~targets] >= threshold) == pytest.approx(eer, abs=1 / 5000)


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        ([0.1, 0.2], [1, 1], "all of them targets"),
        ([0.1, 0.2], [0, 0], "all of them nontargets"),
        ([0.1, np.nan], [1, 0], "1 of 2 scores are not finite"),
        ([np.inf, 0.1], [1, 0], "1 of 2 scores are not finite"),
    ],
)
def test_what_cannot_be_rated(scores, targets, message):
    with pytest.raises(InputError, match=message):
        metrics.error_rates(scores, targets)
