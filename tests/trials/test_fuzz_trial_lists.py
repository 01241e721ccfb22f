"""Trial lists and cohorts of any bytes: read or refused. By hand and for longer: tests/fuzz/trial_lists.py."""

from fuzz import driver
from fuzz.trial_lists import check, make_input


def test_readers_of_lists_hold():
    found = driver.fuzz("trial_lists", make_input, check, count=2000)
    assert found["read"] > 300
    assert found["refused"] > 300
