"""The spread over random seeds for people: what ``crop_spread.md`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..benchmark.table import markdown
from ..scoring.lengths import PRIOR

HEADER = ("crops", "frames", "GFLOP", "EER %, mean", "deviation", "from", "to", "speakers' interval", f"minDCF {PRIOR}")
NONE = "–"


def _points(fraction):
    return f"{100 * fraction:.3f}"


def _interval(interval):
    if interval["low"] is None:
        return NONE
    return f"{_points(interval['low'])} to {_points(interval['high'])}"


def printed(row: Mapping[str, Any]) -> list[str]:
    """The cells of a number of crops, as text."""
    eer, cost = row["eer"], row["min_dcf"]
    return [
        str(row["crops"]),
        str(row["frames"]),
        NONE if row["gflop"] is None else f"{row['gflop']:.3g}",
        *(_points(eer[name]) for name in ("mean", "deviation", "lowest", "highest")),
        _interval(row["interval"]),
        f"{cost['mean']:.4f} ± {cost['deviation']:.4f}",
    ]


def sentence(row: Mapping[str, Any]) -> str:
    """What the places of the crops alone do to the EER, in a sentence."""
    eer, crops = row["eer"], f"{row['crops']} crop{'s' if row['crops'] > 1 else ''} of {row['frames']} frames"
    return (
        f"{crops}: EER {_points(eer['lowest'])} to {_points(eer['highest'])} % over {len(row['seeds'])} random seeds "
        f"(mean {_points(eer['mean'])} %, standard deviation {_points(eer['deviation'])} points)."
    )


def _of_seeds(rows):
    """A table of the EER of every seed."""
    header = ("seed", *(f"EER %, {row['crops']} crop{'s' if row['crops'] > 1 else ''}" for row in rows))
    lines = [[str(seed), *(_points(row["eers"][place]) for row in rows)] for place, seed in enumerate(rows[0]["seeds"])]
    return markdown(header, lines)


def text(table: Mapping[str, Any]) -> str:
    """The whole of crop_spread.md; ``table`` is crop_spread.json."""
    rows, trials, engine = table["rows"], table["trials"], table["engine"]
    notes = [
        f"Trials: {table['protocol']}; {trials['scored']:,} scored, {trials['skipped']:,} skipped.",
        f"Utterances: {table['utterances']['compared']:,}; short ones: {table['short']}. Engine: "
        f"{engine['engine']}-{engine['requested_precision']}.",
        "Deviation: the standard deviation over the seeds, in points; it is what another seed, or other names of the "
        "same files, would do to an answer.",
        "Speakers' interval: 95 %, of the first seed, over draws of speakers. It does not hold the deviation.",
        "GFLOP: an estimate per utterance, the work for a traced crop in proportion to the frames.",
    ]
    parts = [
        "# Spread over the crops' places",
        *(f"**{note}.**" for note in table["caveats"]),
        "\n".join(map(sentence, rows)),
        markdown(HEADER, [printed(row) for row in rows]),
        _of_seeds(rows),
        "\n".join(notes),
    ]
    return "\n\n".join(parts) + "\n"
