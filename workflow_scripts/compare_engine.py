"""Compare an engine's embeddings and EER with the reference's (TorchScript, float32) on the same features.

Writes a table with one row per utterance (cosine, largest absolute difference), worst first, and a summary with the
gate's verdict.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.scoring import agreement, gate


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help=".npy of the engine, one per shard")
    parser.add_argument("--reference", type=Path, nargs="+", required=True, help=".npy of the reference, same shards")
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the same shards")
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables of the engine")
    parser.add_argument("--reference-scores", type=Path, required=True, help="folder of score tables of the reference")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no interval")
    parser.add_argument("--bootstrap-seed", type=int, default=0)
    parser.add_argument("--min-cosine", type=float, help="lowest cosine that the gate accepts; by default any")
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="a fraction: 0.002 is 0.2 points")
    parser.add_argument("--table", type=Path, required=True, help="one row per utterance")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    return parser.parse_args()


def main():
    options = parse_arguments()
    facts = agreement.compare_embeddings(options.manifest, options.embeddings, options.reference, options.table)
    changes = agreement.eer_changes(
        options.scores, options.reference_scores, options.bootstrap_replicates, options.bootstrap_seed
    )
    summary = gate.verdict(facts, changes, options.min_cosine, options.max_eer_increase)
    files.write_json(options.output, summary)
    print(f"gate: {summary['gate']} {'; '.join([*summary['faults'], *summary['evidence']])}")


if __name__ == "__main__":
    cli.run(main)
