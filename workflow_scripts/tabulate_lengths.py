"""Compare settings of frames and crops with whole utterances: accuracy and work per utterance, and the cheapest setting
within the gate. One table, for people (.md) and for programs (.tsv and .json).
"""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, files
from asv.report import length_document
from asv.scoring import comparison, lengths


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--settings",
        type=Path,
        nargs="+",
        required=True,
        help="folders of gather_embeddings.py, whole utterances first",
    )
    comparison.add_options(parser, cli.positive)
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="a fraction: 0.002 is 0.2 points")
    parser.add_argument("--left-out", type=int, nargs="*", default=[], help="numbers of crops that cannot be had")
    parser.add_argument("--output", type=Path, required=True, help="the table; .tsv, .md and .json are put behind it")
    return parser.parse_args()


def compared(options, settings):
    """What is known of the comparison, and its rows."""
    scoring = comparison.scoring(options)
    shared, whole = lengths.common(settings), settings[0]
    data = lengths.data_of(whole, shared, options.cohort, options.subtract_mean)
    trials = comparison.trials_of(options, data, whole, scoring)
    of_whole, work = trials.scores(data), lengths.gflop_per_frame(files.read_json(options.network))
    rows = []
    for setting in settings:
        scores = trials.scores(lengths.data_of(setting, shared, options.cohort, options.subtract_mean))
        rows.append(lengths.row(setting, scores, of_whole, trials, scoring.draws, work, options.max_eer_increase))
    lengths.mark_best(rows)
    return {
        "protocol": trials.protocol,
        "utterances": shared.counts,
        "trials": trials.counts,
        "bootstrap": {"replicates": scoring.draws.replicates, "seed": scoring.draws.seed},
        "rows": rows,
    }


def main():
    options = parse_arguments()
    settings = [lengths.read(folder) for folder in options.settings]
    whole = settings[0].facts
    about = comparison.about(options, whole["engine"])
    table = {
        "caveats": caveats.of_result(about),
        "max_eer_increase": options.max_eer_increase,
        "placement": whole["placement"],
        "short": whole["short"],
        "left_out": options.left_out,
        "overridden": options.overridden,
        **about,
        **compared(options, settings),
    }
    table["recommendation"] = length_document.recommendation(table)
    files.write_json(f"{options.output}.json", table)
    files.write_text(f"{options.output}.md", length_document.text(table))
    files.write_table(f"{options.output}.tsv", length_document.TSV, map(length_document.tsv_cells, table["rows"]))


if __name__ == "__main__":
    cli.run(main)
