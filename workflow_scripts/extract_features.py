"""Check the utterances of one shard and compute their log-mel features.

Every audio file of the shard ends either in the manifest, with its crops in the feature file in the same order, or in
the list of rejected files with a reason: found = used + rejected. The data set is only read.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, fields
from pathlib import Path

import torch

from asv import cli, code, files, runs
from asv.audio.reading import AudioRules
from asv.dataset.shards import shard_files, stamp
from asv.dataset.tree import find_speakers
from asv.features import manifest
from asv.features.extraction import CropSettings, extract
from asv.features.mel import LogMel
from asv.features.mel_settings import MelSettings
from asv.features.npy import RowWriter

MEL_HELP = {
    "sample_rate": "Hz; other rates are resampled or rejected",
    "n_fft": "samples of the Fourier transform",
    "hop_length": "samples between frames",
    "win_length": "samples of the window, at most --n-fft",
    "n_mels": "mel bands",
    "f_min": "Hz, lower edge of the lowest band",
    "f_max": "Hz, upper edge of the highest band",
    "floor": "magnitudes below it are raised to it",
}


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, nargs="+", required=True, help="folders of the data set")
    parser.add_argument("--layout", default="auto", help="which folder is a speaker, see docs/inputs.md")
    parser.add_argument(
        "--shared-speakers", choices=("refuse", "merge"), default="refuse", help="speakers found in several folders"
    )
    parser.add_argument("--shard", default="0-of-1", help="shard K-of-N of the speakers")
    parser.add_argument("--output", type=Path, required=True, help="features, .npy (utterances * crops, mels, frames)")
    parser.add_argument("--manifest", type=Path, required=True, help="table of the utterances used")
    parser.add_argument("--rejected", type=Path, required=True, help="table of the files left out, with reasons")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: what the features depend on")
    rules = AudioRules()
    parser.add_argument("--resample", choices=("down", "any", "never"), default=rules.resample, help="other rates")
    parser.add_argument("--channels", choices=("mix", "reject"), default=rules.channels, help="several channels")
    parser.add_argument("--min-duration", type=float, default=rules.min_duration, help="seconds")
    parser.add_argument("--max-duration", type=float, default=None, help="seconds; no limit unless given")
    for field in fields(MelSettings):
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=type(field.default), default=field.default, help=MEL_HELP[field.name])
    crops = CropSettings()
    parser.add_argument("--frames", type=cli.positive, default=crops.frames, help="frames of a crop")
    parser.add_argument("--crops", type=cli.positive, default=crops.crops, help="crops per utterance")
    parser.add_argument("--seed", type=int, default=crops.seed, help="of the crops' places")
    parser.add_argument("--short", choices=("repeat", "reject"), default=crops.short, help="utterances under one crop")
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
    mel, crops, rules = (chosen(options, settings) for settings in (MelSettings, CropSettings, AudioRules))
    where = (options.root, options.layout, options.shared_speakers, options.shard)
    audio_files = list_audio(*where)
    with files.atomic_file(options.output) as temporary, temporary.open("wb") as stream:
        writer = RowWriter(stream, (mel.n_mels, crops.frames))
        used, rejected = extract(audio_files, rules, LogMel(mel), crops, writer)
        writer.close()
    list_audio(*where)  # once more: features of a file that changed while it was read must get no receipt
    manifest.write_utterances(options.manifest, used)
    manifest.write_rejected(options.rejected, rejected)
    sidecar = {
        "shape": [mel.n_mels, crops.frames],
        "dtype": "float32",
        "scale": "ln(max(mel, floor)) / 6 + 1",
        **asdict(mel),
        "crops": crops.crops,
        "seed": crops.seed,
        "short": crops.short,
        "code": code.digest(__file__),
    }
    files.write_json(options.sidecar, sidecar)
    print(f"{len(audio_files)} files found, {len(used)} used, {len(rejected)} rejected", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
