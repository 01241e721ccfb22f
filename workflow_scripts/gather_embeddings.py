"""Put the embeddings of all shards of one setting of the features together, for the tables that compare settings.

The folder holds embeddings.npy, utterances.tsv, rejected.tsv, and facts.json: what was heard, and what ran.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asv import cli, files
from asv.errors import InputError
from asv.features import manifest
from asv.features.rejections import fault
from asv.scoring import embeddings, lengths, result


def parse_arguments():
    parser = cli.parser(__doc__)
    for name, help_text in (
        ("embeddings", ".npy of infer.py, one per shard"),
        ("sidecar", "JSON of infer.py of the same shards"),
        ("manifest", "manifests of the same shards"),
        ("rejected", "tables of rejected files of the same shards"),
        ("lengths", ".npy of the same shards: frames of each crop"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=help_text)
    parser.add_argument("--features", type=Path, required=True, help="JSON of extract_features.py of a shard")
    parser.add_argument("--on-bad-audio", choices=("reject", "fail"), default="reject")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    return parser.parse_args()


def main():
    options = parse_arguments()
    features = files.read_json(options.features)
    frames, crops = features["shape"][1], features["crops"]
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    used = sum(len(manifest.read_utterances(table)) for table in options.manifest)
    if reason := fault(used, rejected, options.on_bad_audio):
        raise InputError(f"setting {lengths.name_of(frames, crops)}: {reason}")
    utterances, arrays = embeddings.load(options.manifest, options.embeddings)
    heard = np.concatenate([np.load(path) for path in options.lengths])
    facts: lengths.Facts = {
        "frames": frames,
        "crops": crops,
        "frames_heard": float(heard.sum() / len(utterances)),
        "frame_seconds": features["hop_length"] / features["sample_rate"],
        "placement": features["placement"],
        "seed": features["seed"],
        "short": features["short"],
        "engine": result.one_of(options.sidecar),
    }
    with files.atomic_folder(options.output) as folder:
        with (folder / lengths.EMBEDDINGS).open("wb") as stream:
            np.save(stream, arrays)
        manifest.write_utterances(folder / lengths.UTTERANCES, utterances)
        manifest.write_rejected(folder / lengths.REJECTED, rejected)
        files.write_json(folder / lengths.FACTS, facts)


if __name__ == "__main__":
    cli.run(main)
