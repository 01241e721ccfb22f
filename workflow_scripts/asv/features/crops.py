"""Which frames of an utterance the network hears."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


Placement = Literal["digest", "even", "start"]
PLACEMENTS: tuple[str, ...] = get_args(Placement)


def crop_starts(
    utterance: str, available: int, frames: int, crops: int, seed: int, placement: str = "digest"
) -> list[int]:
    """First frames of the crops of one utterance.

    They depend on the utterance alone: not on the order, the shard, the batch or the machine.

    Args:
        utterance: id, ``speaker/session/name.wav``.
        available: frames that the utterance has, at least ``frames``.
        frames: frames of a crop.
        crops: how many; they may overlap.
        seed: of the configuration; for ``digest``.
        placement: ``digest``, by a digest of id and seed; ``even``, evenly from the first frame to the last, a single
            one in the middle; ``start``, at the first frame.

    Returns:
        list of ``crops`` integers in ``[0, available - frames]``.
    """
    last = available - frames
    if placement == "start":
        return [0] * crops
    if placement == "even":
        return [last // 2] if crops == 1 else [index * last // (crops - 1) for index in range(crops)]
    keys = (f"{seed}\n{utterance}\n{index}".encode() for index in range(crops))
    return [int.from_bytes(hashlib.sha256(key).digest()[:8], "big") % (last + 1) for key in keys]


def repeat_to(samples: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    """Repeat a signal ``(n,)`` from its start until it has ``length`` samples; longer ones are returned as they are."""
    return samples if len(samples) >= length else np.resize(samples, length)
