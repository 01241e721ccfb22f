"""Checkpoints of the families of networks: seeded ones of any size, and those of the golden recipe."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from support.paths import SHARED

from asv.network import families
from asv.network.family_interface import Facts

GOLDEN = SHARED / "golden" / "networks"
# A small network per family. Sizes of one network differ from each other, so that none is taken for another.
SMALL = {
    "modelzoo": Facts(8, 80, 24, 128, 128, False, 192, True, 5),
    "speechbrain": Facts(16, 40, 40, 12, 20, True, 64, False),
    "3dspeaker": Facts(24, 72, 64, 16, 20, True, 48, False),
    "wespeaker": Facts(16, 64, 40, 12, 20, True, 56, False, 5),
    "taoruijie": Facts(16, 80, 40, 12, 20, True, 56, True),
    "nemo": Facts(16, 80, 40, 12, 20, True, 56, False, 5),
}


def seeded(family: str, facts: Facts | None = None, seed: int = 0) -> torch.nn.Module:
    """A network in evaluation mode whose batch norms do something."""
    torch.manual_seed(seed)
    network = families.module(family).build(facts or SMALL[family]).eval()
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(torch.exp(0.1 * torch.randn(value.shape)))
        elif name.endswith("running_mean"):
            value.copy_(0.1 * torch.randn(value.shape))
    return network


def state_of(family: str, facts: Facts | None = None, seed: int = 0) -> dict[str, torch.Tensor]:
    """A state dictionary as the family's toolkit writes it, with its classifier, without a front end."""
    module, facts = families.module(family), facts or SMALL[family]
    state = {module.file_name(name): value for name, value in seeded(family, facts, seed).state_dict().items()}
    if family == "taoruijie":
        state = {f"speaker_encoder.{name}": value for name, value in state.items()}
    if family != "modelzoo" and module.CLASSES:
        state[module.CLASSES] = torch.randn(5, facts.embedding)
    return state


def recipe():
    """The module that writes checkpoints with the weights of the golden outputs; skips where it is not."""
    if not GOLDEN.exists():
        pytest.skip(f"reference data not on this machine: networks is looked for in {GOLDEN.parent}")
    spec = importlib.util.spec_from_file_location("golden_make_checkpoint", GOLDEN / "make_checkpoint.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def golden_state(table: str) -> dict[str, torch.Tensor]:
    """Weights of the recipe for a table, such as ``wespeaker_glob_c64``, with 40 classes."""
    return recipe().state_dict(GOLDEN / f"state_dict_{table}.tsv", classes=40)


def golden_inputs(family: str, frames: int) -> np.ndarray:
    """Network inputs ``(2, 80, frames)`` of a family's golden outputs."""
    with np.load(GOLDEN / f"outputs_{family}.npz") as file:
        features = file[f"input_{frames}"]
    return np.ascontiguousarray(features.swapaxes(1, 2)) if features.shape[2] == 80 else features


def golden_outputs(family: str, key: str) -> np.ndarray:
    """Values of a family's golden outputs."""
    with np.load(GOLDEN / f"outputs_{family}.npz") as file:
        return file[key]


def saved(path: Path, content: object, **options: object) -> Path:
    """Write with torch.save; returns the path."""
    torch.save(content, path, **options)
    return path
