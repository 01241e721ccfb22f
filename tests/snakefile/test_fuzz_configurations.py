"""Configurations of any content: accepted or refused in words. By hand and for longer: tests/fuzz/configurations.py."""

from fuzz import driver
from fuzz.configurations import check, make_input


def test_configurations_are_accepted_or_refused():
    found = driver.fuzz("configurations", make_input, check, count=600)
    assert found["read"] > 80
    assert found["refused"] > 200
