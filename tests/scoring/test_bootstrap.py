"""The bootstrap over speakers: against a naive loop, and whether its intervals hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asv.errors import InputError
from asv.scoring import bootstrap, metrics, resampling
from asv.scoring.bootstrap import eer_interval, paired_eer_difference

# How scores are made below: a target's has an effect of its speaker, a nontarget's one of each of its speakers.
MEAN, TARGET_SPREAD, NONTARGET_SPREAD = 4.0, 0.7, 0.4
TRUTH = 0.5 * math.erfc(MEAN / (math.hypot(1, TARGET_SPREAD) + math.sqrt(1 + 2 * NONTARGET_SPREAD**2)) / math.sqrt(2))


def simulate(random, speakers, trials=10):
    """Trials of a random sample of speakers, as many targets and nontargets of each; their true EER is TRUTH."""
    ease, likeness = TARGET_SPREAD * random.normal(size=speakers), NONTARGET_SPREAD * random.normal(size=speakers)
    first = np.repeat(np.arange(speakers), trials)
    other = (first + random.integers(1, speakers, size=len(first))) % speakers
    target_scores = MEAN + ease[first] + random.normal(size=len(first))
    nontarget_scores = likeness[first] + likeness[other] + random.normal(size=len(first))
    targets = np.arange(2 * len(first)) < len(first)
    return np.append(target_scores, nontarget_scores), targets, np.append(first, first), np.append(first, other)


def naive_eers(scores, targets, first, second, replicates, seed):
    """The same draws; every trial is written out as often as it counts."""
    names = sorted({*first, *second})
    random = np.random.default_rng(seed)
    for _ in range(replicates):
        count = dict(zip(names, random.multinomial(len(names), np.full(len(names), 1 / len(names)))))
        weights = [count[a] if a == b else count[a] * count[b] for a, b in zip(first, second)]
        if len({target for target, weight in zip(targets, weights) if weight}) < 2:
            continue
        rates = metrics.error_rates(np.repeat(scores, weights), np.repeat(targets, weights))
        yield metrics.equal_error_rate(rates)[0]


some_trials = st.lists(
    st.tuples(st.integers(-4, 4), st.booleans(), *[st.sampled_from("abcdef")] * 2), min_size=6, max_size=60
).filter(lambda rows: len({row[1] for row in rows}) == 2)


@given(some_trials, st.integers(0, 5))
@settings(max_examples=150)
def test_against_a_naive_loop(rows, seed):
    scores, targets, first, second = map(list, zip(*rows))
    wanted = list(naive_eers(scores, targets, first, second, 40, seed))
    found = eer_interval(scores, targets, first, second, 40, seed)
    assert found["replicates"] == len(wanted)
    assert found["speakers"] == len({*first, *second})
    eer, _ = metrics.equal_error_rate(metrics.error_rates(scores, targets))
    if found["reason"]:
        few = len(wanted) < 20 or found["speakers"] < 5
        assert few or eer in (0, 1) or np.ptp(np.quantile(wanted, [0.025, 0.975])) < 1e-12
        assert (found["low"], found["high"]) == (None, None)
        assert found["upper_bound"] is None or eer == 0
    else:
        low, high = np.quantile(wanted, [0.025, 0.975])
        assert (found["low"], found["high"]) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))


def test_neither_rows_nor_names_nor_blocks_matter(monkeypatch):
    scores, targets, first, second = simulate(np.random.default_rng(1), 25)
    scores = np.round(scores, 1)  # ties
    wanted = eer_interval(scores, targets, first, second, 100)
    order = np.random.default_rng(2).permutation(len(scores))
    assert eer_interval(scores[order], targets[order], first[order], second[order], 100) == wanted
    assert eer_interval(scores, targets, second, first, 100) == wanted
    names = np.array([f"id{speaker:05}" for speaker in range(25)])
    assert eer_interval(scores, targets, names[first], names[second], 100) == wanted
    assert eer_interval(scores, targets, first, second, 100, seed=1) != wanted
    for block in (1, 1000, 10**9):
        monkeypatch.setattr(resampling, "BLOCK", block)
        assert eer_interval(scores, targets, first, second, 100) == wanted


@pytest.mark.parametrize(("order", "eer"), [(1, 0.0), (-1, 1.0)], ids=["perfect", "reversed"])
def test_separated_scores(order, eer):
    _, targets, first, second = simulate(np.random.default_rng(1), 10)
    scores = order * (targets + 0.0)
    assert metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] == eer
    found = eer_interval(scores, targets, first, second, 50)
    assert (found["low"], found["high"]) == (None, None)
    what = "all targets score below all nontargets" if eer else "no trial is wrong"
    assert found["reason"] == f"{what} in any draw of the 10 speakers"
    assert (found["upper_bound"] is None) == (eer == 1)
    assert (found["level"], found["speakers"], found["replicates"]) == (0.95, 10, 50)


def test_the_interval_holds_the_estimate_and_narrows_with_speakers():
    widths = []
    for speakers in (25, 100, 400):
        scores, targets, first, second = simulate(np.random.default_rng(4), speakers)
        eer, _ = metrics.equal_error_rate(metrics.error_rates(scores, targets))
        found = eer_interval(scores, targets, first, second, 500)
        assert found["low"] < eer < found["high"]
        widths.append(found["high"] - found["low"])
    assert widths[0] > 1.4 * widths[1] > 1.4**2 * widths[2]


def test_copies_of_trials_bring_no_certainty():
    """Ten times as many trials of the same speakers that say the same: no narrower, unlike with trials resampled."""
    trials = simulate(np.random.default_rng(5), 40)
    once, often = (eer_interval(*(np.tile(part, times) for part in trials)) for times in (1, 10))
    assert once == often


def test_too_few_speakers():
    one = eer_interval([0.1, 0.9, 0.5], [False, True, True], ["a"] * 3, ["a"] * 3, 50)
    assert one["low"] is None
    assert one["reason"] == "too few speakers (1): most draws of them have no targets or no nontargets"
    # Of two speakers both are drawn in half of the draws: nontargets are missing from the others.
    two = eer_interval([0.1, 0.9, 0.5], [False, True, True], ["a", "a", "b"], ["b", "a", "b"], 1000)
    assert 400 < two["replicates"] < 600
    assert two["low"] is None
    with pytest.raises(InputError, match=r"3 trials, too few speakers \(1\).*needs a trial list of 5 or more"):
        paired_eer_difference([0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [False, True, True], ["a"] * 3, ["a"] * 3, 50)


@pytest.mark.parametrize("speakers", [2, 3, 4, 5])
def test_fewer_than_five_speakers_have_no_interval(speakers):
    trials = simulate(np.random.default_rng(3), speakers, trials=40)
    found = eer_interval(*trials, 400)
    scores, targets, first, second = trials
    if speakers < 5:
        assert found["reason"].startswith(f"too few speakers ({speakers}): ")
        assert (found["low"], found["high"], found["upper_bound"]) == (None, None, None)
        with pytest.raises(InputError, match=rf"too few speakers \({speakers}\)"):
            paired_eer_difference(scores, -scores, targets, first, second, 400)
    else:
        assert found["reason"] is None
        assert found["low"] < found["high"]


def test_a_width_of_zero_is_no_interval():
    """Each of six speakers misses one of two, so every draw has the same EER."""
    first = np.repeat(np.arange(6), 4)
    targets = np.tile([True, True, False, False], 6)
    second = np.where(targets, first, (first + 1) % 6)
    scores = np.tile([2.0, 0.0, 1.0, -1.0], 6)
    found = eer_interval(scores, targets, first, second, 200)
    assert metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] > 0
    assert found["reason"] == "every draw of speakers has the same EER"
    assert (found["low"], found["high"], found["upper_bound"]) == (None, None, None)


# The upper bound where there are no errors


def separated(speakers, targets_each=3):
    first = np.repeat(np.arange(speakers), 2 * targets_each)
    targets = np.tile(np.arange(2 * targets_each) < targets_each, speakers)
    return targets, first, np.where(targets, first, (first + 1) % speakers)


@pytest.mark.parametrize(("speakers", "bound"), [(6, 0.637), (10, 0.456), (40, 0.141), (400, 0.0151)])
def test_the_upper_bound_is_a_rule_of_three_over_speakers(speakers, bound):
    targets, first, second = separated(speakers)
    found = bootstrap.upper_bound(targets, first, second)
    assert found == pytest.approx(bound, rel=1e-2)
    assert (1 - found) ** speakers + (1 - found) ** (speakers // 2) == pytest.approx(0.05)
    names = np.array([f"id{speaker:04}" for speaker in range(speakers)])
    assert bootstrap.upper_bound(targets, names[first], names[second]) == found
    more = [np.tile(part, 50) for part in (targets, first, second)]
    assert bootstrap.upper_bound(*more) == found  # trials of the same speakers bring no certainty


def test_trials_without_pairs_of_speakers_bound_nothing():
    assert bootstrap.upper_bound([True, False], ["a", "b"], ["a", "b"]) is None
    assert bootstrap.upper_bound([True, False], ["a", "a"], ["b", "b"]) is None


@pytest.mark.parametrize(("speakers", "trials"), [(6, 1), (10, 4), (20, 10)])
def test_the_upper_bound_holds(speakers, trials):
    """Samples without an error from populations with every true EER: more than 5 % of them are below the bound.

    The worst case: errors come in whole speakers and whole pairs, and the threshold is the one of the true EER or any
    other that separates the sample.
    """
    targets, first, second = separated(speakers, trials)
    bound = bootstrap.upper_bound(targets, first, second)
    random = np.random.default_rng(0)
    for eer in (bound, 1.2 * bound):
        samples = 4000
        # Scores around the threshold 0 of the true EER: all targets of a bad speaker below it, all trials of a bad pair
        # above it. How far beyond is random, so that other thresholds may separate them.
        bad_speaker = random.random((samples, speakers)) < eer
        bad_pair = random.random((samples, speakers)) < eer  # neighbours, of which every other is disjoint
        size = random.random((samples, 2, speakers)) + 0.01
        lowest = np.where(bad_speaker, -1, 1) * size[:, 0]
        highest = np.where(bad_pair, 1, -1) * size[:, 1]
        perfect = lowest.min(axis=1) > highest.max(axis=1)
        assert perfect.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / samples)
    # And it is not idle: populations far better than the bound are often seen without an error.
    assert (1 - bound / 20) ** (2 * speakers) > 0.3


# Coverage. With the truth in 95 % of intervals, fewer than 90 % of 200 would be seen once in 800 choices of seeds.


def coverage(speakers, sets, replicates):
    held = 0
    for seed in range(sets):
        scores, targets, first, second = simulate(np.random.default_rng([speakers, seed]), speakers)
        found = eer_interval(scores, targets, first, second, replicates, seed)
        held += found["low"] <= TRUTH <= found["high"]
    return held / sets


def test_intervals_of_100_speakers_hold_the_truth():
    assert coverage(100, sets=200, replicates=200) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("speakers", [40, 100, 300])
def test_intervals_hold_the_truth(speakers):
    """The table of docs/metrics.md, with more sets; run with -s to see it."""
    share = coverage(speakers, sets=1000, replicates=400)
    print(f"\n{speakers} speakers: {100 * share:.1f} %")
    assert share >= 0.9


# Paired


def test_the_difference_is_b_less_a_and_its_interval_is_narrow():
    scores, targets, first, second = simulate(np.random.default_rng(6), 100)
    noisy = scores + np.random.default_rng(7).normal(size=len(scores))
    difference, low, high = paired_eer_difference(scores, noisy, targets, first, second, 400, 0)
    eers = [metrics.equal_error_rate(metrics.error_rates(s, targets))[0] for s in (scores, noisy)]
    assert difference == eers[1] - eers[0] > 0
    assert 0 < low < difference < high
    back, low_back, high_back = paired_eer_difference(noisy, scores, targets, first, second, 400, 0)
    assert (back, low_back, high_back) == pytest.approx((-difference, -high, -low), abs=1e-12)
    # As between engines: a change in the last digits moves nothing that the unpaired interval could see.
    close = scores + 1e-3 * np.random.default_rng(8).normal(size=len(scores))
    difference, low, high = paired_eer_difference(scores, close, targets, first, second, 400, 0)
    alone = eer_interval(scores, targets, first, second, 400)
    assert low <= difference <= high
    assert high - low < 0.1 * (alone["high"] - alone["low"])


def test_equal_scores_do_not_differ():
    scores, targets, first, second = simulate(np.random.default_rng(6), 20)
    assert paired_eer_difference(scores, scores, targets, first, second, 50, 0) == (0, 0, 0)
    assert paired_eer_difference(scores, 3 * scores + 1, targets, first, second, 50, 0) == (0, 0, 0)


def test_a_paired_width_of_zero_is_no_certainty_where_decisions_differ():
    first = np.repeat(np.arange(6), 4)
    targets = np.tile([True, True, False, False], 6)
    second = np.where(targets, first, (first + 1) % 6)
    scores = np.tile([2.0, 0.0, 1.0, -1.0], 6)
    other = np.tile([0.0, 2.0, 1.0, -1.0], 6)  # the other target is missed
    with pytest.raises(InputError, match="all draws of speakers have the same difference"):
        paired_eer_difference(scores, other, targets, first, second, 100)
    assert paired_eer_difference(scores, 2 * scores, targets, first, second, 100) == (0, 0, 0)


def test_paired_intervals_hold_the_true_difference():
    """Scores b are scores a with more noise, so their true EER is known, too."""
    noise = 0.8
    spreads = math.hypot(1, TARGET_SPREAD, noise) + math.sqrt(1 + 2 * NONTARGET_SPREAD**2 + noise**2)
    truth = 0.5 * math.erfc(MEAN / spreads / math.sqrt(2)) - TRUTH
    held = 0
    for seed in range(100):
        random = np.random.default_rng([9, seed])
        scores, targets, first, second = simulate(random, 100)
        noisy = scores + noise * random.normal(size=len(scores))
        _, low, high = paired_eer_difference(scores, noisy, targets, first, second, 200, seed)
        held += low <= truth <= high
    assert held >= 90
