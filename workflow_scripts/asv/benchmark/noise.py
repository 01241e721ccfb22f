"""Noise of a measured row: what is said of it, and which differences between rows it does not tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .row import Row

# What is said from here on: cores that other processes kept busy (Snakemake itself, between short measurements, took
# up to 0.28 in a table of 30 rows on an idle machine), and half of the range of the runs as a part of their median.
BUSY_CORES, SPREAD = 0.3, 0.1


def spread(row: Row) -> float:
    """Half of the range of the timed runs, as a part of their median."""
    return (row["throughput_high"] - row["throughput_low"]) / (2 * row["throughput"])


def reasons(row: Row) -> list[str]:
    """Why a row's speed is to be measured again, in words; an empty list where nothing disturbed it."""
    found = []
    if spread(row) > SPREAD:
        found.append(f"noisy: its runs differ by ±{spread(row):.0%}")
    if (row["bystander_cores"] or 0.0) > BUSY_CORES:
        found.append(f"noisy: other processes kept {row['bystander_cores']:.2f} of {row['cores']} cores busy")
    if not row["warm"]:
        found.append("noisy: batch times did not settle before the runs")
    return found


Bounds = tuple[float, float, float]  # a median, the lowest that it may be and the highest


def rates(row: Row) -> Bounds:
    """Throughput of a row that was measured, one batch after another, in crops per second.

    From the lowest to the highest run. Where other processes kept cores busy, the highest is what it might have been
    without them, in proportion to the cores that they left.

    """
    found = _rates(row, "")
    assert found is not None
    return found


def rates_in_flight(row: Row) -> Bounds | None:
    """The same of several batches in flight; None where that was not measured."""
    return _rates(row, "async_")


def _rates(row: Row, prefix: str) -> Bounds | None:
    cells: Mapping[str, Any] = row
    median = cells.get(f"{prefix}throughput")
    if median is None:
        return None
    low, high = (cells.get(f"{prefix}throughput_{end}") for end in ("low", "high"))
    busy = cells.get("bystander_cores") or 0.0
    share = 1.0 if busy <= BUSY_CORES else max(1 - busy / cells["cores"], 0.1)  # of the machine that was left
    return median, median if low is None else low, (median if high is None else high) / share


def latencies(row: Row) -> Bounds:
    """Mean latency of a batch, in milliseconds, as :func:`rates`."""
    milliseconds = [1e3 * row["batch_size"] / rate for rate in rates(row)]
    return row["latency_mean_ms"], milliseconds[2], milliseconds[1]


def ahead(one: Bounds, other: Bounds, more: bool = True) -> bool:
    """Whether one is better than the other beyond noise; ``more``: where more is better.

    >>> ahead((10.0, 9.5, 11.0), (9.0, 8.0, 9.4)), ahead((10.0, 9.5, 11.0), (9.0, 8.0, 9.6))
    (True, False)
    """
    return one[1] > other[2] if more else one[2] < other[1]
