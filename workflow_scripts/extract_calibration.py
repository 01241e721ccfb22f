"""Compute the features of the utterances that a network is calibrated with.

They are chosen by a digest of their ids: from a folder (--root), from the data set (--root and --layout), or from the
demo's training voices, which are spoken for this. Features are those of extract_features.py, one crop per utterance.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from asv import cli, code, files, runs
from asv.audio.reading import AudioRules
from asv.dataset.shards import shard_files, stamp
from asv.dataset.tree import find_speakers
from asv.demo import recordings
from asv.features import front_ends
from asv.features.contract import Contract
from asv.features.crops import PLACEMENTS
from asv.features.extraction import CropSettings, extract
from asv.features.npy import CropWriter
from asv.quantisation import calibration


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, nargs="*", default=[], help="folders of audio; none: the demo's voices")
    parser.add_argument("--layout", help="of the data set, where the folders are its own, see docs/inputs.md")
    parser.add_argument("--shared-speakers", choices=("refuse", "merge"), default="refuse", help="of the data set")
    parser.add_argument("--utterances", type=cli.positive, default=300, help="how many")
    parser.add_argument("--choice-seed", type=int, default=0, help="random seed of the choice")
    parser.add_argument("--evaluation-data", type=int, default=0, help="how many of them are evaluated, too")
    parser.add_argument("--on-bad-audio", choices=("reject", "fail"), default="reject", help="files of no use")
    rules, crops = AudioRules(), CropSettings()
    parser.add_argument("--resample", choices=("down", "any", "never"), default=rules.resample, help="other rates")
    parser.add_argument("--channels", choices=("mix", "reject"), default=rules.channels, help="several channels")
    parser.add_argument("--min-duration", type=float, default=rules.min_duration, help="seconds")
    parser.add_argument("--max-duration", type=float, default=None, help="seconds; no limit unless given")
    parser.add_argument("--contract", type=cli.json_object, default="{}", help="JSON: of the features")
    parser.add_argument("--frames", type=cli.positive, default=crops.frames, help="frames of a crop")
    parser.add_argument("--crops", type=cli.positive, default=1, help="crops per utterance")
    parser.add_argument("--seed", type=int, default=crops.seed, help="of the crops' places")
    parser.add_argument("--short", choices=("repeat", "reject"), default=crops.short, help="utterances under one crop")
    parser.add_argument("--placement", choices=PLACEMENTS, default=crops.placement, help="where crops are taken")
    parser.add_argument("--threads", type=cli.positive, default=1, help="threads of torch")
    parser.add_argument("--output", type=Path, required=True, help="features, .npy (utterances, mels, frames)")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: what they are of")
    return parser.parse_args()


def listed(options):
    """The chosen files of the folders. Raises InputError where they are not those of the run's start."""
    if options.layout is None:
        found = calibration.files_below(str(options.root[0]))
    else:
        found = shard_files(find_speakers(options.root, options.layout, options.shared_speakers), "0-of-1")
    chosen = calibration.chosen(found, options.utterances, options.choice_seed)
    runs.require_wavs(stamp(chosen))
    return chosen


def spoken(options, folder):
    """The demo's voices, written to a folder."""
    recordings.write_corpus(folder, calibration.demo_voices(options.utterances, options.choice_seed))
    return calibration.chosen(calibration.files_below(str(folder)), options.utterances, options.choice_seed)


def main():
    options = parse_arguments()
    torch.set_num_threads(cli.usable_threads(options.threads))
    contract = Contract.from_mapping(options.contract, "--contract") if options.contract else Contract()
    rules = AudioRules(
        sample_rate=contract.sample_rate,
        resample=options.resample,
        channels=options.channels,
        min_duration=options.min_duration,
        max_duration=options.max_duration,
    )
    crops = CropSettings(options.frames, options.crops, options.seed, options.short, options.placement)
    with tempfile.TemporaryDirectory() as place, files.atomic_file(options.output) as temporary:
        chosen = listed(options) if options.root else spoken(options, Path(place) / "voices")
        with temporary.open("wb") as stream:
            writer = CropWriter(stream, contract.n_mels, crops.frames)
            used, rejected = extract(chosen, rules, front_ends.make(contract), crops, writer)
            writer.close()
        if options.root:
            listed(options)  # once more: features of a file that changed while it was read must get no receipt
        calibration.require_enough(len(chosen), len(used), rejected, options.on_bad_audio)
    root = ", ".join(map(str, options.root))
    source = calibration.DEMO_VOICES if not root else f"the data set, {root}" if options.layout is not None else root
    sidecar: calibration.Calibration = {
        "source": source,
        "asked": options.utterances,
        "utterances": len(used),
        "rejected": len(rejected),
        "evaluation_data": options.evaluation_data,
        "seed": options.choice_seed,
        "contract": contract.key(),
        "code": code.digest(__file__),
    }
    files.write_json(options.sidecar, sidecar)
    for row in rejected:
        print(f"rejected: {row.file}: {row.reason} ({row.detail})")
    print(f"{len(used)} utterances of {source}, {len(rejected)} rejected")


if __name__ == "__main__":
    cli.run(main)
