"""What all fuzzers share: random inputs against a reader, each with bounds on time, memory and what is written.

A fuzzer is a module beside this one with ``make_input(random) -> bytes`` and ``check(content, folder)``. ``check``
reads the bytes as the product does, in the empty ``folder`` given to it, and returns or raises ``InputError``; whatever
else it raises is a failure. Its default test calls :func:`fuzz` with a count; :func:`main` is its command line, for
hours. Both import it as ``from fuzz import driver``.
"""

from __future__ import annotations

import argparse
import gc
import random
import shutil
import signal
import tempfile
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

from asv.errors import InputError

SECONDS = 20  # of the processor, allowed for one input
WAIT = 600  # seconds by the clock: a busy machine is no fault of an input
MEMORY = 1 << 30  # bytes that the process may grow by over the whole run


class FuzzError(AssertionError):
    """An input that broke the promise; the message says which, and how to make it again."""


class _OvertimeError(BaseException):
    """Not an ``Exception``, which a reader may take for damage in its input."""


@contextmanager
def _time_limit():
    def stop(signum, frame):
        raise _OvertimeError(f"took more than {SECONDS if signum == signal.SIGPROF else WAIT} s")

    before = {number: signal.signal(number, stop) for number in (signal.SIGALRM, signal.SIGPROF)}
    signal.alarm(WAIT)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_peak():
    Path("/proc/self/clear_refs").write_text("5")  # the peak becomes what is in use now


def _peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def _names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def fuzz(name, make_input, check, *, seconds=None, count=None, seed=0):
    """Check inputs for so many seconds, or so many inputs; input number n of a seed is always the same.

    Returns:
        Counts: ``inputs``, ``read`` (no error), ``refused`` (an ``InputError``), and ``slowest`` in seconds.

    Raises:
        FuzzError: at the first input that raises anything else, takes too long, takes too much memory or writes outside
            its folder. The input is kept in a file, which the message names.
    """
    last = count if count is not None else float("inf")
    if seconds is None and count is None:
        raise ValueError("seconds or count is needed")
    found = {"inputs": 0, "read": 0, "refused": 0, "slowest": 0.0}
    gc.collect()  # what is freed later would hide as much that is taken
    _forget_peak()
    peak = _peak()
    ends = time.monotonic() + seconds if seconds is not None else float("inf")
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as around:
        while found["inputs"] < last and time.monotonic() < ends:
            content = make_input(random.Random(f"{seed}/{found['inputs']}"))
            folder = Path(around) / "a" / "b" / "input"  # so that what climbs out of it is seen
            folder.mkdir(parents=True)
            began = time.monotonic()
            try:
                with _time_limit():
                    outcome = _outcome(check, content, folder)
                if _names(Path(around)) - {"a", "a/b", "a/b/input"} != {f"a/b/input/{n}" for n in _names(folder)}:
                    raise AssertionError("something was written outside the input's folder")
                if _peak() - peak > MEMORY:
                    raise MemoryError(f"grew by {(_peak() - peak) >> 20} MB")
            except (Exception, _OvertimeError) as error:
                raise FuzzError(_report(name, seed, found["inputs"], content, error)) from error
            found["inputs"] += 1
            found[outcome] += 1
            found["slowest"] = max(found["slowest"], time.monotonic() - began)
            shutil.rmtree(Path(around) / "a")
    return found


def _outcome(check, content, folder):
    try:
        check(content, folder)
    except InputError:
        return "refused"
    return "read"


def _report(name, seed, number, content, error):
    kept = Path(tempfile.gettempdir()) / f"fuzz-{name}-{seed}-{number}.bin"
    kept.write_bytes(content)
    where = "".join(traceback.format_exception(error)[-3:])
    return f"{name}: seed {seed}, input {number}, {len(content)} bytes kept in {kept}: {error!r}\n{where}"


def main(name, make_input, check):
    """Command line of a fuzzer."""
    parser = argparse.ArgumentParser(description=f"Fuzz {name}.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default="0", help="another seed gives other inputs")
    options = parser.parse_args()
    began = time.monotonic()
    found = fuzz(name, make_input, check, seconds=options.seconds, seed=options.seed)
    print(f"{name}, seed {options.seed}, {time.monotonic() - began:.0f} s: {found}")
