"""The front end that some families' files carry, compared with the contract that features are computed by."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..errors import InputError
from ..features.contract import Contract
from ..features.front_end import FrontEnd

TOLERANCE = 1e-4  # of the largest value; toolkits compute their matrices in float32


def compare(carried: Mapping[str, torch.Tensor], contract: Contract) -> None:
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
    front_end = FrontEnd(contract)
    return {
        "window": torch.from_numpy(front_end.window),
        "mel": torch.from_numpy(front_end.mel_matrix),
        "preemphasis": torch.tensor([-contract.preemphasis, 1.0], dtype=torch.float64),
    }
