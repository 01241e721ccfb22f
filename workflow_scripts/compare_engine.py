"""Compare an engine's embeddings and EER with the reference's (TorchScript, float32) on the same features.

Writes a row an utterance (cosine, largest absolute difference), worst first, and a summary with the gate's verdict.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from asv import cli, files, vectors
from asv.errors import InputError
from asv.features import manifest
from asv.scoring import agreement, bootstrap, metrics, tables

WORST = 5  # utterances named in the summary


def load(paths):
    return np.concatenate([np.load(path) for path in paths])


def eer_changes(ours, reference, replicates, seed):
    """Increase of the EER over the reference's, by trial list, with its paired bootstrap interval.

    Args:
        ours, reference: folders of score tables, of the same trials.
        replicates, seed: of the bootstrap; 0 replicates for none.

    Returns:
        dictionary of dictionaries ``difference``, ``low``, ``high``: fractions; the interval is None where the speakers
        are too few for one.
    """
    changes = {}
    for path in sorted(ours.iterdir()):
        if path.suffix not in tables.READERS:
            continue
        (a, targets), (b, _) = tables.read(reference / path.name), tables.read(path)
        eers = [metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] for scores in (a, b)]
        low = high = None
        if replicates:
            with suppress(InputError):  # too few speakers
                _, low, high = bootstrap.paired_eer_difference(
                    a, b, targets, *tables.read_speakers(path), replicates, seed
                )
        changes[path.stem] = {"difference": eers[1] - eers[0], "low": low, "high": high}
    return changes


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help=".npy of the engine, one a shard")
    parser.add_argument("--reference", type=Path, nargs="+", required=True, help=".npy of the reference, same shards")
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the same shards")
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables of the engine")
    parser.add_argument("--reference-scores", type=Path, required=True, help="folder of score tables of the reference")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no interval")
    parser.add_argument("--bootstrap-seed", type=int, default=0)
    parser.add_argument("--min-cosine", type=float, default=0.999, help="least cosine that the gate accepts")
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="a fraction: 0.002 is 0.2 points")
    parser.add_argument("--table", type=Path, required=True, help="a row an utterance")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    ours, reference = load(options.embeddings), load(options.reference)
    names = [row.utterance for table in options.manifest for row in manifest.read_utterances(table)]
    if not len(ours) == len(reference) == len(names):
        raise InputError(f"{len(ours)}, {len(reference)} embeddings for {len(names)} utterances; run inference again")
    cosines = vectors.cosines(ours, reference)
    differences = np.abs(ours - reference).max(axis=1)
    order = np.lexsort((names, cosines))
    rows = ((names[i], repr(float(cosines[i])), repr(float(differences[i]))) for i in order)
    files.write_table(options.table, ("utterance", "cosine", "max_abs_difference"), rows)
    changes = eer_changes(
        options.scores, options.reference_scores, options.bootstrap_replicates, options.bootstrap_seed
    )
    faults = agreement.gate(
        float(cosines.min()),
        max((change["difference"] for change in changes.values()), default=None),
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
