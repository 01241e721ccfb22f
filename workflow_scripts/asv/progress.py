"""How far a long loop is: a bar on a terminal, now and then a line elsewhere (log files, pipes)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

SILENCE = 30.0  # seconds, at least, before the first line and between lines: short loops say nothing
STEPS = 10  # a line at most for each tenth, where the end is known


def progress(iterable: Iterable[T], description: str, unit: str, total: int | None = None) -> Iterable[T]:
    """Iterate and tell how far it is, on stderr.

    Args:
        iterable: what to iterate over.
        description: what is being done.
        unit: what an item is called.
        total: number of items, where ``iterable`` has no length; None if nobody knows.
    """
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ImportError:  # the NPU interpreter need not have it
            pass
        else:
            return tqdm(iterable, desc=description, unit=unit, total=total)
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    return logged(iterable, description, unit, total)


def logged(
    iterable: Iterable[T],
    description: str,
    unit: str,
    total: int | None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Iterate; after an item a line, if SILENCE has passed since the last one and another tenth is done."""
    started = last = clock()
    step = max(1, (total or 0) // STEPS)
    due = step
    for done, item in enumerate(iterable, 1):
        yield item
        if done < due:
            continue
        due = done - done % step + step
        if done != total and (now := clock()) - last >= SILENCE:
            last = now
            print(line(description, unit, done, total, now - started), file=sys.stderr, flush=True)


def line(description: str, unit: str, done: int, total: int | None, seconds: float) -> str:
    """Such as ``features: 300 of 1000 utt, 30 %, 2 min; about 5 min left``."""
    if not total:
        return f"{description}: {done} {unit}, {_minutes(seconds)}"
    left = seconds * (total - done) / done
    share = f"{100 * done // total} %"
    return f"{description}: {done} of {total} {unit}, {share}, {_minutes(seconds)}; about {_minutes(left)} left"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
