"""The trained network that a wheel ships (Resemblyzer 0.1.4, Apache-2.0): its graph, contract and known figures."""

from __future__ import annotations

import warnings
from importlib import metadata

import numpy as np
import pytest
import torch
from torch import nn

HOW = "python -m pip install --no-deps -r requirements-peers.txt"
CONTRACT = """\
sample_rate: 16000
volume: -30
edges: zeros
window: hann
window_periodic: true
win_length: 400
n_fft: 400
hop_length: 160
power: 2
mel: slaney
mel_area_norm: true
n_mels: 40
f_min: 0
f_max: 8000
log: none
cut: frames
"""
# ../shared/golden/networks/README.md: trials of fsdd16k, by frames (None: whole utterances, else from the start)
EER = {None: 3.588, 160: 5.208}
FIRST_COSINES = {
    None: (0.850494, 0.728532, 0.911596, 0.835302, 0.843467),
    160: (0.821066, 0.736159, 0.827458, 0.841591, 0.781649),
}
# A field that is wrong, to the EER of whole utterances and the mean cosine with the right embedding.
WRONG = {
    "edges: reflect": (3.59, 0.9999),
    "volume: null": (3.24, 0.945),
    "window: hamming": (3.47, 0.998),
    "n_fft: 512, window_placement: centre": (3.36, 0.996),
    "f_max: 7600": (3.59, 0.979),
    "mel: htk, mel_area_norm: false": (12.0, 0.590),
    "power: 1": (23.8, 0.621),
    "scale: 32768, volume: null": (27.8, 0.454),
    "log: ln, floor: 1e-6, floor_rule: add": (35.5, 0.371),
}


class Lstm(nn.Module):
    """Float32 (batch, frames, 40) to (batch, 256), of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])))


def network() -> Lstm:
    """The trained network; the test is skipped where the wheel is not installed."""
    try:
        path = metadata.distribution("resemblyzer").locate_file("resemblyzer/pretrained.pt")
    except metadata.PackageNotFoundError:
        pytest.skip(f"resemblyzer is not installed: {HOW}")
    weights = torch.load(path, weights_only=True, map_location="cpu")["model_state"]
    made = Lstm()
    made.load_state_dict({name: value for name, value in weights.items() if name in made.state_dict()})
    return made.eval()


def save_torchscript(path, made=None):
    """The network as a traced program, not frozen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(made or network(), torch.zeros(2, 160, 40)).save(str(path))


def save_onnx(path, made=None, **options):
    """The network as an ONNX model; both axes are dynamic unless told."""
    pytest.importorskip("onnx", reason="torch.onnx.export needs onnx: requirements-dev.txt")
    axes = {"dynamic_axes": {"mels": {0: "batch", 1: "frames"}, "embedding": {0: "batch"}}, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            made or network(),
            (torch.zeros(2 if axes["dynamic_axes"] else 1, 160, 40),),
            str(path),
            dynamo=False,
            input_names=["mels"],
            output_names=["embedding"],
            **axes,
        )


def with_field(changed):
    """The contract's text with other values: ``power: 1``, or several, ``scale: 32768, volume: null``."""
    pairs = dict(line.split(": ") for line in CONTRACT.splitlines())
    pairs |= dict(pair.split(": ") for pair in changed.split(", "))
    return "".join(f"{name}: {value}\n" for name, value in pairs.items())


def trials(speech):
    """Labels (n,), and the two files of each trial."""
    rows = [line.split() for line in (speech / "trials.txt").read_text().splitlines()]
    return np.array([row[0] == "1" for row in rows]), [(row[1], row[2]) for row in rows]
