"""The driver of the fuzzers finds what it is there to find."""

import re
import time
from pathlib import Path

import pytest
from fuzz import driver

from asv.errors import InputError


def make_input(dice):
    return dice.randbytes(8)


def test_inputs_are_counted_by_what_became_of_them():
    def check(content, folder):
        (folder / "input").write_bytes(content)
        if content[0] % 2:
            raise InputError("odd")

    found = driver.fuzz("test", make_input, check, count=100)
    assert found["inputs"] == found["read"] + found["refused"] == 100
    assert min(found["read"], found["refused"]) > 20
    assert driver.fuzz("test", make_input, check, seconds=0.1)["inputs"]


def crash(content, folder):
    raise KeyError("x")


def swallow_time(content, folder):
    """As a reader that takes whatever happens for damage."""
    try:
        time.sleep(60)
    except Exception as error:
        raise InputError("damaged") from error


def compute(content, folder):
    while True:
        pass


def write_elsewhere(content, folder):
    (folder / ".." / "other").write_bytes(content)


def allocate(content, folder):
    bytearray(b"x") * (driver.MEMORY + (256 << 20))


@pytest.mark.parametrize(
    ("check", "words", "wait"),
    [
        (crash, "KeyError", 600),
        (swallow_time, "more than 2 s", 2),
        (compute, "more than 1 s", 600),
        (write_elsewhere, "outside", 600),
        (allocate, "grew by", 600),
    ],
)
def test_each_promise_that_is_broken_is_a_failure(monkeypatch, check, words, wait):
    monkeypatch.setattr(driver, "SECONDS", 1)
    monkeypatch.setattr(driver, "WAIT", wait)  # by the clock, which a busy machine may use up for others
    monkeypatch.setattr(driver, "MEMORY", 32 << 20)
    with pytest.raises(driver.FuzzError, match=words) as caught:
        driver.fuzz("test", make_input, check, count=3, seed=7)
    kept = Path(re.search(r"kept in (\S+):", str(caught.value))[1])
    assert len(kept.read_bytes()) == 8
    kept.unlink()
