"""Metrics against brute force over every threshold, and the properties that any of them must have."""

import json
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog
from sklearn.metrics import roc_auc_score, roc_curve

from asv.errors import InputError
from asv.scoring import metrics


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


def brute_hull_eer(scores, targets):
    """The lowest point of the diagonal that a mixture of operating points reaches: on a chord of two of them."""
    points = {(accept, miss) for _, accept, miss in operating_points(scores, targets)}
    found = [accept for accept, miss in points if accept == miss]
    for (f0, m0), (f1, m1) in combinations(points, 2):
        if (m0 - f0) * (m1 - f1) < 0:
            found.append(f0 + (m0 - f0) / ((m0 - f0) - (m1 - f1)) * (f1 - f0))
    return min(found)


def brute_min_cllr(scores, targets):
    """Pool adjacent violators, one at a time, then Cllr of the pools' likelihood ratios."""
    pools = []  # (targets, nontargets), by rising score
    for score in sorted(set(scores)):
        there = [target for s, target in zip(scores, targets) if s == score]
        pools.append((sum(there), len(there) - sum(there)))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            (a, b), (c, d) = pools.pop(), pools.pop()
            pools.append((a + c, b + d))
    positives, negatives = sum(targets), len(targets) - sum(targets)
    bits = 0.0
    for hits, accepts in pools:
        ratio = (hits / positives) / (accepts / negatives) if accepts else math.inf
        bits += hits / positives * math.log2(1 + 1 / ratio) if hits else 0
        bits += accepts / negatives * math.log2(1 + ratio) if accepts else 0
    return bits / 2


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
@settings(max_examples=300)
def test_against_brute_force(trials):
    scores, targets = trials
    rates = metrics.error_rates(scores, targets)
    eer, threshold = metrics.equal_error_rate(rates)
    assert eer == pytest.approx(brute_eer(scores, targets), abs=1e-12)
    assert min(scores) <= threshold <= max(scores)
    for prior in (0.01, 0.05, 0.5):
        cost = min(prior * miss + (1 - prior) * accept for _, accept, miss in operating_points(scores, targets))
        assert metrics.min_dcf(rates, prior)[0] == pytest.approx(cost / min(prior, 1 - prior), abs=1e-12)
    for rate in metrics.FALSE_ACCEPT_RATES:
        assert metrics.operating_point(rates, rate)["reason"].startswith("too few nontargets")  # under 100 of them
    assert metrics.equal_error_rate(metrics.convex_hull(rates))[0] == pytest.approx(
        brute_hull_eer(scores, targets), abs=1e-12
    )
    assert metrics.min_cllr(rates) == pytest.approx(brute_min_cllr(scores, targets), abs=1e-12)
    bits = [np.mean([np.log2(1 + np.exp(-s if a else s)) for s, a in zip(scores, targets) if a == c]) for c in (0, 1)]
    assert metrics.cllr(rates) == pytest.approx(sum(bits) / 2, abs=1e-12)
    wins = [(p > n) + 0.5 * (p == n) for p, a in zip(scores, targets) if a for n, b in zip(scores, targets) if not b]
    assert metrics.roc_auc(rates) == pytest.approx(np.mean(wins), abs=1e-12)


@given(trial_sets, st.floats(0.05, 0.9))
@settings(max_examples=200)
def test_operating_points_against_brute_force(trials, rate):
    scores, targets = trials
    point = metrics.operating_point(metrics.error_rates(scores, targets), rate)
    negatives = len(targets) - sum(targets)
    allowed = [p for p in operating_points(scores, targets) if round(p[1] * negatives) <= rate * negatives]
    threshold, accept, miss = allowed[-1]
    if rate * negatives < 1:
        assert point["reason"] == f"too few nontargets: {negatives:,} x {rate:g} < 1"
    elif len(allowed) == 1:
        assert point["reason"] == "more nontargets than that share the highest score"
    else:
        assert point == {
            "threshold": threshold,
            "false_accept": pytest.approx(accept),
            "miss": pytest.approx(miss, abs=1e-12),
            "reason": None,
        }
    if point["reason"]:
        assert [point[name] for name in ("threshold", "false_accept", "miss")] == [None] * 3


@given(trial_sets)
@settings(max_examples=200)
def test_relations_between_metrics(trials):
    scores, targets = np.array(trials[0]), np.array(trials[1])
    result = metrics.summary(scores, targets)
    assert 0 <= result["eer_convex_hull"] <= result["eer"] + 1e-12
    assert result["eer_convex_hull"] <= 0.5 + 1e-12
    assert -1e-12 <= result["min_cllr"] <= min(1, result["cllr"]) + 1e-12
    assert all(0 <= cost <= 1 for cost in result["min_dcf"].values())
    # A rising function of the scores changes nothing but thresholds and Cllr; turned round, the curve is mirrored.
    same = ("eer", "eer_convex_hull", "min_dcf", "roc_auc", "min_cllr")
    assert {k: v for k, v in metrics.summary(np.exp(3 * scores), targets).items() if k in same} == {
        k: result[k] for k in same
    }
    reversed_ = metrics.summary(-scores, targets)
    assert reversed_["eer"] == pytest.approx(1 - result["eer"], abs=1e-12)
    assert reversed_["roc_auc"] == pytest.approx(1 - result["roc_auc"], abs=1e-12)
    json.dumps(result, allow_nan=False)


@given(trial_sets, st.randoms(use_true_random=False))
@settings(max_examples=100)
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


@pytest.mark.parametrize(
    ("scores", "targets", "hull", "min_cllr"),
    [
        ([3.0, 2.0, 1.0, 0.0], [1, 1, 0, 0], 0.0, 0.0),  # perfect
        ([3.0, 2.0, 1.0, 0.0], [0, 0, 1, 1], 0.5, 1.0),  # reversed: nothing is better than chance
        ([1.0, 0.0], [1, 0], 0.0, 0.0),
        ([0.5, 0.5], [1, 0], 0.5, 1.0),
        # Vertices (0, 1), (0, 1/2), (1/2, 0), (1, 0): the diagonal is met at 1/4; half of the trials cost 1 bit each.
        ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 0.25, 0.5),
    ],
)
def test_known_hulls(scores, targets, hull, min_cllr):
    rates = metrics.error_rates(scores, targets)
    assert metrics.equal_error_rate(metrics.convex_hull(rates))[0] == pytest.approx(hull, abs=1e-15)
    assert metrics.min_cllr(rates) == pytest.approx(min_cllr, abs=1e-12)


def test_cllr_by_hand():
    """Targets ln 3 and 0, nontargets -ln 3 and 0: (log2(4/3) + 1) / 2 of either class."""
    rates = metrics.error_rates([math.log(3), 0, -math.log(3), 0], [1, 1, 0, 0])
    assert metrics.cllr(rates) == pytest.approx((math.log2(4 / 3) + 1) / 2, abs=1e-15)
    assert metrics.cllr(metrics.error_rates([0, 0], [1, 0])) == pytest.approx(1, abs=1e-15)


def test_min_dcf_by_hand():
    """Of 200 nontargets one scores above the second of two targets."""
    scores = [4.0, 2.0, 3.0, *([1.0] * 199)]
    targets = [1, 1, *([0] * 200)]
    rates = metrics.error_rates(scores, targets)
    # p = 0.01: accept the first alone, 0.01 / 2 (then 0.99 / 200 is less): 0.00495 / 0.01.
    assert metrics.min_dcf(rates, 0.01) == (pytest.approx(0.495), 2.0)
    assert metrics.min_dcf(rates, 0.001) == (pytest.approx(0.5), 4.0)
    nothing = metrics.error_rates([0.0, 1.0], [1, 0])
    assert metrics.min_dcf(nothing, 0.01) == (1.0, math.inf)
    assert metrics.summary([0.0, 1.0], [1, 0])["min_dcf_thresholds"] == {"0.01": None, "0.05": None}


def test_operating_points_by_hand():
    """10,000 nontargets at 1 to 10,000, targets between them: exactly the share asked for is accepted."""
    nontargets = np.arange(1, 10_001)
    targets = np.array([9_999.5, 9_995.5, 9_950.5, 5.5])
    scores, truth = np.concatenate((nontargets, targets)), np.arange(10_004) >= 10_000
    points = metrics.summary(scores, truth)["operating_points"]
    assert points == {
        "0.01": {"threshold": 9_901, "false_accept": 0.01, "miss": 0.25, "reason": None},
        "0.001": {"threshold": 9_991, "false_accept": 0.001, "miss": 0.5, "reason": None},
        "0.0001": {"threshold": 9_999.5, "false_accept": 0.0001, "miss": 0.75, "reason": None},
    }


def test_against_scikit_learn():
    random = np.random.default_rng(3)
    targets = random.random(20_000) < 0.3
    scores = np.round(random.normal(size=20_000) + 2 * targets, 2)  # with ties
    result = metrics.summary(scores, targets)
    accept, hit, _ = roc_curve(targets, scores)
    eer = brentq(lambda x: 1 - x - np.interp(x, accept, hit), 0, 1, xtol=1e-14)
    assert result["eer"] == pytest.approx(eer, abs=1e-10)
    assert result["roc_auc"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
    for prior, cost in result["min_dcf"].items():
        p = float(prior)
        assert cost == pytest.approx(np.min(p * (1 - hit) + (1 - p) * accept) / p, abs=1e-12)
    # The hull's EER as a linear programme: the mixture of operating points of least equal error.
    solution = linprog(1 - hit, A_eq=[np.ones_like(hit), 1 - hit - accept], b_eq=[1, 0])
    assert result["eer_convex_hull"] == pytest.approx(solution.fun, abs=1e-9)


@pytest.mark.parametrize("decimals", [2, 17])
def test_a_million_trials(decimals):
    """Of two unit Gaussians two apart; a million trials in any order give the very same figures."""
    random = np.random.default_rng(11)
    targets = np.arange(1_000_000) % 2 == 0
    scores = np.round(random.normal(size=len(targets)) + np.where(targets, 1, -1), decimals)
    result = metrics.summary(scores, targets)
    assert result["eer"] == pytest.approx(0.158655, abs=0.0012)
    assert result["eer"] - 0.001 < result["eer_convex_hull"] <= result["eer"]
    # Scores times 2 are log-likelihood ratios, so Cllr is then the least possible (to the fit of the calibration).
    ideal = metrics.summary(2 * scores, targets)
    assert ideal["cllr"] == pytest.approx(ideal["min_cllr"], abs=1e-3)
    order = random.permutation(len(targets))
    assert metrics.summary(scores[order], targets[order]) == result


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
