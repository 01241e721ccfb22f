"""What all pictures of results share: their style, headings, legends, and how they are written.

matplotlib is used through its object interface alone: no window, no state between figures. Colours are those of Okabe
and Ito, told apart with every colour vision; lines differ in marker and style as well, for print. All text is drawn as
outlines, so that a picture looks the same, and its text keeps clear, in every viewer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .. import files

if TYPE_CHECKING:
    from matplotlib.artist import Artist

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
COLOURS = (BLUE, RED, "#009E73", "#CC79A7", ORANGE, "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 1)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (2, 2)))
# A ring around what is best, and the line of the accuracy gate.
RING: dict[str, Any] = {
    "color": "black",
    "marker": "o",
    "markersize": 14,
    "markerfacecolor": "none",
    "markeredgewidth": 1.6,
    "linestyle": "none",
    "zorder": 6,
}
GATE: dict[str, Any] = {"color": "black", "linestyle": (0, (5, 2)), "linewidth": 1.4}
STYLE: Any = {
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


@contextmanager
def project_style() -> Iterator[None]:
    """Draw in the project's style; decorates what draws. The user's ``matplotlibrc`` and settings do not count."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def line_style(index: int) -> dict[str, Any]:
    """Colour, marker and dashes of the line with this number."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


def new_figure(title: str, subtitle: str, notes: Iterable[str], width: float, height: float) -> Figure:
    """An empty figure with its headings.

    Args:
        title: what is shown.
        subtitle: of what; may have several lines, and is wrapped.
        notes: caveats, in words; where there are any a banner says so.
        width: inches.
        height: inches, without the headings.
    """
    subtitle, warning = wrap(subtitle, width * 13.5), wrap("; ".join(notes), width * 10)
    banner = 0.13 + 0.19 * len(warning.splitlines()) if warning else 0.0
    header = banner + 0.47 + 0.17 * len(subtitle.splitlines())
    figure = Figure(figsize=(width, height + header), facecolor="white", layout="constrained")
    engine: Any = figure.get_layout_engine()  # the constrained one
    engine.set(rect=(0.01, 0.01, 0.98, 1 - header / (height + header) - 0.01))

    def place(inches):
        return 1 - inches / (height + header)

    if warning:
        bottom = place(banner)
        figure.add_artist(Rectangle((0, bottom), 1, 1 - bottom, transform=figure.transFigure, color="#8C2D04"))
        figure.text(0.5, place(banner / 2), warning, color="white", weight="bold", ha="center", va="center")
    figure.text(0.1 / width, place(banner + 0.1), title, size=13, weight="bold", va="top")
    figure.text(0.1 / width, place(banner + 0.38), subtitle, size=9, color="#444444", va="top", linespacing=1.3)
    figure.set_label(title)
    return figure


def wrap(text: str, columns: float) -> str:
    """Text with lines of at most so many characters; its own line breaks stay."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, int(columns)))


@project_style()
def save_both(figure: Figure, path: Path) -> None:
    """Write a figure as ``path``, SVG, and as PNG beside it; the same figure gives the same bytes."""
    for suffix, metadata in (".svg", {"Date": None, "Creator": None}), (".png", {"Software": None}):
        with files.atomic_file(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, format=suffix[1:], metadata={"Title": figure.get_label(), **metadata})


def legend_below(figure: Figure, handles: Sequence[Artist], columns: int = 1) -> None:
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, handlelength=3.2, columnspacing=2)
