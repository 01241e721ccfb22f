"""Draw the DET curves and the score histograms of all trial lists, for one engine and batch size.

Written as SVG and PNG beside each other: the options name the SVG. Two runs write the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.errors import InputError
from asv.report import plots
from asv.scoring import metrics, tables


def read_scores(folder, names):
    """Name of a trial list to its scores, float64 ``(n,)``, and targets, bool ``(n,)``, in the order of ``names``."""
    tables = {path.stem: path for path in folder.iterdir() if path.suffix in tables.READERS}
    if surplus := tables.keys() - set(names):
        raise InputError(f"{tables[min(surplus)]}: the result does not know this trial list; run score again")
    found = {}
    for name in names:
        if name in tables:
            found[name] = tables.read(tables[name])
    return found


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables of score.py")
    parser.add_argument("--result", type=Path, required=True, help="JSON of score.py")
    parser.add_argument("--det-output", type=Path, required=True, help="SVG of the DET curves")
    parser.add_argument("--histogram-output", type=Path, required=True, help="SVG of the histograms")
    options = parser.parse_args()
    result = files.read_json(options.result)
    scores_of = read_scores(options.scores, result["protocols"])
    rates_of = {name: metrics.error_rates(*scores) for name, scores in scores_of.items()}
    plots.save_both(plots.det_figure(result, rates_of), options.det_output)
    plots.save_both(plots.histogram_figure(result, scores_of), options.histogram_output)


if __name__ == "__main__":
    cli.run(main)
