"""What the check of the features finds and misses: the table of docs/networks.md.

    python measurements/feature_fit.py ../shared/speech/fsdd16k

The demo's checkpoint, given features by right and wrong contracts of 48 utterances of the demo's voices, of a folder of
wavs at 16 kHz, and of changed ones.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from shared import SCRIPTS

from asv.demo import corpus
from asv.network import families, feature_fit, first_norm
from asv.network.checkpoint import load_network

ROOT = SCRIPTS.parent
UTTERANCES = 48
OWN = families.module("modelzoo").CONTRACT
CONTRACTS = {
    "right": OWN,
    "no logarithm": replace(OWN, log="none", floor=0.0),
    "mean removed": replace(OWN, subtract_mean=True),
    "neither x / 6 nor + 1": replace(OWN, gain=1.0, offset=0.0),
    **{name: families.module(name).CONTRACT for name in families.names() if name != "modelzoo"},
    "samples x 32768": replace(OWN, scale=32768.0),
    "power for magnitude": replace(OWN, power=2),
    "HTK's mel scale": replace(OWN, mel="htk"),
    "Hamming for Hann": replace(OWN, window="hamming"),
    "up to 7600 Hz": replace(OWN, f_max=7600.0),
}


def telephone(signal):
    spectrum, hertz = np.fft.rfft(signal), np.fft.rfftfreq(len(signal), 1 / 16000)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, len(signal)).astype(np.float32)


def noisy(signal):
    noise = np.random.default_rng(0).standard_normal(len(signal))
    return (signal + noise * np.sqrt(np.mean(signal**2))).astype(np.float32)


def norm():
    """The first batch norm of the shipped checkpoint."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(ROOT / "demo" / "checkpoint.zip") as archive:
        network, _ = load_network(Path(archive.extract("checkpoint/checkpoint.pt", folder)))
    arrays = first_norm.arrays(*families.module("modelzoo").first_norm(network))
    return feature_fit.FirstNorm(**{**arrays, "reflect": bool(arrays["reflect"])})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of wavs at 16 kHz")
    dice, folder = random.Random(0), parser.parse_args().folder
    paths = sorted(folder.rglob("*.wav"))
    dice.shuffle(paths)
    real = [soundfile.read(path, dtype="float32")[0] for path in paths[:UTTERANCES]]
    spoken = corpus.utterances(list(corpus.EVALUATION), corpus.EVALUATION_SESSIONS)
    dice.shuffle(spoken)
    demo = [corpus.speak(utterance).astype(np.float32) / 32768 for utterance in spoken[:UTTERANCES]]
    speech = {"demo": demo, "real": real, "40 dB quieter": [signal * np.float32(0.01) for signal in demo]}
    speech |= {"telephone": [*map(telephone, demo)], "as much noise": [*map(noisy, demo)]}
    trained = norm()
    print("| features |", " | ".join(speech), "|")
    for name, contract in CONTRACTS.items():
        found = [feature_fit.judge(trained, contract, signals) for signals in speech.values()]
        cells = [f"**{f['distance']:.2g}**" if f["verdict"] == "misfit" else f"{f['distance']:.2g}" for f in found]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
