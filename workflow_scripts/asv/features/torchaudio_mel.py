"""Log-mel spectrograms that agree with the reference's (NVIDIA tacotron2's ``TacotronSTFT``), by PyTorch.

:mod:`asv.features.front_end` computes the same to 1e-5, and any other contract. This is here because it takes a quarter
of the time. ``torchaudio.transforms.MelSpectrogram`` gives the same network input to 2.4e-7, a unit in the last place,
and takes twice as long, for an absolute value of complex numbers that cannot overflow, which sound cannot either.
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
        self._window = torch.hann_window(contract.win_length)
        # float32 (n_fft // 2 + 1, n_mels)
        self.filters = load_torchaudio().functional.melscale_fbanks(
            n_freqs=contract.n_fft // 2 + 1,
            f_min=contract.f_min,
            f_max=contract.f_max,
            n_mels=contract.n_mels,
            sample_rate=contract.sample_rate,
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
        return self._bands(window).clamp_(min=self.contract.floor).log_()

    def _bands(self, samples: torch.Tensor) -> torch.Tensor:
        """Magnitudes of all frames that lie within the samples, in bands: float32 ``(n_mels, frames)``."""
        contract = self.contract
        spectrum = torch.stft(
            samples,
            contract.n_fft,
            contract.hop_length,
            contract.win_length,
            self._window,
            center=False,
            return_complex=True,
        )
        parts = torch.view_as_real(spectrum)
        parts.mul_(parts)  # in place, as all that follows: new memory costs as much as the computation
        magnitudes = torch.add(parts[..., 0], parts[..., 1]).sqrt_()
        return torch.matmul(magnitudes.T, self.filters).T


def to_network_input(log_mel: torch.Tensor) -> torch.Tensor:
    """Scale in place, so that ln(floor), about -12, becomes -1 and 0 becomes 1."""
    return log_mel.div_(6).add_(1)


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
