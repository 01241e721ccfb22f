"""The picture of what a static shape costs: the EER's difference to whole utterances against the frames heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import ticker
from matplotlib.lines import Line2D

from .figure import GATE, RING, legend_below, line_style, new_figure, project_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _draw(axes, place, rows, **style):
    """Differences of the settings of one number of crops; ``place`` moves them a little, so that bars keep apart."""
    heard = np.array([row["frames"] * row["crops"] for row in rows]) * 1.02**place
    values = np.array([row["difference"] for row in rows])
    ends = [[row[end] if row[end] is not None else row["difference"] for row in rows] for end in _ENDS]
    bars = 100 * np.maximum([values - ends[0], ends[1] - values], 0)
    axes.errorbar(heard, 100 * values, bars, capsize=3, linewidth=1.6, markersize=6, **style)
    for x, row in zip(heard, rows):
        if row["best"]:
            axes.plot(x, 100 * row["difference"], **RING)


_ENDS = ("difference_low", "difference_high")


@project_style()
def length_figure(table: Mapping[str, Any]) -> Figure:
    """The EER's difference to whole utterances by frames heard, a line per number of crops.

    Args:
        table: accuracy_by_length.json.
    """
    whole, cells = table["rows"][0], table["rows"][1:]
    facts = [
        f"EER less that of whole utterances, {100 * whole['eer']:.3f} % in {table['protocol']}; "
        f"bars: 95 % intervals over the same draws of speakers",
        f"{table['trials']['scored']:,} trials, {table['engine']['engine']}-{table['engine']['requested_precision']}",
    ]
    figure = new_figure("What a static shape costs", "\n".join(facts), table["caveats"], 8, 4.6)
    axes = figure.subplots()
    axes.set_xscale("log")
    numbers = sorted({row["crops"] for row in cells})
    for index, crops in enumerate(numbers):
        rows = sorted((row for row in cells if row["crops"] == crops), key=lambda row: row["frames"])
        label = f"{crops} crop{'s' if crops > 1 else ''}"
        _draw(axes, index - (len(numbers) - 1) / 2, rows, label=label, **line_style(index))
    handles = axes.get_legend_handles_labels()[0]
    axes.axhline(0, color="#666666", linewidth=1)
    axes.axhline(100 * table["max_eer_increase"], **GATE)
    handles.append(Line2D([], [], label=f"accuracy gate: {100 * table['max_eer_increase']:+g} points", **GATE))
    if any(row["best"] for row in cells):
        handles.append(Line2D([], [], label="cheapest within the gate", **RING))
    _label(axes, sorted({row["frames"] * row["crops"] for row in cells}))
    legend_below(figure, handles, columns=3)
    return figure


def _label(axes, heard):
    """Ticks at the numbers of frames that there are, but for those that would lie on others."""
    ticks, room = [heard[-1]], (1.3 * heard[-1] / heard[0]) ** 0.065
    for value in reversed(heard[:-1]):
        if value * room < ticks[-1]:
            ticks.append(value)
    axes.set_xlim(heard[0] / 1.15, heard[-1] * 1.15)
    axes.xaxis.set_major_locator(ticker.FixedLocator(sorted(ticks)))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlabel("frames heard per utterance: frames × crops (the work is in proportion)")
    axes.set_ylabel("difference of the EER (points)")
