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
from asv.audio.reading import AudioError, AudioRules, read_audio, unread_suffix
from asv.dataset.folders import READABLE
from asv.dataset.tree import find_speakers, shard_files, stamp
from asv.features import manifest
from asv.features.crops import crop_starts, repeat_to
from asv.features.mel import LogMel, MelSettings, to_network_input
from asv.features.npy import RowWriter
from asv.progress import progress


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
        parser.add_argument(option, type=type(field.default), default=field.default, help="see asv/mel.py")
    parser.add_argument("--frames", type=cli.positive, default=200, help="frames of a crop")
    parser.add_argument("--crops", type=cli.positive, default=1, help="crops of an utterance")
    parser.add_argument("--seed", type=int, default=0, help="of the places of the crops")
    parser.add_argument("--short", choices=("repeat", "reject"), default="repeat", help="utterances under one crop")
    parser.add_argument("--threads", type=cli.positive, default=1, help="threads of torch")
    return parser.parse_args()


def utterance_crops(file, rules, log_mel, options):
    """Read one file; return its :class:`manifest.Utterance` and float32 ``(crops, mels, frames)``."""
    path = f"{file.root}/{file.path}"
    if Path(file.path).suffix.lower() not in READABLE:
        raise unread_suffix(path, rules)
    audio = read_audio(path, rules)
    samples = audio.samples
    # Reflection at the ends needs more than half a window, however few the frames.
    needed = max((options.frames - 1) * log_mel.settings.hop_length, log_mel.settings.n_fft)
    if len(samples) < needed:
        if options.short == "reject":
            raise AudioError("too short", f"{audio.duration:.3f} s is under {options.frames} frames (features.short)")
        samples = repeat_to(samples, needed)
    starts = crop_starts(
        file.utterance, log_mel.settings.frames(len(samples)), options.frames, options.crops, options.seed
    )
    signal = torch.from_numpy(samples)
    crops = [to_network_input(log_mel.crop(signal, start, options.frames)) for start in starts]
    facts = (audio.duration, audio.sample_rate, audio.channels, "; ".join(audio.notes))
    entry = manifest.Utterance(file.utterance, file.speaker, file.session, file.path, *facts)
    return entry, torch.stack(crops).numpy()


def extract(audio_files, rules, log_mel, options, writer):
    """Features of all files into ``writer``; returns the tables of used and of rejected files."""
    used, rejected = [], []
    for file in progress(audio_files, "features", "utt"):
        try:
            entry, crops = utterance_crops(file, rules, log_mel, options)
        except AudioError as error:
            rejected.append(manifest.Rejected(file.utterance, file.path, error.reason, error.detail))
            continue
        used.append(entry)
        for crop in crops:
            writer.append(crop)
    return used, rejected


def list_audio(options):
    """Audio files of the shard, which are those of the run's start."""
    found = shard_files(find_speakers(options.root, options.layout, options.shared_speakers), options.shard)
    runs.require_wavs(stamp(found))
    return found


def main():
    options = parse_arguments()
    torch.set_num_threads(cli.usable_threads(options.threads))
    settings = MelSettings(**{field.name: getattr(options, field.name) for field in fields(MelSettings)})
    rules = AudioRules(
        settings.sample_rate, options.resample, options.channels, options.min_duration, options.max_duration
    )
    audio_files = list_audio(options)
    with files.atomic_file(options.output) as temporary, temporary.open("wb") as stream:
        writer = RowWriter(stream, (settings.n_mels, options.frames))
        used, rejected = extract(audio_files, rules, LogMel(settings), options, writer)
        writer.close()
    list_audio(options)
    manifest.write_utterances(options.manifest, used)
    manifest.write_rejected(options.rejected, rejected)
    contract = {
        "shape": [settings.n_mels, options.frames],
        "dtype": "float32",
        "scale": "ln(max(mel, floor)) / 6 + 1",
        **asdict(settings),
        "crops": options.crops,
        "seed": options.seed,
        "short": options.short,
        "code": code.digest(__file__),
    }
    files.write_json(options.sidecar, contract)
    print(f"{len(audio_files)} files found, {len(used)} used, {len(rejected)} rejected", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
