"""Gather what a deployment needs: the recommended artefact, its features' contract, thresholds, and a small example.

The folder holds artefact/, contract.json, thresholds.json, provenance.json, requirements.txt, the example
score_pair.py with the part of this workflow's core that it imports, and SHA256SUMS.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, code, files
from asv.benchmark.recommendation import GOALS
from asv.bundle import making
from asv.inference import averaging


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--recommendation", type=Path, required=True, help="JSON of recommend.py")
    parser.add_argument("--goal", choices=tuple(GOALS), default="throughput", help="what it is recommended for")
    parser.add_argument("--artefacts", type=Path, nargs="+", required=True, help="folders of all that were measured")
    parser.add_argument("--answers", type=Path, nargs="+", required=True, help="JSON of their results")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of their score tables")
    parser.add_argument("--features", type=Path, required=True, help="sidecar of a shard's features, JSON")
    parser.add_argument("--audio", type=cli.json_object, default="{}", help="JSON: which audio is accepted")
    parser.add_argument("--averaging", choices=averaging.AVERAGINGS, default="unit", help="of the crops' embeddings")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="draws of speakers")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    options = parser.parse_args()
    if not len(options.artefacts) == len(options.answers) == len(options.scores):
        parser.error("--artefacts, --answers and --scores: name as many of each")
    return options


def main():
    options = parse_arguments()
    recommendation = files.read_json(options.recommendation)
    engine, batch_size = making.chosen(recommendation, options.goal)
    place = making.place_of(options.artefacts, engine, batch_size)
    answer = files.read_json(options.answers[place])
    said = making.contract(files.read_json(options.features), options.audio, options.averaging)
    draws = options.bootstrap_replicates, options.bootstrap_seed
    points = making.thresholds(answer, options.scores[place], *draws)
    provenance = {
        "recommended": {"goal": options.goal, **recommendation[options.goal]},
        **{name: answer[name] for name in ("dataset", "utterances", "network", "engine", "features", "versions")},
        "code": {"answer": answer["code"], "bundle": code.digest(__file__)},
    }
    with files.atomic_folder(options.output) as folder:
        making.write(folder, options.artefacts[place], said, points, provenance)
    print(f"{options.output}: {engine}, batch size {batch_size}, recommended for {options.goal}")


if __name__ == "__main__":
    cli.run(main)
