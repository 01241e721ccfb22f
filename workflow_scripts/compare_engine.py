"""Compare an engine's embeddings and EER with the reference's (TorchScript, float32) on the same features.

Writes a row an utterance (cosine, largest absolute difference), worst first, and a summary with the gate's verdict.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asv import agreement, cli, files, manifest
from asv.errors import InputError

WORST = 5  # utterances named in the summary


def load(paths):
    return np.concatenate([np.load(path) for path in paths])


def eer_changes(result, reference):
    """Increase of the EER by trial list, as fractions."""
    pairs = {name: (protocol, reference["protocols"].get(name)) for name, protocol in result["protocols"].items()}
    return {name: ours["eer"] - theirs["eer"] for name, (ours, theirs) in pairs.items() if theirs}


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help=".npy of the engine, one a shard")
    parser.add_argument("--reference", type=Path, nargs="+", required=True, help=".npy of the reference, same shards")
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the same shards")
    parser.add_argument("--result", type=Path, required=True, help="JSON of score.py of the engine")
    parser.add_argument("--reference-result", type=Path, required=True, help="JSON of score.py of the reference")
    parser.add_argument("--min-cosine", type=float, default=0.999, help="least cosine that the gate accepts")
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="a fraction: 0.002 is 0.2 points")
    parser.add_argument("--table", type=Path, required=True, help="a row an utterance")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    ours, reference = load(options.embeddings), load(options.reference)
    names = [row.utterance for table in options.manifest for row in manifest.read_utterances(table)]
    if not len(ours) == len(reference) == len(names):
        raise InputError(f"{len(ours)}, {len(reference)} embeddings for {len(names)} utterances; run inference again")
    cosines = agreement.cosines(ours, reference)
    differences = np.abs(ours - reference).max(axis=1)
    order = np.lexsort((names, cosines))
    rows = ((names[i], repr(float(cosines[i])), repr(float(differences[i]))) for i in order)
    files.write_table(options.table, ("utterance", "cosine", "max_abs_difference"), rows)
    changes = eer_changes(files.read_json(options.result), files.read_json(options.reference_result))
    faults = agreement.gate(
        float(cosines.min()),
        max(changes.values(), default=None),
        options.min_cosine,
        options.max_eer_increase,
    )
    summary = {
        "min_cosine": float(cosines.min()),
        "mean_cosine": float(cosines.mean()),
        "max_abs_difference": float(differences.max()),
        "worst": [{"utterance": names[i], "cosine": float(cosines[i])} for i in order[:WORST]],
        "eer_change": changes,
        "gate": "FAIL" if faults else "PASS",
        "faults": faults,
    }
    files.write_json(options.output, summary)
    print(f"gate: {summary['gate']} {'; '.join(faults)}")


if __name__ == "__main__":
    cli.run(main)
