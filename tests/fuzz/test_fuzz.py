"""The driver of the fuzzers finds what it is there to find."""

import re
import subprocess
import sys
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


# Checks that break a promise, to words of what is reported, and seconds by the clock, which a busy machine may use up.
BROKEN = {
    "crash": (crash, "KeyError", 600),
    "swallow_time": (swallow_time, "more than 2 s", 2),
    "compute": (compute, "more than 1 s", 600),
    "write_elsewhere": (write_elsewhere, "outside", 600),
    "allocate": (allocate, "grew by", 600),
}


def break_promise(name):
    """Run in a process of its own: what else a process does counts as an input's time and memory."""
    check, _, driver.WAIT = BROKEN[name]
    driver.SECONDS, driver.MEMORY = 1, 32 << 20
    driver.fuzz("test", make_input, check, count=3, seed=7)


@pytest.mark.parametrize("name", BROKEN)
def test_each_promise_that_is_broken_is_a_failure(name):
    program = f"import sys; sys.path[:0] = {sys.path}; from fuzz import test_fuzz; test_fuzz.break_promise({name!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    last = done.stderr[done.stderr.rindex("FuzzError") :]
    assert done.returncode == 1
    assert BROKEN[name][1] in last
    kept = Path(re.search(r"kept in (\S+):", last)[1])
    assert len(kept.read_bytes()) == 8
    kept.unlink()
