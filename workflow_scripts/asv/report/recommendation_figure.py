"""The picture behind a recommendation: how much faster, at which increase of the EER."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import ticker
from matplotlib.lines import Line2D

from .. import caveats
from ..benchmark import recommendation
from ..benchmark.table import shown_machine
from .figure import GATE, RING, legend_below, line_style, new_figure, project_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GATES = (*recommendation.PASSING, recommendation.UNDECIDED, "FAIL")


@project_style()
def recommendation_figure(table: Mapping[str, Any], limit: float) -> Figure:
    """Throughput against the EER's increase over the reference's, with 95 % intervals; a marker for each engine.

    Args:
        table: recommendation.json.
        limit: of the increase that the accuracy gate accepts, a fraction.
    """
    found = recommendation.choices(table["rows"], "throughput", recommendation.Limits(), GATES)
    where = shown_machine(table["machine"])
    facts = f"every batch size, one by one and in flight; {where}; bars: 95 % intervals"
    figure = new_figure("Throughput and what it costs in accuracy", facts, caveats.of_speeds(table), 8, 4.6)
    axes = figure.subplots()
    axes.set_xscale("log")
    for index, engine in enumerate(sorted({choice["engine"] for choice in found})):
        own = [choice for choice in found if choice["engine"] == engine]
        values = np.array([choice["eer_increase"] or 0.0 for choice in own])
        ends = [
            [value if choice[end] is None else choice[end] for choice, value in zip(own, values)]
            for end in ("eer_increase_low", "eer_increase_high")
        ]
        style = {**line_style(index), "linestyle": "none"}
        bars = 100 * np.maximum([values - ends[0], ends[1] - values], 0)
        axes.errorbar(
            [choice["value"] for choice in own], 100 * values, bars, label=engine, capsize=2, linewidth=1, **style
        )
    handles = axes.get_legend_handles_labels()[0]
    axes.axhline(100 * limit, **GATE)
    handles.append(Line2D([], [], label=f"accuracy gate: {100 * limit:+g} points", **GATE))
    best = table["throughput"]
    if best["engine"] is not None:
        axes.plot(best["value"], 100 * (best["eer_increase"] or 0.0), **RING)
        handles.append(Line2D([], [], label="recommended", **RING))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel("throughput (crops/s)")
    axes.set_ylabel("increase of the EER (points)")
    legend_below(figure, handles, columns=3)
    return figure
