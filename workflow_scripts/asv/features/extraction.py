"""Features of audio files. Each file ends among the used, with its crops, or among the rejected, with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio.reading import Audio, AudioError, AudioRules, read_audio, unread_suffix
from ..dataset.listing import READABLE
from ..progress import progress
from . import manifest
from .crops import crop_starts, repeat_to

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..dataset.tree import AudioFile
    from .contract import Contract
    from .front_ends import AnyFrontEnd
    from .npy import CropWriter


@dataclass(frozen=True)
class CropSettings:
    """Which crops are taken of an utterance.

    Attributes:
        frames: frames of a crop; None: the whole utterance.
        crops: crops of an utterance.
        seed: of the crops' places.
        short: what becomes of utterances under one crop: ``repeat`` or ``reject``.
        placement: of the crops, see :func:`asv.features.crops.crop_starts`.
    """

    frames: int | None = 200
    crops: int = 1
    seed: int = 0
    short: str = "repeat"
    placement: str = "digest"


def long_enough(audio: Audio, contract: Contract, settings: CropSettings) -> npt.NDArray[np.float32]:
    """Samples float32 ``(n,)`` that hold a crop: the audio's own, or repeated; AudioError where they are refused."""
    # What the ends need may be more than what the frames need, however few these are.
    needed = max(contract.samples(settings.frames or 1), contract.n_fft)
    if len(audio.samples) < needed and settings.short == "reject":
        raise AudioError("too short", f"{audio.duration:.3f} s is under {settings.frames or 1} frames (features.short)")
    return repeat_to(audio.samples, needed)


def utterance_crops(
    file: AudioFile, rules: AudioRules, front_end: AnyFrontEnd, settings: CropSettings
) -> tuple[manifest.Utterance, npt.NDArray[np.float32]]:
    """Read one file.

    Args:
        file: an :class:`asv.dataset.tree.AudioFile`.
        rules: :class:`asv.audio.reading.AudioRules`, what is accepted.
        front_end: of :func:`asv.features.front_ends.make`.
        settings: :class:`CropSettings`.

    Returns:
        Its :class:`manifest.Utterance`, and network input float32 ``(crops, mels, frames)``; of a
        whole utterance ``(1, mels, its frames)``.

    Raises:
        AudioError: the file cannot be used; it says why.
    """
    path = f"{file.root}/{file.path}"
    if Path(file.path).suffix.lower() not in READABLE:
        raise unread_suffix(path, rules)
    audio = read_audio(path, rules)
    contract = front_end.contract
    samples = long_enough(audio, contract, settings)
    if settings.frames is None:
        crops = [front_end.whole(samples)]
    else:
        available = contract.frames(len(samples))
        places = (settings.frames, settings.crops, settings.seed, settings.placement)
        crops = [
            front_end.crop(samples, start, settings.frames) for start in crop_starts(file.utterance, available, *places)
        ]
    facts = (audio.duration, audio.sample_rate, audio.channels, "; ".join(audio.notes))
    entry = manifest.Utterance(file.utterance, file.speaker, file.session, file.path, *facts)
    return entry, np.stack(crops)


def extract(
    audio_files: Iterable[AudioFile],
    rules: AudioRules,
    front_end: AnyFrontEnd,
    settings: CropSettings,
    writer: CropWriter,
) -> tuple[list[manifest.Utterance], list[manifest.Rejected]]:
    """Append the crops of all files to ``writer``, in their order; arguments as of :func:`utterance_crops`.

    Returns:
        Used and rejected files: lists of :class:`manifest.Utterance` and of :class:`manifest.Rejected`.
    """
    used, rejected = [], []
    for file in progress(audio_files, "features", "utt"):
        try:
            entry, crops = utterance_crops(file, rules, front_end, settings)
        except AudioError as error:
            rejected.append(manifest.Rejected(file.utterance, file.path, error.reason, error.detail))
            continue
        used.append(entry)
        for crop in crops:
            writer.append(crop)
    return used, rejected
