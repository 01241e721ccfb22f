"""The front end that some families' files carry, compared with the contract that features are computed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..errors import InputError
from ..torchaudio_loader import load_torchaudio

TOLERANCE = 1e-4  # of the largest value; toolkits compute their matrices in float32


def compare(carried: Mapping[str, torch.Tensor], contract: Mapping[str, Any]) -> None:
    """Compare a file's front end with the contract.

    Args:
        carried: as :meth:`asv.network.family_interface.CarriesFrontEnd.front_end` gives it.
        contract: of the family.

    Raises:
        InputError: where they differ, with what differs and by how much.
    """
    expected = _expected(contract)
    for name, tensor in carried.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape:
            raise _differs(name, f"{tuple(tensor.shape)} instead of {tuple(wanted.shape)}")
        difference = float((tensor.double() - wanted).abs().max() / wanted.abs().max())
        if not difference <= TOLERANCE:  # catches NaN, too
            raise _differs(name, f"by {difference:.1e} of its largest value, at most {TOLERANCE:g} is expected")


WORDS = {"window": "window", "mel": "mel matrix", "preemphasis": "pre-emphasis"}


def _differs(name, how):
    return InputError(
        f"its {WORDS[name]} is not that of the family's features ({how}): it was trained with other features, which "
        "this family cannot compute"
    )


def _expected(contract):
    """Window, mel matrix and pre-emphasis of a contract, float64."""
    make = {"hamming": torch.hamming_window, "hann": torch.hann_window}[contract["window"]]
    matrix = load_torchaudio().functional.melscale_fbanks(
        contract["n_fft"] // 2 + 1,
        contract["f_min"],
        contract["f_max"],
        contract["n_mels"],
        contract["sample_rate"],
        norm="slaney" if contract["area_norm"] else None,
        mel_scale=contract["mel"],
    )
    return {
        "window": make(contract["win_length"], periodic=contract["periodic"], dtype=torch.float64),
        "mel": matrix.t().double(),
        "preemphasis": torch.tensor([-contract["preemphasis"], 1.0], dtype=torch.float64),
    }
