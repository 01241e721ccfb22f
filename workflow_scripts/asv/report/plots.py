"""Pictures of results, as matplotlib figures.

The only module that imports matplotlib, and through its object interface alone: no window, no state between figures.
Colours are those of Okabe and Ito, told apart with every colour vision; lines differ in marker and style as well, for
print. All text is drawn as outlines, so that a picture looks the same, and its text keeps clear, in every viewer.
"""

from __future__ import annotations

import math
import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from .. import caveats, files
from ..benchmark.table import shown_engine

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
COLOURS = (BLUE, RED, "#009E73", "#CC79A7", ORANGE, "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 1)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (2, 2)))
STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so the same on every machine
    "font.size": 10,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "asv",  # otherwise the names inside an SVG are random
}
# Ticks of the DET curve's axes, fractions.
RATES = (1e-5, 1e-4, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
RELIABLE = 30  # errors: a rate is then within 30 % of itself in 90 of 100 cases (Doddington's rule)
SMALLEST = 1e-16  # least 1 - cosine that float64 can tell from 0

# A reader's own matplotlibrc must not change the pictures.
mpl.rcdefaults()
mpl.rcParams.update(STYLE)


def line_style(index):
    """Colour, marker and dashes of the line with this number."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


# What all figures share


def new_figure(title, subtitle, notes, width, height):
    """An empty figure with its headings.

    Args:
        title: what is shown.
        subtitle: of what; may have several lines, and is wrapped.
        notes: caveats, in words; where there are any a banner says so.
        width: inches.
        height: inches, without the headings.
    """
    subtitle, warning = _wrap(subtitle, width * 13.5), _wrap("; ".join(notes), width * 10)
    banner = 0.13 + 0.19 * len(warning.splitlines()) if warning else 0.0
    header = banner + 0.47 + 0.17 * len(subtitle.splitlines())
    figure = Figure(figsize=(width, height + header), facecolor="white", layout="constrained")
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.98, 1 - header / (height + header) - 0.01))

    def place(inches):
        return 1 - inches / (height + header)

    if warning:
        bottom = place(banner)
        figure.add_artist(Rectangle((0, bottom), 1, 1 - bottom, transform=figure.transFigure, color="#8C2D04"))
        figure.text(0.5, place(banner / 2), warning, color="white", weight="bold", ha="center", va="center")
    figure.text(0.1 / width, place(banner + 0.1), title, size=13, weight="bold", va="top")
    figure.text(0.1 / width, place(banner + 0.38), subtitle, size=9, color="#444444", va="top", linespacing=1.3)
    figure.asv_title = title
    return figure


def _wrap(text, columns):
    """Text with lines of at most so many characters; its own line breaks stay."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, int(columns)))


def save_both(figure, path):
    """Write a figure as ``path``, SVG, and as PNG beside it; the same figure gives the same bytes."""
    for suffix, metadata in (".svg", {"Date": None, "Creator": None}), (".png", {"Software": None}):
        with files.atomic_file(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, format=suffix[1:], metadata={"Title": figure.asv_title, **metadata})


def legend_below(figure, handles, columns=1):
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, handlelength=3.2, columnspacing=2)


def _percent(fraction, _=None):
    return f"{100 * fraction:.4g}"


# Scores


def _of_what(result):
    engine = result["engine"]
    stand_in = " (STAND-IN)" if engine.get("stand_in") else ""
    return f"{engine['name']}{stand_in}, {engine['precision']}, batch size {engine['batch_size']}"


def set_deviate_axes(axes, lowest, highest):
    """Normal-deviate axes from ``lowest`` to ``highest``, fractions: normal distributions give straight lines."""
    from scipy.special import ndtr, ndtri

    limits = (lowest, highest)
    for axis, set_scale, set_limits in (
        (axes.xaxis, axes.set_xscale, axes.set_xlim),
        (axes.yaxis, axes.set_yscale, axes.set_ylim),
    ):
        set_scale("function", functions=(ndtri, ndtr))
        set_limits(limits)
        axis.set_major_locator(ticker.FixedLocator([rate for rate in RATES if lowest <= rate <= highest]))
        axis.set_major_formatter(ticker.FuncFormatter(_percent))
        axis.set_minor_locator(ticker.NullLocator())
    axes.set_aspect("equal", anchor="W")


def det_limits(results, points):
    """Ends of both axes: what one trial is worth, and what must be seen; both are ticks."""
    most = max(max(protocol["targets"], protocol["nontargets"]) for protocol in results)
    lowest = max((rate for rate in RATES if rate <= min(1 / most, 0.05)), default=RATES[0])
    seen = max([0.35, *(protocol["eer"] for protocol in results), *(rate for point in points for rate in point)])
    return lowest, min((rate for rate in RATES if rate > seen), default=RATES[-1])


def det_curve(rates):
    """``(false accept, miss)`` of the curve, without points that no eye tells apart.

    A rate of 0 or 1 has no place on normal-deviate axes.
    """
    from scipy.special import ndtri

    inside = (rates.false_accept > 0) & (rates.false_accept < 1) & (rates.miss > 0) & (rates.miss < 1)
    points = np.stack((rates.false_accept[inside], rates.miss[inside]), axis=1)
    pixels = np.rint(ndtri(points) * 500)
    new = np.ones(len(points), bool)
    new[1:] = (pixels[1:] != pixels[:-1]).any(axis=1)
    return points[new].T


def min_dcf_point(rates, prior):
    """``(false accept, miss)`` where the detection cost is least; of several the one with the highest threshold."""
    best = int(np.argmin(prior * rates.miss + (1 - prior) * rates.false_accept))
    return float(rates.false_accept[best]), float(rates.miss[best])


def det_figure(result, rates_of):
    """DET curves of all trial lists of a result, with their operating points.

    Args:
        result: JSON of score.py.
        rates_of: name of a trial list to its :class:`asv.scoring.metrics.ErrorRates`.
    """
    protocols = {name: result["protocols"][name] for name in rates_of}
    points = {
        name: {prior: min_dcf_point(rates, float(prior)) for prior in protocols[name]["min_dcf"]}
        for name, rates in rates_of.items()
    }
    facts = f"{_of_what(result)}\nThin where fewer than {RELIABLE} misses or false accepts make the rate uncertain"
    figure = new_figure("Detection error trade-off", facts, caveats.of_result(result), 7.2, 6.9 + 0.2 * len(points))
    if not protocols:
        return _without_lists(figure)
    axes = figure.subplots()
    shown = [point for of_list in points.values() for point in of_list.values() if point[1] < 1]
    lowest, highest = det_limits(protocols.values(), shown)
    set_deviate_axes(axes, lowest, highest)
    axes.plot([lowest, highest], [lowest, highest], color="#BBBBBB", linewidth=0.8, zorder=1)
    axes.set_xlabel("false accepts (% of nontarget trials)")
    axes.set_ylabel("misses (% of target trials)")
    handles = []
    for index, (name, rates) in enumerate(rates_of.items()):
        handles.append(_draw_list(axes, index, name, protocols[name], rates, points[name], lowest))
    priors = dict.fromkeys(prior for of_list in points.values() for prior in of_list)
    shapes = dict(zip(["EER", *(f"minDCF, p = {prior}" for prior in priors)], MARKERS))
    handles += [
        Line2D([], [], color="black", marker=marker, linestyle="none", markerfacecolor="white", label=label)
        for label, marker in shapes.items()
    ]
    legend_below(figure, handles)
    return figure


def _draw_list(axes, index, name, protocol, rates, points, lowest):
    """Draw one trial list's curve and points; returns its entry in the legend."""
    style = line_style(index)
    style.pop("marker")
    curve = det_curve(rates)
    errors = curve * [[protocol["nontargets"]], [protocol["targets"]]]
    many = (errors >= RELIABLE - 0.5).all(axis=0)
    few = ~many
    few[1:] |= ~many[:-1]  # the segment between both kinds of points is thin
    few[:-1] |= ~many[1:]
    axes.plot(*np.where(few, curve, np.nan), linewidth=0.9, **style)
    axes.plot(*np.where(many, curve, np.nan), linewidth=2.2, **style)
    operating = [(protocol["eer"], protocol["eer"]), *points.values()]
    for marker, point in zip(MARKERS, operating):
        if point[1] < 1:  # there nothing is accepted, at any cost
            place = [[max(rate, lowest)] for rate in point]
            markers = {"markersize": 8, "markerfacecolor": "white", "markeredgewidth": 1.6, "zorder": 5}
            axes.plot(*place, marker=marker, color=style["color"], clip_on=False, **markers)
    costs = ", ".join(f"{cost:.3f} (p = {prior})" for prior, cost in protocol["min_dcf"].items())
    label = _wrap(f"{name}: EER {100 * protocol['eer']:.2f} %, minDCF {costs}", 80)
    return Line2D([], [], linewidth=2.2, label=label, **style)


def histogram_figure(result, scores_of):
    """Histograms of target and nontarget scores, a panel a trial list, with the threshold of the EER.

    Args:
        result: JSON of score.py.
        scores_of: name of a trial list to its scores, float ``(n,)``, and whether each is a target's, bool ``(n,)``.
    """
    count = len(scores_of)
    figure = new_figure("Scores of trials", _of_what(result), caveats.of_result(result), 8, 0.9 + max(2.3 * count, 2.6))
    if not scores_of:
        return _without_lists(figure)
    edges = bins(np.concatenate([scores for scores, _ in scores_of.values()]))
    panels = figure.subplots(count, sharex=True, squeeze=False)[:, 0]
    for axes, (name, (scores, targets)) in zip(panels, scores_of.items()):
        protocol = result["protocols"][name]
        for kind, style in _CLASSES.items():
            of_kind = scores[targets] if kind == "targets" else scores[~targets]
            axes.hist(of_kind, edges, weights=np.full(len(of_kind), 100 / len(of_kind)), histtype="stepfilled", **style)
        axes.axvline(protocol["threshold"], **_THRESHOLD)
        trials = f"{protocol['targets']:,} targets, {protocol['nontargets']:,} nontargets"
        title = f"{name}: {trials}, EER {100 * protocol['eer']:.2f} % at {protocol['threshold']:.3f}"
        axes.set_title(_wrap(title, 85))
        axes.set_ylabel("trials of the class (%)")
    panels[-1].set_xlabel(f"{score_name(result)}, bins of {edges[1] - edges[0]:.3g}")
    legend_below(
        figure,
        [*(Patch(label=kind, **style) for kind, style in _CLASSES.items()), Line2D([], [], **_THRESHOLD)],
        columns=3,
    )
    return figure


_CLASSES = {
    "nontargets": {"facecolor": ORANGE + "55", "edgecolor": RED, "hatch": "///", "hatch_linewidth": 0.5},
    "targets": {"facecolor": BLUE + "55", "edgecolor": BLUE, "linewidth": 1.2},
}
_THRESHOLD = {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.4, "label": "threshold of the EER"}


def score_name(result):
    """What a score is, with its unit."""
    normalised = result.get("scoring", {}).get("as_norm")
    return "score (standard deviations of the cohort's)" if normalised else "score (cosine, no unit)"


def bins(scores, about=60):
    """Edges of about so many bins of a round width, the same for all classes and lists."""
    span = max(float(np.ptp(scores)), 1e-3) / about
    decade = 10.0 ** math.floor(math.log10(span))
    width = next(step * decade for step in (1, 2, 5, 10) if step * decade >= span)
    return np.arange(math.floor(scores.min() / width), math.floor(scores.max() / width) + 2) * width


def _without_lists(figure):
    figure.text(0.5, 0.4, "No trial list was scored; the scores of centroids are not kept.", ha="center")
    return figure


# Benchmarks


def _benchmark_figure(title, what, table):
    """A figure that says what machine was measured, and what is not in it."""
    threads = table["machine"]["threads"]
    facts = [f"{table['machine']['cpu']}, {threads} thread{'s' if threads > 1 else ''}", what]
    unsupported = sorted({row["engine"] for row in table["rows"] if row["status"] == "unsupported"})
    if unsupported:
        facts.append(f"Not supported on this machine: {', '.join(unsupported)}")
    figure = new_figure(title, "\n".join(facts), caveats.of_table(table), 8, 4.6)
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
    failed = [index for index, row in enumerate(rows) if row["gate"] == "FAIL"]
    axes.plot(np.take(sizes, failed), values[failed], **_FAILED)


_FAILED = {"color": "black", "marker": "x", "markersize": 11, "markeredgewidth": 2, "linestyle": "none", "zorder": 6}


def _finish_lines(figure, axes, table):
    handles = axes.get_legend_handles_labels()[0]
    if any(row["gate"] == "FAIL" for row in table["rows"]):
        handles.append(Line2D([], [], label="fails the accuracy gate", **_FAILED))
    legend_below(figure, handles, columns=3 if len(handles) > 2 else 2)
    return figure


def throughput_figure(table):
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


def latency_figure(table):
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


def agreement_figure(table, cosines, least_cosine=None):
    """How far the embeddings are from the reference's: a box an engine and batch size.

    Args:
        table: benchmarks.json.
        cosines: ``(engine, batch size)`` to float64 ``(utterances,)``.
        least_cosine: what the accuracy gate accepts.
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
    ends = [*(end for values in distances.values() for end in (values.min(), values.max())), 1 - (least_cosine or 1)]
    ends = [math.log10(end) for end in ends if end > 0]
    axes.set_xlim(10 ** (math.floor(min(ends)) - 0.3), 10 ** (math.ceil(max(ends)) + 0.3))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("1 − cosine with the reference's embedding (no unit; 0 is equal)")
    axes.xaxis.set_major_locator(ticker.LogLocator(numticks=9))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    if least_cosine is not None and least_cosine < 1:
        gate = {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.4}
        axes.axvline(1 - least_cosine, **gate)
        handles.append(Line2D([], [], label=f"accuracy gate: cosine {least_cosine:g}, FAIL to the right", **gate))
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
