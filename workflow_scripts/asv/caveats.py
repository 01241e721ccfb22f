"""What makes a result not what it seems: said wherever the result appears, by the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_result(result: Mapping[str, Any]) -> list[str]:
    """Caveats of a result of score.py, in words; an empty list for real data, checkpoint and engine."""
    notes = []
    if result["dataset"]["demo"]:
        notes.append("DEMO: synthetic voices, says nothing of real speech")
    if result["network"]["demo"]:
        notes.append(f"DEMO checkpoint ({result['network']['demo']})")
    if result["engine"].get("stand_in"):
        notes.append(f"STAND-IN: {result['engine']['stand_in']}")
    quantised = result["engine"].get("quantisation")
    if quantised and quantised["calibration"]["evaluation_data"]:
        notes.append("CALIBRATION HEARD THE EVALUATION DATA")
    fit = result["network"]["fit"]
    if fit["verdict"] == "misfit" and not fit["ignored"]:
        better = f": {fit['better']} fit better" if fit["better"] else ""
        notes.append(f"THE FEATURES DO NOT FIT THE NETWORK{better}")
    return notes


def of_table(table: Mapping[str, Any]) -> list[str]:
    """Caveats of benchmarks.json, in words."""
    notes = [f"DEMO: {table['demo']}; its accuracy says nothing of real speech"] if table["demo"] else []
    stand_ins = sorted({row["engine"]: row["stand_in"] for row in table["rows"] if row["stand_in"]}.items())
    return notes + [f"STAND-IN for {engine}: {what}" for engine, what in stand_ins]


def of_speeds(table: Mapping[str, Any]) -> list[str]:
    """Caveats of benchmarks.json where its speeds are shown, in words: those of the table, and what noise there was."""
    noisy = [f"{row['engine']} at batch size {row['batch_size']}" for row in table["rows"] if row.get("noise")]
    if not noisy:
        return of_table(table)
    measured = sum(row["status"] == "ok" for row in table["rows"])
    which = f": {', '.join(noisy)}" if len(noisy) <= 3 else ""
    again = "snakemake all_benchmarks --forcerun benchmark_engine"
    return [*of_table(table), f"NOISE: measure {len(noisy)} of {measured} rows again{which} ({again})"]


def demo_parts(result: Mapping[str, Any] | None) -> str | None:
    """What of a result is the demo's, in words for benchmarks.json; None where nothing is, or there is no result."""
    if result is None:
        return None
    voices = ["synthetic voices"] if result["dataset"]["demo"] else []
    return "; ".join([*voices, *filter(None, [result["network"]["demo"]])]) or None
