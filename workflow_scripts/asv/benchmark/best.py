"""Which rows of the benchmark's table are the best, and what is said of them in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..scoring import gate
from .row import Row
from .table import increase


def passes(row: Row) -> bool:
    """Whether a row may be the best: what is measured, is no stand-in, and passes the gate or is the reference."""
    return row["status"] == "ok" and row["gate"] in (gate.PASS, "reference") and not row["stand_in"]


def undecided(row: Row) -> bool:
    """Whether a row might be the best if more speakers were heard."""
    return row["status"] == "ok" and row["gate"] == gate.UNDECIDED and not row["stand_in"]


def mark_best(rows: Iterable[Row]) -> None:
    """Mark, among the rows that pass the gate, the one of highest throughput and the one of lowest latency, in place.

    A stand-in for an engine is never the best.
    """
    passing = list(filter(passes, rows))
    if passing:
        max(passing, key=lambda row: row["throughput"])["best"].append("throughput")
        min(passing, key=lambda row: row["latency_mean_ms"])["best"].append("latency")


def recommendation(rows: Sequence[Row]) -> str:
    """One line: what to deploy."""
    fastest = next((row for row in rows if "throughput" in row["best"]), None)
    open_row = max(filter(undecided, rows), key=lambda row: row["throughput"], default=None)
    if not fastest:
        return f"No engine passes the accuracy gate{_undecided_words(open_row)}."
    quickest = next(row for row in rows if "latency" in row["best"])
    line = (
        f"Fastest that passes the gate: {fastest['engine']} at batch size {fastest['batch_size']}, "
        f"{fastest['throughput']:.1f} crops/s"
    )
    if quickest is not fastest:
        line += (
            f"; lowest latency: {quickest['engine']} at batch size {quickest['batch_size']}, "
            f"{quickest['latency_mean_ms']:.2f} ms"
        )
    if open_row and open_row["throughput"] > fastest["throughput"]:
        line += _undecided_words(open_row)
    return line + "."


def _undecided_words(row):
    """On the fastest row that is UNDECIDED, or nothing."""
    if row is None:
        return ""
    needed = row.get("speakers_needed")
    many = f"some {needed:,} speakers would settle it" if needed else "how many speakers would settle it cannot be told"
    return (
        f"; undecided: {row['engine']} at batch size {row['batch_size']}, {row['throughput']:.1f} crops/s, EER "
        f"{increase(row)} points: {many}"
    )
