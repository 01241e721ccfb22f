"""Log-mel spectrograms that agree with the reference's (NVIDIA tacotron2's ``TacotronSTFT``)."""

from __future__ import annotations

import torch

from ..torchaudio_loader import load_torchaudio
from .mel_settings import MelSettings


class LogMel:
    """ln(max(mel magnitude, floor)): periodic Hann window, Slaney scale and area normalisation."""

    def __init__(self, settings: MelSettings) -> None:
        self.settings = settings
        self._mel = load_torchaudio().transforms.MelSpectrogram(
            sample_rate=settings.sample_rate,
            n_fft=settings.n_fft,
            win_length=settings.win_length,
            hop_length=settings.hop_length,
            f_min=settings.f_min,
            f_max=settings.f_max,
            n_mels=settings.n_mels,
            power=1.0,
            center=False,
            norm="slaney",
            mel_scale="slaney",
        )

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """Spectrogram of a whole signal.

        Args:
            samples: float32 ``(n,)`` in [-1, 1], at the settings' rate, ``n > n_fft // 2``.

        Returns:
            float32 ``(n_mels, 1 + n // hop_length)``, natural logarithm.
        """
        return self.crop(samples, 0, self.settings.frames(samples.shape[-1]))

    def crop(self, samples: torch.Tensor, start: int, frames: int) -> torch.Tensor:
        """Frames ``start`` to ``start + frames`` of :meth:`__call__`, without computing the others."""
        half, hop = self.settings.n_fft // 2, self.settings.hop_length
        first = start * hop - half
        last = first + (frames - 1) * hop + self.settings.n_fft  # exclusive
        window = samples[max(first, 0) : last]
        padding = (max(-first, 0), max(last - samples.shape[-1], 0))
        if any(padding):  # frames are centred: the signal is reflected at its ends
            # A window is shorter than the signal only where the signal reaches beyond what reflection needs.
            window = torch.nn.functional.pad(window[None], padding, mode="reflect")[0]
        return torch.log(torch.clamp(self._mel(window), min=self.settings.floor))


def to_network_input(log_mel: torch.Tensor) -> torch.Tensor:
    """Scale so that ln(floor), about -12, becomes -1 and 0 becomes 1."""
    return log_mel / 6 + 1
