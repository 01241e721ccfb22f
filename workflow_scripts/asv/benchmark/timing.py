"""Timing an engine's session: warm-up until stable, then runs of at least so many seconds and batches.

The method follows MLPerf inference: performance apart from accuracy, real inputs held in memory, a run that ends only
when both minima are met, and percentiles only where the number of timed batches supports them.
"""

from __future__ import annotations

import math
import time
from itertools import cycle
from statistics import median

import numpy as np

WARM_UP_BATCHES = 10
WARM_UP_SECONDS = 1.0
LONGEST_WARM_UP = 10.0  # seconds; an engine that is not stable by then never will be
STABLE = 0.1  # relative change between the medians of the last two windows of batches
WINDOW = 5  # batches
# Timed batches from which a percentile can be told with 99 % confidence (MLPerf inference rules, early stopping with
# one outlier): percentile to least count.
SUPPORT = {50: 11, 90: 64, 99: 662}


def batches_in_memory(features, batch_size, rows=256):
    """Contiguous float32 batches ``(batch_size, mels, frames)`` of at least ``rows`` rows; few are repeated."""
    count = math.ceil(max(rows, batch_size) / batch_size)
    index = np.arange(count * batch_size) % len(features)
    return list(np.ascontiguousarray(features[index]).reshape(count, batch_size, *features.shape[1:]))


def _batch_seconds(run, batches):
    """Run batches for ever; yields the seconds of each."""
    if not batches:
        raise ValueError("no batch to run")
    for batch in cycle(batches):
        before = time.perf_counter()
        run(batch)
        yield time.perf_counter() - before


def warm_up(run, batches):
    """Run batches until their times are stable; returns ``(batches run, seconds, whether stable)``."""
    times, stable, seconds, started = [], False, 0.0, time.perf_counter()
    for latest in _batch_seconds(run, batches):
        times.append(latest)
        seconds = time.perf_counter() - started
        if len(times) >= max(WARM_UP_BATCHES, 2 * WINDOW) and seconds >= WARM_UP_SECONDS:
            earlier, last = median(times[-2 * WINDOW : -WINDOW]), median(times[-WINDOW:])
            stable = abs(last - earlier) <= STABLE * earlier
        if stable or seconds >= LONGEST_WARM_UP:
            break
    return len(times), seconds, stable


def timed_run(run, batches, seconds, count):
    """Run batches until ``seconds`` and ``count`` are reached; returns ``(wall seconds, seconds of each batch)``."""
    times, wall, started = [], 0.0, time.perf_counter()
    for latest in _batch_seconds(run, batches):
        times.append(latest)
        wall = time.perf_counter() - started
        if wall >= seconds and len(times) >= count:
            break
    return wall, times


def percentile(times, percent):
    """Percentile of times, or None where there are too few of them."""
    return float(np.percentile(times, percent)) if len(times) >= SUPPORT[percent] else None


def summary(runs, batch_size):
    """Throughput and latency of repeated runs.

    Args:
        runs: list of ``(wall seconds, seconds of each batch)``.
        batch_size: utterances (crops) of a batch.

    Returns:
        dict: throughputs in crops a second, the median over runs and each; latencies of a batch in milliseconds, over
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


def part_means(parts):
    """Mean milliseconds of a batch's parts, from dictionaries of seconds.

    The parts are the copy ``to_device``, ``compute``, and the copy ``from_device``. An engine without a device of its
    own has none: then all are None.
    """
    names = ("to_device", "compute", "from_device")
    told = [part for part in parts if part]
    return {f"{name}_ms": 1e3 * float(np.mean([part[name] for part in told])) if told else None for name in names}


class Bystanders:
    """How busy the machine was with other things: CPU seconds of all processes but this one, in cores."""

    def __init__(self):
        self._start = self._reading()

    @staticmethod
    def _reading():
        try:
            with open("/proc/stat") as stream:
                busy = [int(value) for value in stream.readline().split()[1:9]]
        except OSError:  # not Linux
            return None
        idle = busy[3] + busy[4]
        own = time.process_time()
        return (sum(busy) - idle) / 100 - own, time.monotonic()  # /proc/stat counts in hundredths of a second

    def cores(self):
        """Cores that others kept busy on average since the start, or None where the system does not tell."""
        if self._start is None:
            return None
        (busy, now), (before, then) = self._reading(), self._start
        return max(0.0, (busy - before) / (now - then))
