"""Compare the features with those that the network was trained on, by a few utterances: asv/network/feature_fit.py."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from asv import cli, files
from asv.audio.reading import AudioError, AudioRules, read_audio
from asv.features import manifest
from asv.features.contract import Contract
from asv.network import feature_fit

UTTERANCES = 32
SECONDS = 6  # of each, from its start


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--norm", type=Path, required=True, help="first batch norm of the network, .npz")
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="tables of utterances, of some shards")
    parser.add_argument("--root", type=Path, nargs="+", required=True, help="folders of the data set")
    parser.add_argument("--contract", type=cli.json_object, default="{}", help="JSON: of the features")
    rules = AudioRules()
    parser.add_argument("--resample", choices=("down", "any", "never"), default=rules.resample, help="other rates")
    parser.add_argument("--channels", choices=("mix", "reject"), default=rules.channels, help="several channels")
    parser.add_argument("--output", type=Path, required=True, help="JSON: the verdict")
    return parser.parse_args()


def chosen(utterances):
    """Utterances, evenly taken from all of them, so that they are of many speakers."""
    step = max(1, len(utterances) // UTTERANCES)
    return utterances[::step][:UTTERANCES]


def signals(utterances, roots, rules):
    """Samples of utterances; a file that has changed since its features were made is passed over."""
    for utterance in utterances:
        path = next((root / utterance.file for root in roots if (root / utterance.file).is_file()), None)
        if path is None:
            continue
        try:
            yield read_audio(path, rules).samples[: SECONDS * rules.sample_rate]
        except AudioError:
            continue


def main():
    options = parse_arguments()
    contract = Contract.from_mapping(options.contract, "--contract") if options.contract else Contract()
    options.sample_rate, options.min_duration, options.max_duration = contract.sample_rate, 0.0, None
    rules = AudioRules(**{field.name: getattr(options, field.name) for field in fields(AudioRules)})
    tables = (manifest.read_utterances(path) for path in options.manifest)
    utterances = chosen(next(filter(None, tables), []))
    found = feature_fit.judge(feature_fit.read(options.norm), contract, list(signals(utterances, options.root, rules)))
    files.write_json(options.output, found)
    print(feature_fit.sentence(found))


if __name__ == "__main__":
    cli.run(main)
