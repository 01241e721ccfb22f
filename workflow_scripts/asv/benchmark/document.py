"""The benchmark's table as a document for people: ``benchmarks.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import caveats
from . import published, table


def _quota_note(benchmarks: Mapping[str, Any]) -> str:
    """A sentence on the CPU quota of the machine or of a measurement; empty where there was none."""
    quotas = [part.get("cpu_quota") for part in (benchmarks["machine"], *benchmarks["rows"])]
    if not any(quotas):
        return ""
    note = f" A CPU quota (of a container or job) allowed {min(filter(None, quotas)):g} cores"
    if any(map(table.throttled, benchmarks["rows"])):
        note += "; where it stopped a measurement, the row says throttled: mean latency and throughput are the quota's"
    return f"{note}."


def text(benchmarks: Mapping[str, Any], result: Mapping[str, Any] | None) -> str:
    """The whole of benchmarks.md, from what benchmarks.json holds and the first row's result.

    ``result`` is None where this machine can run no engine.
    """
    machine, columns = benchmarks["machine"], table.printed_columns(benchmarks["rows"])
    peaks = ", ".join(
        f"{name} {value:.0f} by {machine['matmul_library'][name]}" for name, value in machine["matmul_gflops"].items()
    )
    busy = max((row.get("bystander_cores") or 0 for row in benchmarks["rows"]), default=0)
    lines = [
        "# Benchmarks",
        "",
        *(line for note in caveats.of_table(benchmarks) for line in (f"**{note}.**", "")),
        benchmarks["recommendation"],
        "",
        table.markdown(
            [table.COLUMNS[key][0] for key in columns], [table.printed(row, columns) for row in benchmarks["rows"]]
        ),
        *(_measured_notes(result) if result else ["This machine can run none of benchmark.engines."]),
        f"Machine: {machine['cpu']} ({', '.join(machine['flags'])}), {machine['threads']} of {machine['cores']} cores, "
        f"matrix multiply (GFLOP/s): {peaks}; torch {machine['torch']}, Python {machine['python']}. "
        f"Other processes kept up to {busy:.2f} cores busy while it was measured.{_quota_note(benchmarks)}",
        "",
        "## Published by others",
        "",
        published.SOURCE,
        "",
        table.markdown(
            ["system", "batch", "crops/s"],
            [[r["system"], str(r["batch_size"]), f"{r['throughput']:.1f}"] for r in benchmarks["reference_rows"]],
        ),
    ]
    return "\n".join(lines)


def _measured_notes(result: Mapping[str, Any]) -> list[str]:
    """What the figures are of: lines."""
    protocol, network = next(iter(result["protocols"])), result["network"]
    return [
        f"EER: {protocol}. Throughput: crops of {result['features']['shape'][1]} frames, one batch after another; "
        "in flight: several requests at once. Latency is of a batch; a dash for a percentile: too few batches to tell.",
        f"Network: C = {network['channels']}, {network['gflop']:.2f} GFLOP per crop.",
    ]
