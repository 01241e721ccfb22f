"""Log-mel spectrograms that agree with the reference's (NVIDIA tacotron2's ``TacotronSTFT``)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import InputError
from ..torchaudio_loader import load_torchaudio


@dataclass(frozen=True)
class MelSettings:
    """What a spectrogram depends on. Lengths in samples, frequencies in hertz."""

    sample_rate: int = 16000
    n_fft: int = 400
    hop_length: int = 160
    win_length: int = 400
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    floor: float = 1e-5  # magnitudes below it are raised to it before the logarithm

    def __post_init__(self) -> None:
        if self.win_length > self.n_fft:
            raise InputError(f"features.win_length ({self.win_length}) exceeds features.n_fft ({self.n_fft})")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise InputError(
                f"features.f_min ({self.f_min}) and features.f_max ({self.f_max}) must rise within 0 and half the "
                f"sample rate ({self.sample_rate / 2})"
            )

    def frames(self, samples: int) -> int:
        """Number of frames of a signal of so many samples (frames are centred, so the first sample has one)."""
        return 1 + samples // self.hop_length


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
