"""Draw the picture of the README from the first table of docs/benchmarks.md, so that the two cannot differ.

python tools/draw_benchmarks.py     # writes docs/img/throughput.svg
"""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "asv", "svg.fonttype": "none", "font.size": 11})
from matplotlib import pyplot  # noqa: E402 - after the backend is chosen

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "img" / "throughput.svg"
STYLES = {
    "torchscript-f32": ("TorchScript float32 (the reference)", "#6b7280", "s"),
    "openvino-f32": ("OpenVINO float32", "#1f6fb4", "o"),
    "openvino-bf16": ("OpenVINO bfloat16", "#c2571a", "^"),
}


def rows(text):
    """``(engine, batch size, crops/s, half the range of the runs in crops/s)`` of the page's first table."""
    found = re.findall(r"^\| ([a-z]+-\w+) \| (\d+) \| ([\d.]+) \| ±([\d.]+) % \|", text, re.M)
    return [(engine, int(size), float(rate), float(rate) * float(share) / 100) for engine, size, rate, share in found]


def cpu(text):
    """The machine that the page names."""
    return re.search(r"^(.*, \d+ cores)", text, re.M)[1]


def main():
    text = PAGE.read_text(encoding="utf-8")
    figure, axes = pyplot.subplots(figsize=(8, 3.9), layout="constrained")
    table = rows(text)
    for engine, (label, colour, marker) in STYLES.items():
        sizes, rates, spread = zip(*(row[1:] for row in table if row[0] == engine))
        axes.errorbar(sizes, rates, spread, label=label, color=colour, marker=marker, capsize=3, linewidth=1.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set(xlabel="batch size (crops of 2 s)", ylabel="throughput (crops / s)", ylim=(0, None))
    axes.set_title(f"C = 512, 12.8 GFLOP per crop, untrained weights; {cpu(text)}, 2 threads", fontsize=11, loc="left")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.78))
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
