"""The table of lengths for people: what ``accuracy_by_length.md`` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..benchmark.table import markdown
from ..scoring.lengths import PRIOR, Row

# Columns of accuracy_by_length.tsv. Programs may count them, so new ones go to the end.
TSV = (
    *("setting", "frames", "crops", "seconds", "gflop", "used", "rejected", "eer", "min_dcf"),
    *("difference", "difference_low", "difference_high", "within_gate", "best"),
)
HEADER = (
    *("frames", "crops", "seconds", "GFLOP", "EER %", f"minDCF {PRIOR}", "to whole, points", "95 % interval"),
    *("gate", ""),
)
NONE = "–"


def tsv_cells(row: Row) -> list[Any]:
    """The cells of a row in accuracy_by_length.tsv; what it has not is empty."""
    return ["" if row[name] is None else row[name] for name in TSV]  # type: ignore[literal-required]


def points(fraction: float) -> str:
    """A difference of rates in percentage points.

    >>> points(0.00123), points(-0.02)
    ('+0.123', '-2.000')
    """
    return f"{100 * fraction:+.3f}"


def interval(row: Row) -> str:
    """The interval of a row's difference, in points."""
    low, high = row["difference_low"], row["difference_high"]
    return NONE if low is None or high is None else f"{points(low)} to {points(high)}"


def printed(row: Row) -> list[str]:
    """The cells of a row, as text; an empty cell is a dash."""
    whole = row["frames"] is None
    return [
        "whole" if whole else str(row["frames"]),
        NONE if whole else str(row["crops"]),
        f"{row['seconds']:.2f}",
        NONE if row["gflop"] is None else f"{row['gflop']:.3g}",
        f"{100 * row['eer']:.3f}",
        f"{row['min_dcf']:.4f}",
        NONE if row["difference"] is None else points(row["difference"]),
        interval(row),
        "reference" if whole else "PASS" if row["within_gate"] else "FAIL",
        "cheapest within the gate" if row["best"] else "",
    ]


def shown(row: Row) -> str:
    """A setting in words."""
    if row["frames"] is None:
        return "whole utterances"
    return f"{row['crops']} crop{'s' if row['crops'] > 1 else ''} of {row['frames']} frames"


def _work(row):
    return "" if row["gflop"] is None else f", {row['gflop']:.3g} GFLOP per utterance"


def recommendation(table: Mapping[str, Any]) -> str:
    """One line: which setting to deploy; ``table`` is accuracy_by_length.json."""
    gate = f"{100 * table['max_eer_increase']:g} points"
    whole = table["rows"][0]
    reference = f"of whole utterances (EER {100 * whole['eer']:.3f} %{_work(whole)})"
    best = next((row for row in table["rows"] if row["best"]), None)
    if best is None:
        return f"No setting of the grid is within {gate} {reference}."
    line = f"Cheapest within {gate} {reference}: {shown(best)}, EER {100 * best['eer']:.3f} %{_work(best)}"
    if best["difference_high"] is None:
        return f"{line}; the difference has no interval."
    if best["difference_high"] > table["max_eer_increase"]:
        return f"{line}; its interval reaches beyond the gate ({interval(best)}), so more trials may say otherwise."
    return f"{line}; its interval is within the gate, too ({interval(best)})."


def notes(table: Mapping[str, Any]) -> list[str]:
    """What the figures are of: lines."""
    utterances, trials, engine = table["utterances"], table["trials"], table["engine"]
    lines = [
        f"Trials: {table['protocol']}; {trials['listed']:,} listed = {trials['scored']:,} scored + "
        f"{trials['dropped']:,} dropped + {trials['skipped']:,} skipped.",
        f"Utterances: {utterances['found']:,} found = {utterances['compared']:,} compared + {utterances['dropped']:,} "
        f"dropped, since not all settings have them + {utterances['rejected']:,} rejected by all.",
        f"Engine: {engine['engine']}-{engine['requested_precision']}, batch size {engine['batch_size']}; crops: "
        f"{table['placement']} places; short utterances: {table['short']}.",
        "Seconds: heard per utterance on average; crops may overlap, and short utterances are repeated. GFLOP: an "
        "estimate per utterance, the work for a traced crop in proportion to the frames.",
    ]
    if table["left_out"]:
        numbers = ", ".join(map(str, table["left_out"]))
        lines.append(f"Left out: {numbers} crops, since features.placement: start takes one.")
    if table["bootstrap"]["replicates"]:
        lines.append(
            f"Intervals: of the difference, over {table['bootstrap']['replicates']:,} draws of speakers, the same for "
            "both settings; a dash: too few speakers, or too many trials."
        )
    return lines


def text(table: Mapping[str, Any]) -> str:
    """The whole of accuracy_by_length.md; ``table`` is accuracy_by_length.json."""
    rows: Sequence[Row] = table["rows"]
    parts = [
        "# Accuracy by length",
        *(f"**{note}.**" for note in table["caveats"]),
        recommendation(table),
        markdown(HEADER, [printed(row) for row in rows]),
        "\n".join(notes(table)),
    ]
    return "\n\n".join(parts) + "\n"
