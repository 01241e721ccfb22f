"""What a spectrogram depends on. Without PyTorch: the Snakefile checks the configuration by it, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InputError


def disagreements(settings: Mapping[str, Any]) -> Iterator[str]:
    """What does not go together in settings that have the names of :class:`MelSettings`; messages begin with a name."""
    rate, low, high = settings["sample_rate"], settings["f_min"], settings["f_max"]
    if settings["win_length"] > settings["n_fft"]:
        yield f"win_length: {settings['win_length']} exceeds n_fft ({settings['n_fft']})"
    if low < 0:
        yield f"f_min: {low} is below 0"
    if not low < high <= rate / 2:
        yield f"f_max: {high} must lie above f_min ({low}) and not above half of sample_rate ({rate})"


@dataclass(frozen=True)
class MelSettings:
    """Lengths in samples, frequencies in hertz.

    Raises:
        InputError: where they do not go together.
    """

    sample_rate: int = 16000
    n_fft: int = 400
    hop_length: int = 160
    win_length: int = 400
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    floor: float = 1e-5  # magnitudes below it are raised to it before the logarithm

    def __post_init__(self) -> None:
        for what in disagreements(asdict(self)):
            raise InputError(what)

    def frames(self, samples: int) -> int:
        """Number of frames of a signal of so many samples (frames are centred, so the first sample has one)."""
        return 1 + samples // self.hop_length
