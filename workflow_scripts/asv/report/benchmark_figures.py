"""Pictures of benchmarks: throughput, latency, and the agreement of embeddings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import ticker
from matplotlib.lines import Line2D

from .. import caveats
from ..benchmark.table import shown_engine, shown_machine
from ..scoring import gate
from .figure import legend_below, line_style, new_figure, project_style

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure

SMALLEST = 1e-16  # lowest 1 - cosine that float64 can tell from 0


def _benchmark_figure(title, what, table):
    """A figure that says what machine was measured, and what is not in it."""
    facts = [shown_machine(table["machine"]), what]
    unsupported = sorted({row["engine"] for row in table["rows"] if row["status"] == "unsupported"})
    if unsupported:
        facts.append(f"Not supported on this machine: {', '.join(unsupported)}")
    figure = new_figure(title, "\n".join(facts), caveats.of_speeds(table), 8, 4.6)
    axes = figure.subplots()
    sizes = sorted({row["batch_size"] for row in table["rows"]})
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    axes.xaxis.set_major_locator(ticker.FixedLocator(sizes))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda size, _: f"{size:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlabel("batch size (crops)")
    return figure, axes


def _engines(table):
    """Labels in the table's order, which gives an engine the same colour in all pictures."""
    return list(dict.fromkeys(row["engine"] for row in table["rows"]))


def _measured(table):
    """Of every engine that has numbers: place beside the others, rows by batch size, style."""
    rows = sorted((row for row in table["rows"] if row["status"] == "ok"), key=lambda row: row["batch_size"])
    rows_of = {engine: [row for row in rows if row["engine"] == engine] for engine in _engines(table)}
    middle = (sum(map(bool, rows_of.values())) - 1) / 2
    styled = [(found, line_style(index)) for index, found in enumerate(rows_of.values()) if found]
    return [(index - middle, *of_engine) for index, of_engine in enumerate(styled)]


def _draw_line(axes, place, rows, column, low=None, high=None, **style):
    """Draw a column against the batch size, with bars from ``low`` to ``high`` where the table has them.

    ``place``, of the engine, moves its points a little to the side, so that its bars do not lie on another's.
    """
    rows = [row for row in rows if row[column] is not None]
    sizes = [row["batch_size"] * 2 ** (0.06 * place) for row in rows]
    values = np.array([row[column] for row in rows], float)
    below = values - np.array([row[low or column] for row in rows], float)
    above = np.array([row[high or column] for row in rows], float) - values  # not a number where the table has none
    bars = np.maximum([below, above], 0) if low or high else None
    axes.errorbar(sizes, values, bars, capsize=3, linewidth=1.6, markersize=6, **style)
    for verdict, (_, mark) in _MARKS.items():
        marked = [index for index, row in enumerate(rows) if row["gate"] == verdict]
        axes.plot(np.take(sizes, marked), values[marked], **mark)


_MARK: dict[str, Any] = {"color": "black", "markersize": 11, "linestyle": "none", "zorder": 6}
# By verdict of the gate: what the legend says, and the mark.
_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    gate.FAIL: ("fails the accuracy gate", {**_MARK, "marker": "x", "markeredgewidth": 2}),
    gate.UNDECIDED: ("undecided by the gate", {**_MARK, "marker": "$?$"}),
}


def gate_marks(table: Mapping[str, Any]) -> list[Line2D]:
    """Entries of the legend for the verdicts that are marked in a table."""
    verdicts = {row["gate"] for row in table["rows"]}
    return [Line2D([], [], label=words, **mark) for what, (words, mark) in _MARKS.items() if what in verdicts]


def _finish_lines(figure, axes, table):
    handles = axes.get_legend_handles_labels()[0]
    handles += gate_marks(table)
    legend_below(figure, handles, columns=3 if len(handles) > 2 else 2)
    return figure


@project_style()
def throughput_figure(table: Mapping[str, Any]) -> Figure:
    """Throughput against batch size, by engine; ``table`` is benchmarks.json."""
    figure, axes = _benchmark_figure(
        "Throughput by batch size",
        "One batch after another: median of repeated runs, bars from the slowest to the fastest",
        table,
    )
    for place, rows, style in _measured(table):
        _draw_line(
            axes, place, rows, "throughput", "throughput_low", "throughput_high", label=shown_engine(rows[0]), **style
        )
        if any(row["async_throughput"] is not None for row in rows):
            hollow = {**style, "linestyle": (0, (1, 2)), "markerfacecolor": "white"}
            _draw_line(axes, place, rows, "async_throughput", label=f"{shown_engine(rows[0])}, in flight", **hollow)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("throughput (crops / s)")
    return _finish_lines(figure, axes, table)


@project_style()
def latency_figure(table: Mapping[str, Any]) -> Figure:
    """Latency of a batch against batch size, by engine; ``table`` is benchmarks.json."""
    figure, axes = _benchmark_figure(
        "Latency by batch size",
        "Mean of a batch; bars reach to the 90th percentile where the count supports it",
        table,
    )
    for place, rows, style in _measured(table):
        _draw_line(axes, place, rows, "latency_mean_ms", high="latency_p90_ms", label=shown_engine(rows[0]), **style)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_ylabel("latency of a batch (ms)")
    return _finish_lines(figure, axes, table)


@project_style()
def agreement_figure(
    table: Mapping[str, Any],
    cosines: Mapping[tuple[str, int], npt.NDArray[np.float64]],
) -> Figure:
    """How far the embeddings are from the reference's: one box per engine and batch size.

    Args:
        table: benchmarks.json.
        cosines: ``(engine, batch size)`` to float64 ``(utterances,)``.
    """
    engines = _engines(table)
    facts = "Embeddings of the same features against those of TorchScript, float32, by engine and batch size\n"
    facts += "Box: half of the utterances, with the median; whiskers: 1 to 99 %; point: the worst utterance"
    figure = new_figure(
        "Agreement with the reference", facts, caveats.of_table(table), 8, 1.3 + 0.34 * max(len(cosines), 4)
    )
    if not cosines:
        figure.text(0.5, 0.4, "No engine was compared with the reference.", ha="center")
        return figure
    axes = figure.subplots()
    axes.set_xscale("log")
    handles = []
    distances = {key: np.maximum(1 - values, SMALLEST) for key, values in cosines.items()}
    for place, ((engine, _), values) in enumerate(distances.items()):
        style = line_style(engines.index(engine))
        _draw_box(axes, place, values, style["color"], style["marker"])
    shown = {row["engine"]: shown_engine(row) for row in table["rows"]}
    axes.set_yticks(range(len(cosines)), [f"{shown.get(engine, engine)}, bs{batch}" for engine, batch in cosines])
    axes.set_ylim(len(cosines) - 0.4, -0.6)
    limits = {(row["engine"], row["batch_size"]): row.get("min_cosine_limit") for row in table["rows"]}
    limits = {key: 1 - limit for key, limit in limits.items() if key in cosines and limit is not None and limit < 1}
    ends = [end for values in distances.values() for end in (values.min(), values.max())] + list(limits.values())
    ends = [math.log10(end) for end in ends if end > 0]
    axes.set_xlim(10 ** (math.floor(min(ends)) - 0.3), 10 ** (math.ceil(max(ends)) + 0.3))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("1 − cosine with the reference's embedding (no unit; 0 is equal)")
    axes.xaxis.set_major_locator(ticker.LogLocator(numticks=9))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    line: dict[str, Any] = {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.4}
    for place, key in enumerate(cosines):
        if key in limits:
            axes.plot([limits[key]] * 2, [place - 0.45, place + 0.45], **line)
    if limits:
        handles.append(Line2D([], [], label="accuracy_gate.min_cosine: FAIL to the right", **line))
        legend_below(figure, handles)
    return figure


def _draw_box(axes, place, distances, colour, marker):
    low, first, median, third, high = np.percentile(distances, (1, 25, 50, 75, 99))
    box = {"whislo": low, "q1": first, "med": median, "q3": third, "whishi": high}
    line = {"color": colour, "linewidth": 1.4}
    axes.bxp(
        [box],
        positions=[place],
        widths=0.55,
        orientation="horizontal",
        manage_ticks=False,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": colour + "44", "edgecolor": colour},
        medianprops={**line, "linewidth": 2.4},
        whiskerprops=line,
        capprops=line,
    )
    axes.plot(distances.max(), place, marker=marker, color=colour, markersize=6, markerfacecolor="white")
