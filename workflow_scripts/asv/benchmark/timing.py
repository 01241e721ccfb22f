"""Timing an engine's session: warm-up until stable, then runs of at least so many seconds and batches.

The method follows MLPerf inference: performance apart from accuracy, inputs held in memory, a run that ends only when
both minima are met, and percentiles only where the number of timed batches supports them.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine_interface import InFlightSession, Session
from ..progress import progress

if TYPE_CHECKING:
    import numpy.typing as npt

    Batch = npt.NDArray[np.float32]
    TimedRun = tuple[float, list[float]]  # wall seconds, and the seconds of each batch

WARM_UP_BATCHES = 10
WARM_UP_SECONDS = 0.5
LONGEST_WARM_UP = 10.0  # seconds; an engine that is not stable by then never will be
STABLE = 0.1  # relative change between the medians of the last two windows of batches
WINDOW = 5  # batches
# Timed batches from which a percentile can be given with 99 % confidence (MLPerf inference rules, early stopping with
# one outlier): percentile to minimum count.
SUPPORT = {50: 11, 90: 64, 99: 662}


def batches_of_noise(shape: Sequence[int], batch_size: int, rows: int = 256) -> list[Batch]:
    """Contiguous float32 batches ``(batch_size, mels, frames)`` of at least ``rows`` rows of seeded normal noise.

    What the values are changes no operation of a network; and with a benchmark input of its own no measurement is
    repeated because a recording has changed.
    """
    count, draw = math.ceil(max(rows, batch_size) / batch_size), np.random.default_rng(0)
    return [draw.standard_normal((batch_size, *shape), np.float32) for _ in range(count)]


def _batch_seconds(run: Callable[[Batch], Any], batches: Sequence[Batch]) -> Iterator[float]:
    """Run batches for ever; yields the seconds of each."""
    if not batches:
        raise ValueError("no batch to run")
    for batch in cycle(batches):
        before = time.perf_counter()
        run(batch)
        yield time.perf_counter() - before


def warm_up(run: Callable[[Batch], Any], batches: Sequence[Batch]) -> tuple[int, float, bool]:
    """Run batches until their times are stable; returns ``(batches run, seconds, whether stable)``."""
    times: list[float] = []
    stable, seconds, started = False, 0.0, time.perf_counter()
    for latest in _batch_seconds(run, batches):
        times.append(latest)
        seconds = time.perf_counter() - started
        if len(times) >= max(WARM_UP_BATCHES, 2 * WINDOW) and seconds >= WARM_UP_SECONDS:
            earlier, last = median(times[-2 * WINDOW : -WINDOW]), median(times[-WINDOW:])
            stable = abs(last - earlier) <= STABLE * earlier
        if stable or seconds >= LONGEST_WARM_UP:
            break
    return len(times), seconds, stable


def timed_run(run: Callable[[Batch], Any], batches: Sequence[Batch], seconds: float, count: int) -> TimedRun:
    """Run batches until ``seconds`` and ``count`` are reached; returns ``(wall seconds, seconds of each batch)``."""
    times: list[float] = []
    wall, started = 0.0, time.perf_counter()
    for latest in _batch_seconds(run, batches):
        times.append(latest)
        wall = time.perf_counter() - started
        if wall >= seconds and len(times) >= count:
            break
    return wall, times


def percentile(times: Sequence[float], percent: int) -> float | None:
    """Percentile of times, or None where there are too few of them."""
    return float(np.percentile(times, percent)) if len(times) >= SUPPORT[percent] else None


def summary(runs: Sequence[TimedRun], batch_size: int) -> dict[str, Any]:
    """Throughput and latency of repeated runs.

    Args:
        runs: list of ``(wall seconds, seconds of each batch)``.
        batch_size: utterances (crops) per batch.

    Returns:
        dict: throughputs in crops per second, the median over runs and each; latencies of a batch in milliseconds, over
        all runs; ``batches`` timed. Percentiles without support are None.
    """
    wall = [len(times) * batch_size / seconds for seconds, times in runs]
    engine = [len(times) * batch_size / sum(times) for _, times in runs]
    times = [1e3 * value for _, run in runs for value in run]
    return {
        "throughput": median(wall),
        "throughput_runs": wall,
        "engine_throughput": median(engine),
        "latency_mean_ms": float(np.mean(times)),
        **{f"latency_p{percent}_ms": percentile(times, percent) for percent in SUPPORT},
        "batches": len(times),
    }


def part_means(parts: Sequence[dict[str, float]]) -> dict[str, float | None]:
    """Mean milliseconds of a batch's parts, from dictionaries of seconds.

    The parts are the copy ``to_device``, ``compute``, and the copy ``from_device``. An engine without a device of its
    own has none: then all are None.
    """
    names = ("to_device", "compute", "from_device")
    told = [part for part in parts if part]
    return {f"{name}_ms": 1e3 * float(np.mean([part[name] for part in told])) if told else None for name in names}


def measure_one_by_one(
    session: Session,
    batches: Sequence[Batch],
    *,
    seconds: float,
    count: int,
    runs: int,
    around: contextlib.AbstractContextManager[Any],
) -> dict[str, Any]:
    """Measure one batch after another, as an application that waits for each answer.

    Args:
        session: of an engine, loaded for this batch size.
        batches: float32 ``(batch_size, mels, frames)`` each, run in turn.
        seconds, count: minimum duration and number of batches of a run.
        runs: how often that is repeated after the warm-up.
        around: entered for each timed run, such as :class:`asv.cpus.Throttling`.

    Returns:
        What :func:`summary` and :func:`part_means` tell, and ``warm_up``.
    """
    warm_up_count, warm_up_seconds, stable = warm_up(session.run, batches)
    parts: list[dict[str, float]] = []  # of each batch, where the session tells

    def run(batch: Batch) -> None:
        session.run(batch)
        parts.append(getattr(session, "seconds", {}))

    timed = []
    for _ in progress(range(runs), "benchmark", "run"):
        with around:
            timed.append(timed_run(run, batches, seconds, count))
    warmed = {"batches": warm_up_count, "seconds": warm_up_seconds, "stable": stable}
    return {**summary(timed, len(batches[0])), **part_means(parts), "warm_up": warmed}


def measure_in_flight(
    session: InFlightSession,
    batches: Sequence[Batch],
    *,
    seconds: float,
    count: int,
    runs: int,
    latency: float,
    around: contextlib.AbstractContextManager[Any],
) -> dict[str, Any]:
    """Measure several requests in flight; arguments as :func:`measure_one_by_one`.

    ``latency``, the seconds of one batch alone, tells how many batches last at least ``seconds``.

    Returns:
        dict: ``throughput`` in crops per second, the median over ``throughput_runs``; ``in_flight`` requests.
    """
    number = max(count, 2 * session.in_flight, int(seconds / latency))
    chosen = [batches[index % len(batches)] for index in range(number)]
    session.run_all(chosen[: 2 * session.in_flight])
    rates = []
    for _ in range(runs):
        with around:
            started = time.perf_counter()
            session.run_all(chosen)
            rates.append(number * len(batches[0]) / (time.perf_counter() - started))
    return {"throughput": float(np.median(rates)), "throughput_runs": rates, "in_flight": session.in_flight}


class Bystanders:
    """How busy the machine was with other things: CPU seconds of all processes but this one, in cores."""

    def __init__(self) -> None:
        self._start = self._reading()

    @staticmethod
    def _reading() -> tuple[float, float] | None:
        try:
            with open("/proc/stat") as stream:
                busy = [int(value) for value in stream.readline().split()[1:9]]
        except OSError:  # not Linux
            return None
        idle = busy[3] + busy[4]
        own = time.process_time()
        return (sum(busy) - idle) / 100 - own, time.monotonic()  # /proc/stat counts in hundredths of a second

    def cores(self) -> float | None:
        """Cores that others kept busy on average since the start, or None where the system does not tell."""
        now_read = self._reading()
        if self._start is None or now_read is None:
            return None
        (busy, now), (before, then) = now_read, self._start
        return max(0.0, (busy - before) / (now - then))
