"""A calibration set of noise, as quantise_network.py and quantise_onnx.py take it."""

from __future__ import annotations

import json

import numpy as np

SHAPE = (80, 200)


def noise():
    """Features of twelve crops, float32 ``(12, mels, frames)``."""
    return np.random.default_rng(3).uniform(-1, 1, (12, *SHAPE)).astype(np.float32)


def options(folder, features):
    """Write the set into a folder; returns the scripts' options for it, with that of the record, network.json."""
    np.save(folder / "features.npy", features)
    facts = {"source": "noise", "asked": 12, "utterances": 12, "rejected": 0, "evaluation_data": 0, "seed": 0}
    (folder / "calibration.json").write_text(json.dumps({**facts, "contract": "0", "code": "0"}))
    words = ["--calibration", folder / "features.npy", "--calibration-sidecar", folder / "calibration.json"]
    return [*words, "--record", folder / "network.json"]
