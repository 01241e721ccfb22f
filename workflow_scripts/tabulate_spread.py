"""Compare crops at places of several random seeds: the spread of the error rates, which their intervals do not hold.

One table, for people (.md) and for programs (.json).
"""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, files
from asv.report import spread_document
from asv.scoring import comparison, lengths, spread


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--settings", type=Path, nargs="+", required=True, help="folders of gather_embeddings.py")
    comparison.add_options(parser, cli.positive)
    parser.add_argument("--markdown", type=Path, required=True, help="the table for a person")
    parser.add_argument("--json", type=Path, required=True, help="the table for programs")
    return parser.parse_args()


def main():
    options = parse_arguments()
    settings, scoring = [lengths.read(folder) for folder in options.settings], comparison.scoring(options)
    first, shared = settings[0], lengths.common(settings)
    about = comparison.about(options, first.facts["engine"])

    def data_of(setting):
        return lengths.data_of(setting, shared, options.cohort, options.subtract_mean)

    trials = comparison.trials_of(options, data_of(first), first, scoring)
    work = lengths.gflop_per_frame(about["network"])
    rows = []
    for of_crops in spread.by_crops(settings).values():
        scores = [trials.scores(data_of(setting)) for setting in of_crops]
        rows.append(spread.row(of_crops, scores, trials, scoring.draws, work))
    table = {
        "caveats": caveats.of_result(about),
        "placement": first.facts["placement"],
        "short": first.facts["short"],
        **about,
        "protocol": trials.protocol,
        "utterances": shared.counts,
        "trials": trials.counts,
        "bootstrap": {"replicates": scoring.draws.replicates, "seed": scoring.draws.seed},
        "rows": rows,
    }
    files.write_json(options.json, table)
    files.write_text(options.markdown, spread_document.text(table))


if __name__ == "__main__":
    cli.run(main)
