"""Log-mel spectrograms that agree with the reference's (NVIDIA tacotron2's ``TacotronSTFT``), by torchaudio.

:mod:`asv.features.front_end` computes the same to 1e-5, and any other contract. This is here because its bytes are
those of every earlier version, so that embeddings and scores of ``modelzoo`` stay what they were to the last digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..torchaudio_loader import load_torchaudio
from .contract import Contract

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# What may differ from the reference's contract in a spectrogram that this module computes.
NUMBERS = ("sample_rate", "n_fft", "hop_length", "win_length", "n_mels", "f_min", "f_max", "floor")


class LogMel:
    """ln(max(mel magnitude, floor)): periodic Hann window, Slaney scale and area normalisation.

    Args:
        contract: of which :data:`NUMBERS` count.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._mel = load_torchaudio().transforms.MelSpectrogram(
            sample_rate=contract.sample_rate,
            n_fft=contract.n_fft,
            win_length=contract.win_length,
            hop_length=contract.hop_length,
            f_min=contract.f_min,
            f_max=contract.f_max,
            n_mels=contract.n_mels,
            power=1.0,
            center=False,
            norm="slaney",
            mel_scale="slaney",
        )

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """Spectrogram of a whole signal.

        Args:
            samples: float32 ``(n,)`` in [-1, 1], at the contract's rate, ``n > n_fft // 2``.

        Returns:
            float32 ``(n_mels, 1 + n // hop_length)``, natural logarithm.
        """
        return self.crop(samples, 0, self.contract.frames(samples.shape[-1]))

    def crop(self, samples: torch.Tensor, start: int, frames: int) -> torch.Tensor:
        """Frames ``start`` to ``start + frames`` of :meth:`__call__`, without computing the others."""
        half, hop = self.contract.n_fft // 2, self.contract.hop_length
        first = start * hop - half
        last = first + (frames - 1) * hop + self.contract.n_fft  # exclusive
        window = samples[max(first, 0) : last]
        padding = (max(-first, 0), max(last - samples.shape[-1], 0))
        if any(padding):  # frames are centred: the signal is reflected at its ends
            # A window is shorter than the signal only where the signal reaches beyond what reflection needs.
            window = torch.nn.functional.pad(window[None], padding, mode="reflect")[0]
        return torch.log(torch.clamp(self._mel(window), min=self.contract.floor))


def to_network_input(log_mel: torch.Tensor) -> torch.Tensor:
    """Scale so that ln(floor), about -12, becomes -1 and 0 becomes 1."""
    return log_mel / 6 + 1


class MelFrontEnd:
    """As :class:`asv.features.front_end.FrontEnd`, for the contracts that :func:`computes` names."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._log_mel = LogMel(contract)

    def whole(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Features float32 ``(n_mels, frames)`` of an utterance, samples float32 ``(n,)`` in [-1, 1]."""
        return self.crop(samples, 0, self.contract.frames(len(samples)))

    def crop(self, samples: npt.NDArray[np.float32], start: int, frames: int) -> npt.NDArray[np.float32]:
        """Features of ``frames`` frames from frame ``start`` on."""
        features: npt.NDArray[np.float32] = to_network_input(
            self._log_mel.crop(torch.from_numpy(samples), start, frames)
        ).numpy()
        return features


def computes(contract: Contract) -> bool:
    """Whether a contract differs from the reference's in nothing but :data:`NUMBERS`."""
    own, reference = contract.to_mapping(), Contract().to_mapping()
    return all(own[name] == reference[name] for name in own if name not in NUMBERS)
