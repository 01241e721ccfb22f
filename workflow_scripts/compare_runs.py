"""Compare two runs, such as those of two checkpoints, by the same trials: EER and minDCF, with paired intervals.

    python workflow_scripts/compare_runs.py runs/first runs/second

A and B are folders of experiments, or their answers' JSON files. The table is printed and, with the picture, written
beside it: comparison.md, .json, .svg and .png.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.report import comparison_document
from asv.report.figure import save_both
from asv.scoring import run_comparison


def parse_arguments():
    parser = cli.parser(__doc__)
    for name in "ab":
        parser.add_argument(name, type=Path, metavar=name.upper(), help="folder of an experiment, or an answer's JSON")
    parser.add_argument("--batch-size", type=cli.positive, help="which answer of the folders, if they have several")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no intervals")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws of speakers")
    parser.add_argument("--output", type=Path, default="comparison", help="of the files, without a suffix")
    return parser.parse_args()


def main():
    options = parse_arguments()
    runs = [run_comparison.find(place, options.batch_size) for place in (options.a, options.b)]
    found = run_comparison.compare(*runs, options.bootstrap_replicates, options.bootstrap_seed)
    table = comparison_document.text(found)
    files.write_json(f"{options.output}.json", found)
    files.write_text(f"{options.output}.md", table)
    save_both(comparison_document.figure(found), Path(f"{options.output}.svg"))
    print(table, end="")


if __name__ == "__main__":
    cli.run(main)
