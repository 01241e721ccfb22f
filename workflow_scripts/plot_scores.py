"""Draw the DET curves and the score histograms of all trial lists, for one engine and batch size.

Written as SVG and PNG beside each other: the options name the SVG. Two runs write the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.errors import InputError
from asv.report import figure, score_figures
from asv.scoring import metrics, tables


def read_scores(folder, names):
    """Name of a trial list to its scores, float64 ``(n,)``, and targets, bool ``(n,)``, in the order of ``names``."""
    path_of = tables.of_folder(folder)
    if surplus := path_of.keys() - set(names):
        raise InputError(f"{path_of[min(surplus)]}: the result does not know this trial list; run score again")
    found = {name: tables.read(path_of[name]) for name in names if name in path_of}
    return {name: (table.scores, table.targets) for name, table in found.items()}


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables of score.py")
    parser.add_argument("--result", type=Path, required=True, help="JSON of write_answer.py")
    parser.add_argument("--det-output", type=Path, required=True, help="SVG of the DET curves")
    parser.add_argument("--histogram-output", type=Path, required=True, help="SVG of the histograms")
    options = parser.parse_args()
    result = files.read_json(options.result)
    protocols, scores_of = result["protocols"], read_scores(options.scores, result["protocols"])
    curves = {
        name: score_figures.det_curve(metrics.error_rates(*scores), protocols[name]["min_dcf"])
        for name, scores in scores_of.items()
    }
    figure.save_both(score_figures.det_figure(result, curves), options.det_output)
    figure.save_both(score_figures.histogram_figure(result, scores_of), options.histogram_output)


if __name__ == "__main__":
    cli.run(main)
