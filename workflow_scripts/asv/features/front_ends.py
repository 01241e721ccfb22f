"""Which front end computes a contract's features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .contract import Contract
from .front_end import FrontEnd
from .torchaudio_mel import MelFrontEnd, computes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class AnyFrontEnd(Protocol):
    """What computes features; see :class:`asv.features.front_end.FrontEnd`."""

    contract: Contract

    def whole(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Features float32 ``(n_mels, frames)`` of an utterance, samples float32 ``(n,)`` in [-1, 1]."""

    def crop(self, samples: npt.NDArray[np.float32], start: int, frames: int) -> npt.NDArray[np.float32]:
        """Features float32 ``(n_mels, frames)`` of frames from ``start`` on."""


def make(contract: Contract) -> AnyFrontEnd:
    """The front end of a contract: torchaudio's for ``modelzoo``, NumPy's for all others."""
    return MelFrontEnd(contract) if computes(contract) else FrontEnd(contract)
