"""What to deploy, among the rows of the benchmark's table: the fastest setting that is still the same model.

Only rows that pass the accuracy gate, or are its reference, are recommended; of those that it leaves UNDECIDED the best
one is the runner-up, with the speakers that would settle it. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from . import noise
from .row import Row

PASSING, UNDECIDED = ("PASS", "reference"), "UNDECIDED"
ONE_BY_ONE, IN_FLIGHT = "one by one", "in flight"


class Goal(NamedTuple):
    """What is sought: its unit, the word for what is better, and whether more is better."""

    unit: str
    best: str
    more: bool


GOALS = {
    "throughput": Goal("crops/s", "highest throughput", True),
    "latency": Goal("ms per batch", "lowest latency", False),
    "memory": Goal("MB", "least memory", False),
}


@dataclass(frozen=True)
class Limits:
    """What a setting must keep, of ``recommend`` in the configuration; None: no limit.

    Attributes:
        max_latency_ms: of a batch; several in flight wait for each other, by Little's law.
        max_memory_mb: peak of the process; it is not known of several in flight.
        engines: labels or names of engines that may be recommended.
    """

    max_latency_ms: float | None = None
    max_memory_mb: float | None = None
    engines: Sequence[str] | None = None


class Choice(TypedDict):
    """A setting, and how it does on one goal: ``low`` and ``high`` are what noise leaves open."""

    engine: str
    batch_size: int
    mode: str
    value: float
    low: float
    high: float
    gate: str
    eer_increase: float | None
    eer_increase_low: float | None
    eer_increase_high: float | None
    speakers_needed: int | None


def _values(row: Row, mode: str, goal: str) -> tuple[float, float, float] | None:
    """How a row does: median, lowest and highest value; None where it is not known."""
    if goal == "throughput":
        return noise.rates(row) if mode == ONE_BY_ONE else noise.rates_in_flight(row)
    if mode == IN_FLIGHT:
        return None
    if goal == "latency":
        return noise.latencies(row)
    memory = row["peak_memory_bytes"] / 1e6
    return memory, memory, memory


def _keeps(row: Row, mode: str, limits: Limits) -> bool:
    """Whether a row keeps the limits; what is not known of it does not."""
    if limits.engines is not None and not {row["engine"], row["name"]} & set(limits.engines):
        return False
    if limits.max_memory_mb is not None and (
        mode == IN_FLIGHT or row["peak_memory_bytes"] > 1e6 * limits.max_memory_mb
    ):
        return False
    # How long a batch takes among several in flight: at least as long as alone.
    return limits.max_latency_ms is None or (mode == ONE_BY_ONE and row["latency_mean_ms"] <= limits.max_latency_ms)


def choices(rows: Sequence[Row], goal: str, limits: Limits, gates: Sequence[str]) -> list[Choice]:
    """Settings that were measured, keep the limits and have one of these verdicts, the best first.

    A stand-in for an engine is none of them.
    """
    found = list(_choices(rows, goal, limits, gates))
    return sorted(found, key=lambda choice: -choice["value"] if GOALS[goal].more else choice["value"])


def _choices(rows: Sequence[Row], goal: str, limits: Limits, gates: Sequence[str]) -> Iterator[Choice]:
    for row in rows:
        if row["status"] != "ok" or row["stand_in"] or row["gate"] not in gates:
            continue
        for mode in (ONE_BY_ONE, IN_FLIGHT):
            values = _values(row, mode, goal)
            if values is not None and _keeps(row, mode, limits):
                cells: Mapping[str, Any] = row
                yield {
                    "engine": row["engine"],
                    "batch_size": row["batch_size"],
                    "mode": mode,
                    "value": values[0],
                    "low": values[1],
                    "high": values[2],
                    "gate": cells["gate"],
                    "eer_increase": cells.get("eer_increase"),
                    "eer_increase_low": cells.get("eer_increase_low"),
                    "eer_increase_high": cells.get("eer_increase_high"),
                    "speakers_needed": cells.get("speakers_needed"),
                }


def why_none(rows: Sequence[Row], limits: Limits) -> str:
    """Why nothing can be recommended, in words."""
    measured = [row for row in rows if row["status"] == "ok" and not row["stand_in"]]
    if not measured:
        return "no row was measured on this machine (stand-ins do not count)"
    passing = [row for row in measured if row["gate"] in PASSING]
    if not passing:
        undecided = sum(row["gate"] == UNDECIDED for row in measured)
        others = f"; {undecided} are UNDECIDED" if undecided else ""
        return f"none of {len(measured)} rows passes the accuracy gate{others}"
    given = {
        "max_latency_ms": limits.max_latency_ms,
        "max_memory_mb": limits.max_memory_mb,
        "engines": limits.engines,
    }
    said = ", ".join(f"{name} {_plain(value)}" for name, value in given.items() if value is not None)
    return f"none of {len(passing)} rows that pass the accuracy gate keeps what is wanted (recommend: {said})"


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, (list, tuple)) else f"{value:g}"


def ahead(one: Choice, other: Choice, goal: str) -> bool:
    """Whether one does better than another beyond the spread of the timed runs."""
    values = [(choice["value"], choice["low"], choice["high"]) for choice in (one, other)]
    return noise.ahead(values[0], values[1], GOALS[goal].more)


def runner_up(rows: Sequence[Row], goal: str, limits: Limits) -> Choice | None:
    """The best UNDECIDED setting, if it would win, or the second that passes; None where there is neither.

    The second is of another engine or batch size: the same in another mode is the same deployment.
    """
    first = choices(rows, goal, limits, PASSING)
    undecided = choices(rows, goal, limits, [UNDECIDED])
    best = max if GOALS[goal].more else min
    if undecided and (not first or best(undecided[0]["value"], first[0]["value"]) != first[0]["value"]):
        return undecided[0]
    if not first:
        return None
    own = (first[0]["engine"], first[0]["batch_size"])
    return next((choice for choice in first[1:] if (choice["engine"], choice["batch_size"]) != own), None)


def settings(choice: Choice) -> dict[str, Any]:
    """What to write into ``config.yaml`` for a setting."""
    engine, _, precision = choice["engine"].rpartition("-")
    return {"engine": engine, "precision": precision, "batch_sizes": [choice["batch_size"]]}


def recommend(table: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """What is recommended, for ``recommendation.json``.

    Args:
        table: ``benchmarks.json``.
        limits: what must be kept.

    Returns:
        dictionary: by goal a :class:`Choice`, with ``within_noise`` (of which other setting, or None), or, where
        nothing can be recommended, one whose ``engine`` is None and which has a ``reason``; ``runner_up``, of the
        throughput, or None; ``settings`` of the best throughput, or None; ``limits``.
    """
    rows: Sequence[Row] = table["rows"]
    found: dict[str, Any] = {}
    for goal in GOALS:
        ordered = choices(rows, goal, limits, PASSING)
        if not ordered:
            found[goal] = {"engine": None, "batch_size": None, "mode": None, "value": None, "gate": None}
            found[goal]["reason"] = why_none(rows, limits)
            continue
        first, *others = ordered
        near = next((other for other in others if not ahead(first, other, goal)), None)
        found[goal] = {**first, "unit": GOALS[goal].unit, "within_noise": near}
    best = found["throughput"]
    return {
        **found,
        "runner_up": runner_up(rows, "throughput", limits),
        "settings": settings(best) if best["engine"] else None,
        "limits": {
            "max_latency_ms": limits.max_latency_ms,
            "max_memory_mb": limits.max_memory_mb,
            "engines": limits.engines,
        },
        **{name: table[name] for name in ("demo", "machine", "rows")},
    }
