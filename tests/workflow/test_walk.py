"""The random walk finds no wrong answer; 120 of its 200 steps, the others are in test_walk_further.py."""

import pytest
from walk.walk import Walk

pytestmark = pytest.mark.slow
STEPS = 40  # of each random seed, some eight seconds each; more by hand, see docs/robustness.md


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_wrong_answer(tmp_path, seed):
    walk = Walk(tmp_path, seed)
    walk.run(STEPS)
    assert walk.successes > STEPS / 2
