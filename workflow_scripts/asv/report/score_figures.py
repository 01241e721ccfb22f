"""Pictures of scores: DET curves and histograms."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import ticker
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .. import caveats
from ..scoring import metrics
from .figure import BLUE, MARKERS, ORANGE, RED, legend_below, line_style, new_figure, project_style, wrap

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ticks of the DET curve's axes, fractions.
RATES = (1e-5, 1e-4, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
RELIABLE = 30  # errors: a rate is then within 30 % of itself in 90 of 100 cases (Doddington's rule)


def _percent_tick(fraction, _=None):
    return f"{100 * fraction:.4g}"


def _of_what(result):
    engine = result["engine"]
    stand_in = " (STAND-IN)" if engine.get("stand_in") else ""
    return f"{engine['name']}{stand_in}, {engine['precision']}, batch size {engine['batch_size']}"


def set_deviate_axes(axes: Axes, lowest: float, highest: float) -> None:
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
        axis.set_major_formatter(ticker.FuncFormatter(_percent_tick))
        axis.set_minor_locator(ticker.NullLocator())
    axes.set_aspect("equal", anchor="W")


def det_limits(results: Collection[Mapping[str, Any]], points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Ends of both axes: what one trial is worth, and what must be seen; both are ticks."""
    most = max(max(protocol["targets"], protocol["nontargets"]) for protocol in results)
    lowest = max((rate for rate in RATES if rate <= min(1 / most, 0.05)), default=RATES[0])
    seen = max([0.35, *(protocol["eer"] for protocol in results), *(rate for point in points for rate in point)])
    return lowest, min((rate for rate in RATES if rate > seen), default=RATES[-1])


@dataclass(frozen=True)
class DetCurve:
    """What is drawn of a trial list, which takes less memory than the error rates of millions of trials.

    Attributes:
        points: float64 ``(2, n)``, false accept and miss.
        min_dcf: prior of a target, as text, to ``(false accept, miss)`` of the lowest detection cost.
    """

    points: npt.NDArray[np.float64]
    min_dcf: dict[str, tuple[float, float]]


def det_curve(rates: metrics.ErrorRates, priors: Iterable[str] = ()) -> DetCurve:
    """The :class:`DetCurve` of :class:`asv.scoring.metrics.ErrorRates`; ``priors`` are text."""
    return DetCurve(visible_points(rates), {prior: metrics.min_dcf_point(rates, float(prior)) for prior in priors})


def visible_points(rates: metrics.ErrorRates) -> npt.NDArray[np.float64]:
    """``(false accept, miss)`` of the curve, without points that no eye tells apart.

    A rate of 0 or 1 has no place on normal-deviate axes.
    """
    from scipy.special import ndtri

    inside = (rates.false_accept > 0) & (rates.false_accept < 1) & (rates.miss > 0) & (rates.miss < 1)
    points = [rates.false_accept[inside], rates.miss[inside]]
    new = np.ones(len(points[0]), bool)
    new[1:] = False
    for of_side in points:
        pixels = ndtri(of_side)
        np.rint(np.multiply(pixels, 500, out=pixels), out=pixels)
        new[1:] |= pixels[1:] != pixels[:-1]
    return np.stack([of_side[new] for of_side in points])


@project_style()
def det_figure(result: Mapping[str, Any], curve_of: Mapping[str, DetCurve]) -> Figure:
    """DET curves of all trial lists of a result, with their operating points.

    Args:
        result: JSON of write_answer.py.
        curve_of: name of a trial list to its :class:`DetCurve`.
    """
    protocols = {name: result["protocols"][name] for name in curve_of}
    points = {name: curve.min_dcf for name, curve in curve_of.items()}
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
    for index, (name, curve) in enumerate(curve_of.items()):
        handles.append(_draw_list(axes, index, name, protocols[name], curve, lowest))
    priors = dict.fromkeys(prior for of_list in points.values() for prior in of_list)
    shapes = dict(zip(["EER", *(f"minDCF, p = {prior}" for prior in priors)], MARKERS))
    handles += [
        Line2D([], [], color="black", marker=marker, linestyle="none", markerfacecolor="white", label=label)
        for label, marker in shapes.items()
    ]
    legend_below(figure, handles)
    return figure


def _draw_list(axes, index, name, protocol, det, lowest):
    """Draw one trial list's curve and points; returns its entry in the legend."""
    style = line_style(index)
    style.pop("marker")
    curve = det.points
    errors = curve * [[protocol["nontargets"]], [protocol["targets"]]]
    many = (errors >= RELIABLE - 0.5).all(axis=0)
    few = ~many
    few[1:] |= ~many[:-1]  # the segment between both kinds of points is thin
    few[:-1] |= ~many[1:]
    axes.plot(*np.where(few, curve, np.nan), linewidth=0.9, **style)
    axes.plot(*np.where(many, curve, np.nan), linewidth=2.2, **style)
    operating = [(protocol["eer"], protocol["eer"]), *det.min_dcf.values()]
    for marker, point in zip(MARKERS, operating):
        if point[1] < 1:  # there nothing is accepted, at any cost
            place = [[max(rate, lowest)] for rate in point]
            markers = {"markersize": 8, "markerfacecolor": "white", "markeredgewidth": 1.6, "zorder": 5}
            axes.plot(*place, marker=marker, color=style["color"], clip_on=False, **markers)
    costs = ", ".join(f"{cost:.3f} (p = {prior})" for prior, cost in protocol["min_dcf"].items())
    label = wrap(f"{name}: EER {100 * protocol['eer']:.2f} %, minDCF {costs}", 80)
    return Line2D([], [], linewidth=2.2, label=label, **style)


@project_style()
def histogram_figure(
    result: Mapping[str, Any], scores_of: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]
) -> Figure:
    """Histograms of target and nontarget scores, one panel per trial list, with the threshold of the EER.

    Args:
        result: JSON of write_answer.py.
        scores_of: name of a trial list to its scores, float ``(n,)``, and whether each is a target's, bool ``(n,)``.
    """
    count = len(scores_of)
    figure = new_figure("Scores of trials", _of_what(result), caveats.of_result(result), 8, 0.9 + max(2.3 * count, 2.6))
    if not scores_of:
        return _without_lists(figure)
    edges = bins(*extremes(scores for scores, _ in scores_of.values()))
    panels = figure.subplots(count, sharex=True, squeeze=False)[:, 0]
    for axes, (name, (scores, targets)) in zip(panels, scores_of.items()):
        protocol = result["protocols"][name]
        for kind, style in _CLASSES.items():
            of_kind = scores[targets] if kind == "targets" else scores[~targets]
            shares = np.histogram(of_kind, edges)[0] * (100 / len(of_kind))
            axes.hist(edges[:-1], edges, weights=shares, histtype="stepfilled", **style)
        axes.axvline(protocol["threshold"], **_THRESHOLD)
        trials = f"{protocol['targets']:,} targets, {protocol['nontargets']:,} nontargets"
        title = f"{name}: {trials}, EER {100 * protocol['eer']:.2f} % at {protocol['threshold']:.3f}"
        axes.set_title(wrap(title, 85))
        axes.set_ylabel("trials of the class (%)")
    panels[-1].set_xlabel(f"{score_label(result)}, bins of {edges[1] - edges[0]:.3g}")
    legend_below(
        figure,
        [*(Patch(label=kind, **style) for kind, style in _CLASSES.items()), Line2D([], [], **_THRESHOLD)],
        columns=3,
    )
    return figure


_CLASSES: dict[str, dict[str, Any]] = {
    "nontargets": {"facecolor": ORANGE + "55", "edgecolor": RED, "hatch": "///", "hatch_linewidth": 0.5},
    "targets": {"facecolor": BLUE + "55", "edgecolor": BLUE, "linewidth": 1.2},
}
_THRESHOLD: dict[str, Any] = {
    "color": "black",
    "linestyle": (0, (5, 2)),
    "linewidth": 1.4,
    "label": "threshold of the EER",
}


def score_label(result: Mapping[str, Any]) -> str:
    """What the axis of scores shows, with its unit."""
    normalised = result["scoring"]["as_norm"]
    return "score (standard deviations of the cohort's)" if normalised else "score (cosine, no unit)"


def extremes(arrays: Iterable[npt.NDArray[np.float64]]) -> tuple[float, float]:
    """The lowest and the highest value of all arrays."""
    ends = [(float(array.min()), float(array.max())) for array in arrays]
    return min(low for low, _ in ends), max(high for _, high in ends)


def bins(lowest: float, highest: float, about: int = 60) -> npt.NDArray[np.floating[Any]]:
    """Edges of about so many bins of a round width from the lowest to the highest score."""
    span = max(highest - lowest, 1e-3) / about
    decade = 10.0 ** math.floor(math.log10(span))
    width = next(step * decade for step in (1, 2, 5, 10) if step * decade >= span)
    return np.arange(math.floor(lowest / width), math.floor(highest / width) + 2) * width


def _without_lists(figure):
    figure.text(0.5, 0.4, "No trial list was scored; the scores of centroids are not kept.", ha="center")
    return figure
