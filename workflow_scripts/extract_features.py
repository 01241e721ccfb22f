"""Check the utterances of one shard and compute their log-mel features.

Every audio file of the shard ends either in the manifest, with its crops in the feature file in the same order, or in
the list of rejected files with a reason: found = used + rejected. The data set is only read.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from asv import cli, code, files, runs
from asv.audio.reading import AudioRules
from asv.dataset.shards import shard_files, stamp
from asv.dataset.tree import find_speakers
from asv.features import front_ends, manifest
from asv.features.contract import Contract
from asv.features.crops import PLACEMENTS
from asv.features.extraction import CropSettings, extract
from asv.features.npy import CropWriter


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, nargs="+", required=True, help="folders of the data set")
    parser.add_argument("--layout", default="auto", help="which folder is a speaker, see docs/inputs.md")
    parser.add_argument(
        "--shared-speakers", choices=("refuse", "merge"), default="refuse", help="speakers found in several folders"
    )
    parser.add_argument("--shard", default="0-of-1", help="shard K-of-N of the speakers")
    parser.add_argument("--output", type=Path, required=True, help="features, .npy (utterances * crops, mels, frames)")
    parser.add_argument("--lengths", type=Path, required=True, help="frames of each crop, .npy (utterances * crops,)")
    parser.add_argument("--manifest", type=Path, required=True, help="table of the utterances used")
    parser.add_argument("--rejected", type=Path, required=True, help="table of the files left out, with reasons")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: what the features depend on")
    rules = AudioRules()
    parser.add_argument("--resample", choices=("down", "any", "never"), default=rules.resample, help="other rates")
    parser.add_argument("--channels", choices=("mix", "reject"), default=rules.channels, help="several channels")
    parser.add_argument("--min-duration", type=float, default=rules.min_duration, help="seconds")
    parser.add_argument("--max-duration", type=float, default=None, help="seconds; no limit unless given")
    parser.add_argument("--contract", type=Contract.from_json, default=Contract(), help="JSON: how features are made")
    crops = CropSettings()
    parser.add_argument("--frames", type=cli.size, default=crops.frames, help="frames of a crop, or whole")
    parser.add_argument("--crops", type=cli.positive, default=crops.crops, help="crops per utterance")
    parser.add_argument("--seed", type=int, default=crops.seed, help="of the crops' places")
    parser.add_argument("--short", choices=("repeat", "reject"), default=crops.short, help="utterances under one crop")
    parser.add_argument("--placement", choices=PLACEMENTS, default=crops.placement, help="where crops are taken")
    parser.add_argument("--threads", type=cli.positive, default=1, help="threads of torch")
    return parser.parse_args()


def list_audio(roots, layout, shared_speakers, shard):
    """Audio files of the shard. Raises InputError where they are not those of the run's start."""
    found = shard_files(find_speakers(roots, layout, shared_speakers), shard)
    runs.require_wavs(stamp(found))
    return found


def chosen(options, settings):
    """An instance of a dataclass of settings, from the options that are called as its fields."""
    return settings(**{field.name: getattr(options, field.name) for field in fields(settings)})


def main():
    options = parse_arguments()
    torch.set_num_threads(cli.usable_threads(options.threads))
    options.sample_rate = options.contract.sample_rate
    crops, rules = (chosen(options, settings) for settings in (CropSettings, AudioRules))
    where = (options.root, options.layout, options.shared_speakers, options.shard)
    audio_files = list_audio(*where)
    with files.atomic_file(options.output) as temporary, temporary.open("wb") as stream:
        writer = CropWriter(stream, options.contract.n_mels, crops.frames)
        used, rejected = extract(audio_files, rules, front_ends.make(options.contract), crops, writer)
        writer.close()
    list_audio(*where)  # once more: features of a file that changed while it was read must get no receipt
    with files.atomic_file(options.lengths) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.array(writer.frames, np.int64))
    manifest.write_utterances(options.manifest, used)
    manifest.write_rejected(options.rejected, rejected)
    sidecar = {
        "shape": [options.contract.n_mels, crops.frames],
        "dtype": "float32",
        **options.contract.to_mapping(),
        "contract": options.contract.key(),
        "crops": crops.crops,
        "seed": crops.seed,
        "short": crops.short,
        "placement": crops.placement,
        "code": code.digest(__file__),
    }
    files.write_json(options.sidecar, sidecar)
    print(f"{len(audio_files)} files found, {len(used)} used, {len(rejected)} rejected", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
