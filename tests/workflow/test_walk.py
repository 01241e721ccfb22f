"""The random walk finds no wrong answer."""

import pytest
from walk.walk import Walk

pytestmark = pytest.mark.slow
SEEDS = (1, 2, 3, 4, 5)
STEPS = 40  # of each seed, four to eight seconds each; more by hand, see docs/robustness.md


@pytest.mark.parametrize("seed", SEEDS)
def test_no_wrong_answer(tmp_path, seed):
    walk = Walk(tmp_path, seed)
    walk.run(STEPS)
    assert walk.successes > STEPS / 2
