"""The benchmark's table: one row per engine, precision and batch size, its marks, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from ..scoring import gate
from . import noise
from .row import Row

NONE = "–"
INCREASES = {"eer_increase": 100.0, "min_dcf_increase": 1.0}  # columns with intervals, and what they are multiplied by

# Columns of benchmarks.tsv. Programs may count them, so new ones go to the end.
TSV = (
    *("engine", "name", "precision", "batch_size", "status", "stand_in", "threads"),
    *("throughput", "throughput_low", "throughput_high", "engine_throughput", "async_throughput", "device_throughput"),
    *("to_device_ms", "compute_ms", "from_device_ms"),
    *("latency_mean_ms", "latency_p50_ms", "latency_p90_ms", "latency_p99_ms"),
    *("real_time_factor", "gflops", "peak_share", "compile_seconds", "load_seconds"),
    *("artefact_bytes", "peak_memory_bytes", "bystander_cores", "warm"),
    *("eer", "roc_auc", "min_cosine", "mean_cosine", "eer_change", "gate", "remarks"),
    *("cores", "cpu_quota", "throttled_share", "throttled_periods"),
    *("async_throughput_low", "async_throughput_high"),
    *("eer_increase", "eer_increase_low", "eer_increase_high"),
    *("min_dcf_increase", "min_dcf_increase_low", "min_dcf_increase_high"),
    *("sides_changed", "speakers", "speakers_needed", "min_cosine_limit", "max_eer_increase", "evidence", "noise"),
)


def row(
    benchmark: Mapping[str, Any],
    artefact: Mapping[str, Any],
    result: Mapping[str, Any],
    agreement: Mapping[str, Any] | None,
    machine: Mapping[str, Any],
) -> Row:
    """One measured row from the JSON of its stages; ``agreement`` is None for the reference itself."""
    single, in_flight = benchmark["one_by_one"], benchmark["in_flight"]
    protocol = next(iter(result["protocols"].values()))
    network, precision = result["network"], benchmark["precision"]
    seconds = artefact["input"][2] * result["features"]["hop_length"] / result["features"]["sample_rate"]
    gflops = network["gflop"] and single["throughput"] * network["gflop"]
    peak = machine["matmul_gflops"].get(precision) if benchmark["device"] is None else None  # the CPU's
    found: Row = {
        "engine": f"{benchmark['engine']}-{benchmark['requested_precision']}",
        "name": benchmark["engine"],
        "precision": precision,
        "batch_size": benchmark["batch_size"],
        "status": "ok",
        "stand_in": benchmark.get("stand_in"),
        "threads": benchmark["threads"],
        "throughput": single["throughput"],
        "throughput_low": min(single["throughput_runs"]),
        "throughput_high": max(single["throughput_runs"]),
        "engine_throughput": single["engine_throughput"],
        "async_throughput": in_flight["throughput"] if in_flight else None,
        "device_throughput": single["compute_ms"] and 1e3 * benchmark["batch_size"] / single["compute_ms"],
        "to_device_ms": single["to_device_ms"],
        "compute_ms": single["compute_ms"],
        "from_device_ms": single["from_device_ms"],
        "latency_mean_ms": single["latency_mean_ms"],
        "latency_p50_ms": single["latency_p50_ms"],
        "latency_p90_ms": single["latency_p90_ms"],
        "latency_p99_ms": single["latency_p99_ms"],
        "real_time_factor": 1 / (single["throughput"] * seconds),
        "gflops": gflops,
        "peak_share": peak and gflops and gflops / peak,
        "compile_seconds": artefact["compile_seconds"],
        "load_seconds": benchmark["load_seconds"],
        "artefact_bytes": artefact["bytes"],
        "peak_memory_bytes": benchmark["peak_memory_bytes"],
        "bystander_cores": benchmark["bystander_cores"],
        "warm": single["warm_up"]["stable"],
        "eer": protocol["eer"],
        "roc_auc": protocol["roc_auc"],
        "min_cosine": agreement["min_cosine"] if agreement else None,
        "mean_cosine": agreement["mean_cosine"] if agreement else None,
        "eer_change": agreement["eer_change"] if agreement else None,
        "gate": agreement["gate"] if agreement else "reference",
        "faults": agreement["faults"] if agreement else [],
        "best": [],
        **_of_machine(benchmark),
        "async_throughput_low": min(in_flight["throughput_runs"]) if in_flight else None,
        "async_throughput_high": max(in_flight["throughput_runs"]) if in_flight else None,
        **_judged(agreement),
    }
    return {**found, "noise": noise.reasons(found)}


def _of_machine(benchmark):
    """The columns of how much of the machine there was."""
    return {name: benchmark[name] for name in ("cores", "cpu_quota", "throttled_share", "throttled_periods")}


def _judged(agreement):
    """The columns of what the gate saw: of the list that decides; all None for the reference."""
    agreement = agreement or {}
    change = agreement.get("eer_change", {}).get(agreement.get("decisive"), {})
    limits, cost = agreement.get("limits", {}), change.get("min_dcf", {})
    return {
        "eer_increase": change.get("difference"),
        "eer_increase_low": change.get("low"),
        "eer_increase_high": change.get("high"),
        "min_dcf_increase": cost.get("difference"),
        "min_dcf_increase_low": cost.get("low"),
        "min_dcf_increase_high": cost.get("high"),
        "sides_changed": change.get("sides_changed"),
        "speakers": change.get("speakers"),
        "speakers_needed": agreement.get("speakers_needed"),
        "min_cosine_limit": limits.get("min_cosine"),
        "max_eer_increase": limits.get("max_eer_increase"),
        "evidence": "; ".join(agreement.get("evidence", [])) or None,
    }


def unsupported_row(label: str, batch_size: int, reason: str) -> Row:
    """The row of what this machine cannot run."""
    name, _, precision = label.rpartition("-")
    known = {"engine": label, "name": name, "precision": precision, "batch_size": batch_size, "status": "unsupported"}
    template = dict.fromkeys(COLUMNS)
    return cast(Row, {**template, **known, "stand_in": None, "gate": None, "faults": [reason], "best": []})


def increase(row: Row, column: str = "eer_increase", unit: float = 100) -> str:
    """An increase with its interval, in points of the EER or as a cost.

    >>> increase({"eer_increase": 0.001, "eer_increase_low": -0.001, "eer_increase_high": 0.002})
    '+0.100 (-0.100 to +0.200)'
    """
    cells = cast("Mapping[str, Any]", row)
    value, low, high = (cells.get(f"{column}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return NONE
    numbers = [gate.signed(unit * number) for number in (value, low, high) if number is not None]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})" if len(numbers) == 3 else f"{numbers[0]} (no interval)"


def throttled(row: Row) -> str | None:
    """How much a CPU quota held a measurement up, in words; None where it did not."""
    if not row.get("throttled_periods"):
        return None
    return f"throttled {row['throttled_share']:.1%} of the time by a CPU quota of {row['cpu_quota']:g} cores"


# Column of the JSON: heading of the printed table and how a value is written.
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "engine": ("engine", str),
    "batch_size": ("batch", str),
    "throughput": ("crops/s", "{:.1f}".format),
    "spread": ("spread", str),
    "async_throughput": ("in flight, crops/s", "{:.1f}".format),
    "device_throughput": ("without copies, crops/s", "{:.1f}".format),
    "latency_mean_ms": ("latency ms", "{:.2f}".format),
    "latency_p50_ms": ("p50", "{:.2f}".format),
    "latency_p90_ms": ("p90", "{:.2f}".format),
    "latency_p99_ms": ("p99", "{:.2f}".format),
    "real_time_factor": ("real-time factor", "{:.2g}".format),
    "gflops": ("GFLOP/s", "{:.3g}".format),
    "peak_share": ("of matmul peak", "{:.0%}".format),
    "compile_seconds": ("compile s", "{:.1f}".format),
    "load_seconds": ("load s", "{:.2f}".format),
    "artefact_bytes": ("artefact MB", lambda value: f"{value / 1e6:.1f}"),
    "peak_memory_bytes": ("peak memory MB", lambda value: f"{value / 1e6:.0f}"),
    "eer": ("EER %", lambda value: f"{100 * value:.3f}"),
    "eer_increase": ("EER increase, points", str),
    "min_dcf_increase": ("minDCF increase", str),
    "min_cosine": ("minimum cosine", "{:.6f}".format),
    "gate": ("gate", str),
    "remarks": ("", str),
}


# Columns of the table on the terminal.
SHORT = ("engine", "batch_size", "throughput", "latency_mean_ms", "eer", "gate", "remarks")
# Columns that are printed only where a row has them: of engines with a device of their own.
OF_DEVICES = ("device_throughput",)


def shown_engine(row: Row) -> str:
    """An engine's label for people: what a stand-in made cannot be taken for the engine's."""
    return f"{row['engine']} (STAND-IN)" if row["stand_in"] else row["engine"]


def shown_machine(machine: Mapping[str, Any]) -> str:
    """The processor that was measured, and how many threads it was given.

    >>> shown_machine({"cpu": "AMD EPYC", "threads": 1})
    'AMD EPYC, 1 thread'
    """
    return f"{machine['cpu']}, {machine['threads']} thread{'s' if machine['threads'] > 1 else ''}"


def printed_columns(rows: Sequence[Row]) -> list[str]:
    """The columns that a printed table of these rows has."""
    return [key for key in COLUMNS if key not in OF_DEVICES or any(row.get(key) is not None for row in rows)]


def shortened(row: Row) -> Row:
    """A row for the terminal: why it is UNDECIDED is said in numbers alone."""
    if row["gate"] != gate.UNDECIDED or row.get("eer_increase_low") is None or len(row["faults"]) > 1:
        return row
    needed = row["speakers_needed"]
    speakers = f"{needed:,} speakers would settle it" if needed else "not to be settled"
    return {**row, "faults": [f"EER {increase(row)}: {speakers}"]}


def printed(row: Row, columns: Sequence[str] = tuple(COLUMNS)) -> list[str]:
    """The cells of a row, as text; an empty cell is a dash."""
    values: dict[str, Any] = {**row, "engine": shown_engine(row)}
    if row["status"] == "ok":
        values["spread"] = f"±{100 * noise.spread(row):.1f} %"
    for name, unit in INCREASES.items():
        if row.get(name) is not None:
            values[name] = increase(row, name, unit)
    best = [f"best {kind}" for kind in row["best"]]
    status = [row["status"]] if row["status"] != "ok" else []
    others = [remark for remark in (row.get("evidence"), row["stand_in"], throttled(row)) if remark]
    others += row.get("noise") or []
    values["remarks"] = "; ".join([*best, *status, *row["faults"], *others]) or None
    return [COLUMNS[key][1](values[key]) if values.get(key) is not None else NONE for key in columns]


def kind(row: Row) -> str:
    """What to show a row as: ``fail``, ``undecided``, ``best``, or nothing for the others."""
    if row["gate"] in (gate.FAIL, gate.UNDECIDED):
        return str(row["gate"]).lower()
    return "best" if row["best"] else ""


def tsv_cells(row: Row) -> list[Any]:
    """The cells of a row in benchmarks.tsv; what it has not is empty."""
    values: dict[str, Any] = {
        **row,
        "remarks": "; ".join([*row["best"], *row["faults"], *filter(None, [throttled(row)])]),
    }
    values["noise"] = "; ".join(row.get("noise") or [])
    return ["" if values.get(key) is None else values[key] for key in TSV]


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of text cells, aligned so that it reads well in a terminal, too."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    lines = [header, ["-" * max(width, 3) for width in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |" for line in lines)
