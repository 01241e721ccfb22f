"""Write the answer for a person, and as JSON: what score.py found, where it comes from, and what it means.

Numbers and facts are taken as they are; every sentence about them is made here.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from asv import cli, code, files, run_record
from asv.network import families, feature_fit
from asv.scoring import answer, notes, result


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--protocols", type=Path, required=True, help="JSON of score.py")
    parser.add_argument("--sidecar", type=Path, nargs="+", required=True, help="JSON of infer.py, one per shard")
    parser.add_argument("--features", type=Path, required=True, help="JSON of extract_features.py of a shard")
    parser.add_argument("--artefact", type=Path, required=True, help="artefact.json of compile_engine.py")
    parser.add_argument("--network", type=Path, required=True, help="JSON of trace_network.py")
    parser.add_argument("--fit", type=Path, required=True, help="JSON of check_features.py")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="JSON of infer.py --run, one per shard")
    parser.add_argument(
        "--on-misfit", choices=("warn", "fail", "ignore"), default="warn", help="features that do not fit"
    )
    parser.add_argument("--overridden", nargs="*", default=[], help="fields of the contract that settings override")
    parser.add_argument("--root", nargs="+", default=[], help="the data set's folders, as named in the result")
    parser.add_argument("--source", default="", help="the checkpoint's file, as named in the result")
    parser.add_argument("--layout", default="", help="by which the speakers were found, as named in the result")
    parser.add_argument("--demo-data", action="store_true", help="say that the data set is the demo's")
    parser.add_argument("--demo-checkpoint", default="", help="say that the checkpoint is the demo's, and of what kind")
    parser.add_argument("--text", type=Path, required=True, help="the answer for a person")
    parser.add_argument("--json", type=Path, required=True, help="the answer for programs")
    parser.add_argument("--run", type=Path, help="JSON: where and when; apart, since two runs write the same answer")
    return parser.parse_args()


def main():
    options = parse_arguments()
    scored, network = files.read_json(options.protocols), files.read_json(options.network)
    verdict = files.read_json(options.fit)
    feature_fit.require(verdict, options.on_misfit)
    known = families.published(network["family"], network["checkpoint_sha256"])
    found = result.assemble(
        scored,
        notes.with_notes(scored["protocols"], network["speakers"]),
        dataset={"root": options.root, "demo": options.demo_data},
        layout=options.layout,
        engine=result.one_of(options.sidecar),
        artefact=files.read_json(options.artefact),
        features={**files.read_json(options.features), "overridden": options.overridden},
        network={
            **network,
            "source": options.source,
            "demo": options.demo_checkpoint or None,
            "fit": {**verdict, "ignored": options.on_misfit == "ignore"},
            "published": known and dataclasses.asdict(known),
        },
        code=code.digest(__file__),
    )
    files.write_json(options.json, found)
    files.write_text(options.text, answer.text(found))
    if options.run:
        runs = [files.read_json(path) for path in options.runs]
        files.write_json(options.run, run_record.of_answer(runs, found["sentence"]))


if __name__ == "__main__":
    cli.run(main)
