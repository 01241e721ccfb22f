"""Write embeddings and speakers as the files that the original guide's postprocess.py reads.

``mels{i}_0.bin``: 192 float32 of utterance i, native byte order. ``speakers{i}.pt``: an int64 tensor ``(1,)``, the
number of its speaker. i counts from 1. ``utterances.tsv`` beside them says which utterance and speaker is which; the
order is the manifests'.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from asv import cli, files
from asv.scoring import embeddings


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help=".npy of infer.py, one per shard")
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the same shards")
    parser.add_argument("--output", type=Path, required=True, help="folder of mels{i}_0.bin")
    parser.add_argument("--labels", type=Path, required=True, help="folder of speakers{i}.pt")
    options = parser.parse_args()
    shards = list(embeddings.load_shards(options.manifest, options.embeddings))
    names = sorted({utterance.speaker for utterances, _ in shards for utterance in utterances})
    numbers = {speaker: number for number, speaker in enumerate(names)}
    rows = []
    with files.atomic_folder(options.output) as output, files.atomic_folder(options.labels) as labels:
        for utterance, embedding in (pair for shard in shards for pair in zip(*shard)):
            index, label = len(rows) + 1, numbers[utterance.speaker]
            embedding.astype(np.float32).tofile(output / f"mels{index}_0.bin")
            torch.save(torch.tensor([label]), labels / f"speakers{index}.pt")
            rows.append((index, utterance.utterance, utterance.speaker, label))
        files.write_table(output / "utterances.tsv", ("index", "utterance", "speaker", "label"), rows)
    print(f"{len(rows)} embeddings and speakers")


if __name__ == "__main__":
    cli.run(main)
