"""Compare settings of frames and crops with whole utterances: accuracy and work per utterance, and the cheapest setting
within the gate. One table, for people (.md) and for programs (.tsv and .json).
"""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, files
from asv.network import feature_fit
from asv.report import length_document
from asv.scoring import length_trials, lengths, mean_choice, protocols


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--settings",
        type=Path,
        nargs="+",
        required=True,
        help="folders of gather_embeddings.py, whole utterances first",
    )
    parser.add_argument("--network", type=Path, required=True, help="JSON of trace_network.py")
    parser.add_argument("--fit", type=Path, required=True, help="JSON of check_features.py")
    parser.add_argument(
        "--on-misfit", choices=("warn", "fail", "ignore"), default="warn", help="features that do not fit"
    )
    parser.add_argument("--overridden", nargs="*", default=[], help="settings that override values of the contract")
    parser.add_argument("--demo-data", action="store_true", help="say that the data set is the demo's")
    parser.add_argument("--demo-checkpoint", default="", help="say that the checkpoint is the demo's, and of what kind")
    parser.add_argument("--trials", type=Path, nargs="*", default=[], help="trial list; without one, centroids")
    parser.add_argument(
        "--on-missing-trial", choices=("fail", "skip"), default="fail", help="trials of unknown utterances"
    )
    parser.add_argument("--subtract-mean", choices=mean_choice.MEANS, default="none", help="whose mean is subtracted")
    parser.add_argument("--cohort", type=Path, nargs="?", help="utterances, one per line: scores are AS-normalised")
    parser.add_argument("--as-norm-top", type=cli.positive, default=300, help="how many of the cohort's speakers")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no confidence intervals")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws of speakers")
    parser.add_argument("--no-centroid", action="store_true", help="do not fall back on the centroid protocol")
    parser.add_argument("--centroid-max-duration", type=float, default=19.0, help="seconds; longer are left out there")
    parser.add_argument("--centroid-max-scores", type=int, default=20_000_000, help="above it, no centroid protocol")
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="a fraction: 0.002 is 0.2 points")
    parser.add_argument("--left-out", type=int, nargs="*", default=[], help="numbers of crops that cannot be had")
    parser.add_argument("--output", type=Path, required=True, help="the table; .tsv, .md and .json are put behind it")
    return parser.parse_args()


def compared(options, settings):
    """What is known of the comparison, and its rows."""
    draws = protocols.Draws(options.bootstrap_replicates, options.bootstrap_seed)
    scoring = protocols.Settings(
        on_missing=options.on_missing_trial,
        top=options.as_norm_top,
        draws=draws,
        centroid=not options.no_centroid,
        max_duration=options.centroid_max_duration,
        max_scores=options.centroid_max_scores,
    )
    shared, whole = lengths.common(settings), settings[0]
    data = lengths.data_of(whole, shared, options.cohort, options.subtract_mean)
    if options.trials:
        trials = length_trials.of_list(options.trials[0], data, whole.row_of, whole.rejected, scoring)
    else:
        trials = length_trials.of_centroids(data, scoring)
    of_whole, work = trials.scores(data), lengths.gflop_per_frame(files.read_json(options.network))
    rows = []
    for setting in settings:
        scores = trials.scores(lengths.data_of(setting, shared, options.cohort, options.subtract_mean))
        rows.append(lengths.row(setting, scores, of_whole, trials, draws, work, options.max_eer_increase))
    lengths.mark_best(rows)
    return {
        "protocol": trials.protocol,
        "utterances": shared.counts,
        "trials": trials.counts,
        "bootstrap": {"replicates": draws.replicates, "seed": draws.seed},
        "rows": rows,
    }


def main():
    options = parse_arguments()
    verdict = files.read_json(options.fit)
    feature_fit.require(verdict, options.on_misfit)
    settings = [lengths.read(folder) for folder in options.settings]
    whole = settings[0].facts
    network = {
        **files.read_json(options.network),
        "demo": options.demo_checkpoint or None,
        "fit": {**verdict, "ignored": options.on_misfit == "ignore"},
    }
    about = {"dataset": {"demo": options.demo_data}, "network": network, "engine": whole["engine"]}
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
