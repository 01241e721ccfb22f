"""Which rows of the benchmark's table are the best, and what is said of them in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..scoring import gate
from . import noise
from .row import Row
from .table import increase

WITHIN_NOISE = " within noise"  # follows what several rows are the best in
NAMED = 3  # of those, in the line


def passes(row: Row) -> bool:
    """Whether a row may be the best: what is measured, is no stand-in, and passes the gate or is the reference."""
    return row["status"] == "ok" and row["gate"] in (gate.PASS, "reference") and not row["stand_in"]


def undecided(row: Row) -> bool:
    """Whether a row might be the best if more speakers were heard."""
    return row["status"] == "ok" and row["gate"] == gate.UNDECIDED and not row["stand_in"]


def mark_best(rows: Iterable[Row]) -> None:
    """Mark, among the rows that pass the gate, the one of highest throughput and the one of lowest latency, in place.

    Where noise does not tell the first from others, all of them are marked, and none as the best alone. A stand-in for
    an engine is never the best.
    """
    passing = list(filter(passes, rows))
    for kind, values, more in (("throughput", noise.rates, True), ("latency", noise.latencies, False)):
        first = _leader(passing, kind)
        if first is not None:
            near = [row for row in passing if not noise.ahead(values(first), values(row), more)]
            for row in near:
                row["best"].append(kind if near == [first] else kind + WITHIN_NOISE)


def _leader(rows, kind):
    """The row of the best median; None where there is no row."""
    if kind == "throughput":
        return max(rows, key=lambda row: row["throughput"], default=None)
    return min(rows, key=lambda row: row["latency_mean_ms"], default=None)


def _marked(rows, kind):
    return [row for row in rows if {kind, kind + WITHIN_NOISE} & {*row["best"]}]


def recommendation(rows: Sequence[Row]) -> str:
    """One line: what to deploy."""
    open_row = max(filter(undecided, rows), key=lambda row: row["throughput"], default=None)
    fastest, quickest = (_leader(_marked(rows, kind), kind) for kind in ("throughput", "latency"))
    if fastest is None:
        return f"No engine passes the accuracy gate{_undecided_words(open_row)}."
    line = f"Fastest that passes the gate, one batch after another: {_words(fastest, 'throughput', rows)}"
    if quickest is not fastest:
        line += f"; lowest latency: {_words(quickest, 'latency', rows)}"
    if open_row and open_row["throughput"] > fastest["throughput"]:
        line += _undecided_words(open_row)
    return line + "."


def _words(first, kind, rows):
    """The row that is the best of a kind, and those from which noise does not tell it."""
    value = f"{first['throughput']:.1f} crops/s" if kind == "throughput" else f"{first['latency_mean_ms']:.2f} ms"
    words = f"{_setting(first)}, {value}"
    others = [row for row in _marked(rows, kind) if row is not first]
    if not others:
        return words
    named = [_setting(row) for row in others[:NAMED]]
    if len(others) > NAMED:
        named.append(f"{len(others) - NAMED} more")
    return f"{words} (within noise of it: {', '.join(named)})"


def _setting(row):
    return f"{row['engine']} at batch size {row['batch_size']}"


def _undecided_words(row):
    """On the fastest row that is UNDECIDED, or nothing."""
    if row is None:
        return ""
    needed = row.get("speakers_needed")
    many = f"some {needed:,} speakers would settle it" if needed else "how many speakers would settle it cannot be told"
    return f"; undecided: {_setting(row)}, {row['throughput']:.1f} crops/s, EER {increase(row)} points: {many}"
