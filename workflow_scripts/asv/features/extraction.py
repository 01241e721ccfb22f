"""Features of audio files. Each file ends among the used, with its crops, or among the rejected, with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..audio.reading import Audio, AudioError, AudioRules, read_audio, unread_suffix
from ..dataset.listing import READABLE
from ..progress import progress
from . import manifest
from .crops import crop_starts, repeat_to
from .mel import LogMel, to_network_input

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..dataset.tree import AudioFile
    from .npy import RowWriter


@dataclass(frozen=True)
class CropSettings:
    """Which crops are taken of an utterance.

    Attributes:
        frames: frames of a crop.
        crops: crops of an utterance.
        seed: of the crops' places.
        short: what becomes of utterances under one crop: ``repeat`` or ``reject``.
    """

    frames: int = 200
    crops: int = 1
    seed: int = 0
    short: str = "repeat"


def long_enough(audio: Audio, log_mel: LogMel, settings: CropSettings) -> npt.NDArray[np.float32]:
    """Samples float32 ``(n,)`` that hold a crop: the audio's own, or repeated; AudioError where they are refused."""
    # Reflection at the ends needs more than half a window, however few the frames.
    needed = max((settings.frames - 1) * log_mel.settings.hop_length, log_mel.settings.n_fft)
    if len(audio.samples) < needed and settings.short == "reject":
        raise AudioError("too short", f"{audio.duration:.3f} s is under {settings.frames} frames (features.short)")
    return repeat_to(audio.samples, needed)


def utterance_crops(
    file: AudioFile, rules: AudioRules, log_mel: LogMel, settings: CropSettings
) -> tuple[manifest.Utterance, npt.NDArray[np.float32]]:
    """Read one file.

    Args:
        file: an :class:`asv.dataset.tree.AudioFile`.
        rules: :class:`asv.audio.reading.AudioRules`, what is accepted.
        log_mel: :class:`asv.features.mel.LogMel`.
        settings: :class:`CropSettings`.

    Returns:
        Its :class:`manifest.Utterance`, and network input float32 ``(crops, mels, frames)``.

    Raises:
        AudioError: the file cannot be used; it says why.
    """
    path = f"{file.root}/{file.path}"
    if Path(file.path).suffix.lower() not in READABLE:
        raise unread_suffix(path, rules)
    audio = read_audio(path, rules)
    samples = long_enough(audio, log_mel, settings)
    available = log_mel.settings.frames(len(samples))
    starts = crop_starts(file.utterance, available, settings.frames, settings.crops, settings.seed)
    signal = torch.from_numpy(samples)
    crops = [to_network_input(log_mel.crop(signal, start, settings.frames)) for start in starts]
    facts = (audio.duration, audio.sample_rate, audio.channels, "; ".join(audio.notes))
    entry = manifest.Utterance(file.utterance, file.speaker, file.session, file.path, *facts)
    return entry, torch.stack(crops).numpy()


def extract(
    audio_files: Iterable[AudioFile], rules: AudioRules, log_mel: LogMel, settings: CropSettings, writer: RowWriter
) -> tuple[list[manifest.Utterance], list[manifest.Rejected]]:
    """Append the crops of all files to ``writer``, in their order; arguments as of :func:`utterance_crops`.

    Returns:
        Used and rejected files: lists of :class:`manifest.Utterance` and of :class:`manifest.Rejected`.
    """
    used, rejected = [], []
    for file in progress(audio_files, "features", "utt"):
        try:
            entry, crops = utterance_crops(file, rules, log_mel, settings)
        except AudioError as error:
            rejected.append(manifest.Rejected(file.utterance, file.path, error.reason, error.detail))
            continue
        used.append(entry)
        for crop in crops:
            writer.append(crop)
    return used, rejected
