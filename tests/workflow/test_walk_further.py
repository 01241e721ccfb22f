"""The other 80 steps of the random walk: in a file of their own, so that a second worker can take them."""

import pytest
from walk.walk import Walk

pytestmark = pytest.mark.slow
STEPS = 40


@pytest.mark.parametrize("seed", [4, 5])
def test_no_wrong_answer(tmp_path, seed):
    walk = Walk(tmp_path, seed)
    walk.run(STEPS)
    assert walk.successes > STEPS / 2
