"""The simulation of the gate, in small: docs/metrics.md has the whole table, by measurements/gate_decisions.py."""

import importlib

import numpy as np
import pytest
from support.paths import REPO

from asv.scoring import gate, metrics


@pytest.fixture(scope="module")
def program():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPO / "measurements"))
        return importlib.import_module("gate_decisions")


@pytest.mark.parametrize("increase", [0, 0.02])
def test_the_true_rates_of_simulated_trials_are_known(program, increase):
    reference, ours, targets, *_ = program.simulate(np.random.default_rng(0), 10_000, 20, 0.1, increase)
    eers = [metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] for scores in (reference, ours)]
    assert eers[0] == pytest.approx(program.TRUTH, abs=0.003)
    assert eers[1] - eers[0] == pytest.approx(increase, abs=0.002)


def test_what_is_worse_by_the_limit_does_not_pass_and_what_is_equal_does_not_fail(program):
    """With a PASS in 2.5 % of sets, 3 of 20 would be seen once in 70 choices of seeds."""
    equal, worse = (program.decisions(100, 0.02, increase, 20, 10, 100) for increase in (0, program.LIMIT))
    assert equal[gate.FAIL] == 0
    assert equal[gate.PASS] > 0
    assert worse[gate.PASS] <= 2


def test_what_is_much_worse_fails(program):
    assert program.decisions(100, 0.02, 10 * program.LIMIT, 10, 10, 100) == {gate.FAIL: 10}
