"""The benchmark's table as a document for people: its blocks, which ``benchmarks.md`` and the report's page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Union

from .. import caveats, engines
from . import published, table


class Heading(NamedTuple):
    level: int
    text: str


class Paragraph(NamedTuple):
    lines: Sequence[str]  # where the Markdown breaks it
    strong: bool = False


class Table(NamedTuple):
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    kinds: Sequence[str]  # of each row, as table.kind


Block = Union[Heading, Paragraph, Table]


def _quota_note(benchmarks: Mapping[str, Any]) -> str:
    """A sentence on the CPU quota of the machine or of a measurement; empty where there was none."""
    quotas = [part.get("cpu_quota") for part in (benchmarks["machine"], *benchmarks["rows"])]
    if not any(quotas):
        return ""
    note = f" A CPU quota (of a container or job) allowed {min(filter(None, quotas)):g} cores"
    if any(map(table.throttled, benchmarks["rows"])):
        note += "; where it stopped a measurement, the row says throttled: mean latency and throughput are the quota's"
    return f"{note}."


def blocks(benchmarks: Mapping[str, Any]) -> list[Block]:
    """The document as blocks, from benchmarks.json."""
    rows = benchmarks["rows"]
    columns = table.printed_columns(rows)
    return [
        Heading(1, "Benchmarks"),
        *(Paragraph([f"{note}."], strong=True) for note in caveats.of_speeds(benchmarks)),
        Paragraph([benchmarks["recommendation"]]),
        Table(
            [table.COLUMNS[key][0] for key in columns],
            [table.printed(row, columns) for row in rows],
            [table.kind(row) for row in rows],
        ),
        Paragraph([*_measured_notes(benchmarks), _machine_note(benchmarks)]),
        *_published(benchmarks),
    ]


def compares_with_published(benchmarks: Mapping[str, Any]) -> bool:
    """Whether figures of the original guides' chips say anything beside these: the same network, and rows of an NPU."""
    network = benchmarks["network"] or {}
    is_theirs = (network.get("family"), network.get("channels")) == ("modelzoo", published.CHANNELS)
    measured = [row for row in benchmarks["rows"] if row["status"] == "ok" and not row["stand_in"]]
    return is_theirs and any(engines.is_npu(row["name"]) for row in measured)


def _published(benchmarks: Mapping[str, Any]) -> list[Block]:
    if not compares_with_published(benchmarks):
        return []
    rows = benchmarks["reference_rows"]
    cells = [[row["system"], str(row["batch_size"]), f"{row['throughput']:.1f}"] for row in rows]
    return [
        Heading(2, "Published by others"),
        Paragraph([published.SOURCE]),
        Table(["system", "batch", "crops/s"], cells, [""] * len(rows)),
    ]


def short(benchmarks: Mapping[str, Any], path: str) -> str:
    """What is looked for first, for a terminal: caveats, what is best, and the columns that fit on a line.

    Args:
        benchmarks: benchmarks.json.
        path: of the whole table, for people.
    """
    rows = benchmarks["rows"]
    cells = [table.printed(table.shortened(row), table.SHORT) for row in rows]
    parts = [
        *(f"{note}." for note in caveats.of_speeds(benchmarks)),
        benchmarks["recommendation"],
        table.markdown([table.COLUMNS[key][0] for key in table.SHORT], cells),
        f"All columns, notes and the machine: {path}",
    ]
    return "\n\n".join(parts) + "\n"


def text(benchmarks: Mapping[str, Any]) -> str:
    """The whole of benchmarks.md, from benchmarks.json."""
    return "\n\n".join(map(_markdown, blocks(benchmarks))) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Table):
        return table.markdown(block.header, block.rows)
    return f"**{' '.join(block.lines)}**" if block.strong else "\n".join(block.lines)


def _measured_notes(benchmarks: Mapping[str, Any]) -> list[str]:
    """What the figures are of: lines."""
    network = benchmarks["network"]
    if network is None:
        return ["This machine can run none of benchmark.engines."]
    return [
        f"EER: {benchmarks['protocol']}. Throughput: crops of {benchmarks['frames']} frames, one batch after another; "
        "in flight: several requests at once. Latency is of a batch; a dash for a percentile: too few batches to tell.",
        _network_note(network),
    ]


def _network_note(network: Mapping[str, Any]) -> str:
    """Which network it is, and its work, as far as it is known: a line."""
    name = f"C = {network['channels']}" if network["channels"] is not None else network["file"]
    work = "its work is not counted" if network["gflop"] is None else f"{network['gflop']:.2f} GFLOP per crop"
    return f"Network: {name}, {work}."


def _machine_note(benchmarks: Mapping[str, Any]) -> str:
    """What was measured on, and what disturbed it: a line."""
    machine = benchmarks["machine"]
    peaks = ", ".join(
        f"{name} {value:.0f} by {machine['matmul_library'][name]}" for name, value in machine["matmul_gflops"].items()
    )
    busy = max((row.get("bystander_cores") or 0 for row in benchmarks["rows"]), default=0)
    return (
        f"Machine: {machine['cpu']} ({', '.join(machine['flags'])}), {machine['threads']} of {machine['cores']} cores, "
        f"matrix multiply (GFLOP/s): {peaks}; torch {machine['torch']}, Python {machine['python']}. "
        f"Other processes kept up to {busy:.2f} cores busy while it was measured.{_quota_note(benchmarks)}"
    )
