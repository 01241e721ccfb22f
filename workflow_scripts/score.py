"""Score trial lists and the centroid protocols: score tables, and a JSON of numbers and facts of each.

Takes the tables and embeddings of all shards, in the same order. Scores are written without rounding, one row per
trial. Mean subtraction and AS-norm apply to trial lists; the centroid protocols are the original guide's, of
embeddings as they are. What is said of the numbers is write_answer.py's.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from asv import cli, code, files
from asv.features import manifest
from asv.scoring import embeddings, mean_choice, protocols, result, speakers, table_formats
from asv.trials.protocols import protocol_names


def parse_arguments():
    parser = cli.parser(__doc__)
    for name, help_text in (
        ("embeddings", ".npy of infer.py, one per shard"),
        ("manifest", "manifests of the same shards"),
        ("rejected", "tables of rejected files of the same shards"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=help_text)
    parser.add_argument("--features", type=Path, required=True, help="JSON of extract_features.py of a shard")
    parser.add_argument("--trials", type=Path, nargs="*", default=[], help="trial lists, see docs/trial-lists.md")
    parser.add_argument(
        "--on-missing-trial", choices=("fail", "skip"), default="fail", help="trials of unknown utterances"
    )
    parser.add_argument("--subtract-mean", choices=mean_choice.MEANS, default="none", help="whose mean is subtracted")
    parser.add_argument("--cohort", type=Path, nargs="?", help="utterances, one per line: scores are AS-normalised")
    parser.add_argument(
        "--as-norm-top",
        type=cli.positive,
        default=300,
        help="how many of the cohort's speakers are used, those most like the utterance",
    )
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no confidence intervals")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws of speakers")
    parser.add_argument("--format", choices=table_formats.FORMATS, default="tsv", help="of the score tables")
    parser.add_argument("--no-centroid", action="store_true", help="omit the centroid protocols")
    parser.add_argument("--centroid-max-duration", type=float, default=19.0, help="seconds; longer are left out there")
    parser.add_argument(
        "--centroid-max-scores",
        type=int,
        default=20_000_000,
        help="above this number of scores, both centroid protocols are omitted",
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON of numbers and facts")
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables")
    return parser.parse_args()


def main():
    options = parse_arguments()
    protocol_names(options.trials)
    table_formats.check_format(options.format)
    settings = protocols.Settings(
        on_missing=options.on_missing_trial,
        top=options.as_norm_top,
        format=options.format,
        draws=protocols.Draws(options.bootstrap_replicates, options.bootstrap_seed),
        centroid=not options.no_centroid,
        max_duration=options.centroid_max_duration,
        max_scores=options.centroid_max_scores,
    )
    utterances, arrays = embeddings.load(options.manifest, options.embeddings)
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    data = embeddings.prepare(utterances, arrays, rejected, options.cohort, options.subtract_mean)
    with files.atomic_folder(options.scores) as folder:
        scored, left_out = protocols.score(data, options.trials, folder, settings)
    facts: result.Scored = {
        "scoring": {
            "subtract_mean": options.subtract_mean,
            "as_norm": options.cohort and protocols.as_norm_of(options.cohort, len(data.cohort), settings.top),
            "bootstrap": dataclasses.asdict(settings.draws),
        },
        "protocols": scored,
        "centroid_left_out": left_out,
        "utterances": speakers.describe_utterances(
            utterances, rejected, files.read_json(options.features)["sample_rate"]
        ),
        "versions": result.versions(),
        "code": code.digest(__file__),
    }
    files.write_json(options.output, facts)


if __name__ == "__main__":
    cli.run(main)
