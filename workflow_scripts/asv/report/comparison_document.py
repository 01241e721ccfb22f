"""The comparison of two runs for people: its table and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..benchmark.table import markdown
from .figure import line_style, new_figure, project_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADER = ("list", "trials", "figure", "A", "B", "B less A", "95 % interval")
NONE = "–"


def _rows(name, found):
    for figure, change, scale, digits in (
        ("EER %", found["eer"], 100, 3),
        (f"minDCF {found['prior']}", found["min_dcf"], 1, 4),
    ):
        a, b = (f"{scale * change[side]:.{digits}f}" for side in "ab")
        low, high = change["low"], change["high"]
        interval = NONE if low is None else f"{scale * low:+.{digits}f} to {scale * high:+.{digits}f}"
        yield [name, f"{found['trials']:,}", figure, a, b, f"{scale * change['difference']:+.{digits}f}", interval]


def sentence(name: str, found: Mapping[str, Any]) -> str:
    """What a list says of the two EERs."""
    eer = found["eer"]
    told = f"{name}: EER {100 * eer['a']:.3f} % (A) and {100 * eer['b']:.3f} % (B)"
    if eer["low"] is None:
        return f"{told}; no interval: {found['reason']}."
    interval = f"{100 * eer['low']:+.3f} to {100 * eer['high']:+.3f} points"
    if eer["low"] <= 0 <= eer["high"]:
        return f"{told}; the interval of the difference, {interval}, holds 0: these trials do not tell which is better."
    return f"{told}; {'A' if eer['low'] > 0 else 'B'} is better: the difference is {interval}."


def text(comparison: Mapping[str, Any]) -> str:
    """The table, and what else differs between the runs."""
    lists = comparison["lists"]
    parts = ["# Two runs compared", f"A: {comparison['a']}\nB: {comparison['b']}"]
    parts += [f"**{note}.**" for note in comparison["caveats"]]
    parts.append("\n".join(sentence(name, found) for name, found in lists.items()))
    parts.append(markdown(HEADER, [row for name, found in lists.items() for row in _rows(name, found)]))
    if comparison["differences"]:
        rows = [[name, *pair] for name, pair in comparison["differences"].items()]
        parts.append("What differs between the runs:\n\n" + markdown(("", "A", "B"), rows))
    notes = [
        f"{name}: {found['only_a']:,} trials of A and {found['only_b']:,} of B, which the other lacks, are left out."
        for name, found in lists.items()
        if found["only_a"] or found["only_b"]
    ]
    notes.append(
        f"Intervals: over {comparison['bootstrap']['replicates']:,} draws of speakers, the same for both runs; not "
        "over crops (snakemake crop_spread)."
    )
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


@project_style()
def figure(comparison: Mapping[str, Any]) -> Figure:
    """The differences of EER and minDCF by trial list, with their intervals."""
    lists = comparison["lists"]
    about = f"A: {comparison['a']}\nB: {comparison['b']}\nBars: 95 % intervals over the same draws of speakers"
    made = new_figure("B less A: below 0, B is better", about, comparison["caveats"], 8, 1.6 + 0.5 * len(lists))
    panels = made.subplots(1, 2, sharey=True)
    kinds = (("eer", 100, "difference of the EER (points)"), ("min_dcf", 1, "difference of minDCF (p = 0.01)"))
    for index, (axes, (kind, scale, label)) in enumerate(zip(panels, kinds)):
        style = {**line_style(index), "linestyle": "none"}
        for place, found in enumerate(lists.values()):
            change = found[kind]
            low, high = (change["difference"] if change[end] is None else change[end] for end in ("low", "high"))
            ends = [[max(0, scale * (change["difference"] - low))], [max(0, scale * (high - change["difference"]))]]
            axes.errorbar([scale * change["difference"]], [place], xerr=ends, capsize=4, **style)
        axes.axvline(0, color="#666666", linewidth=1)
        axes.set_xlabel(label)
    panels[0].set_yticks(range(len(lists)), list(lists))
    panels[0].set_ylim(len(lists) - 0.5, -0.5)
    return made
