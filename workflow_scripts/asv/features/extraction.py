"""Features of audio files. Each file ends among the used, with its crops, or among the rejected, with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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


TOGETHER = 16  # utterances that are read before features of any are computed: a fifth of the time is saved
HELD = 1 << 22  # samples, 16 MB: with so many, the next utterance is not waited for


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


def read_utterance(
    file: AudioFile, rules: AudioRules, contract: Contract, settings: CropSettings
) -> tuple[manifest.Utterance, npt.NDArray[np.float32]]:
    """Read and check one file.

    Args:
        file: an :class:`asv.dataset.tree.AudioFile`.
        rules: :class:`asv.audio.reading.AudioRules`, what is accepted.
        contract: of the features that are wanted.
        settings: :class:`CropSettings`.

    Returns:
        Its :class:`manifest.Utterance`, and samples float32 ``(n,)`` that hold a crop.

    Raises:
        AudioError: the file cannot be used; it says why.
    """
    path = f"{file.root}/{file.path}"
    if os.path.splitext(file.path)[1].lower() not in READABLE:
        raise unread_suffix(path, rules)
    audio = read_audio(path, rules)
    facts = (audio.duration, audio.sample_rate, audio.channels, "; ".join(audio.notes))
    entry = manifest.Utterance(file.utterance, file.speaker, file.session, file.path, *facts)
    return entry, long_enough(audio, contract, settings)


def crops_of(
    utterance: str, samples: npt.NDArray[np.float32], front_end: AnyFrontEnd, settings: CropSettings
) -> list[npt.NDArray[np.float32]]:
    """Network input of an utterance.

    Args:
        utterance: its id.
        samples: of :func:`read_utterance`.
        front_end: of :func:`asv.features.front_ends.make`.
        settings: :class:`CropSettings`.

    Returns:
        Crops float32 ``(mels, frames)``; of a whole utterance one, of its frames.
    """
    if settings.frames is None:
        return [front_end.whole(samples)]
    available = front_end.contract.frames(len(samples))
    places = (settings.frames, settings.crops, settings.seed, settings.placement)
    return [front_end.crop(samples, start, settings.frames) for start in crop_starts(utterance, available, *places)]


def extract(
    audio_files: Iterable[AudioFile],
    rules: AudioRules,
    front_end: AnyFrontEnd,
    settings: CropSettings,
    writer: CropWriter,
) -> tuple[list[manifest.Utterance], list[manifest.Rejected]]:
    """Append the crops of all files to ``writer``, in their order; arguments as of the functions above.

    Returns:
        Used and rejected files: lists of :class:`manifest.Utterance` and of :class:`manifest.Rejected`.
    """
    used, rejected = [], []

    def read() -> Iterator[tuple[manifest.Utterance, npt.NDArray[np.float32]]]:
        for file in progress(audio_files, "features", "utt"):
            try:
                yield read_utterance(file, rules, front_end.contract, settings)
            except AudioError as error:
                rejected.append(manifest.Rejected(file.utterance, file.path, error.reason, error.detail))

    for handful in _handfuls(read()):
        for entry, samples in handful:
            used.append(entry)
            for crop in crops_of(entry.utterance, samples, front_end, settings):
                writer.append(crop)
    return used, rejected


def _handfuls(
    utterances: Iterator[tuple[manifest.Utterance, npt.NDArray[np.float32]]],
) -> Iterator[list[tuple[manifest.Utterance, npt.NDArray[np.float32]]]]:
    """Utterances, some at once: reading and computing in turns push each other's code out of the processor's caches."""
    handful, held = [], 0
    for entry, samples in utterances:
        handful.append((entry, samples))
        held += len(samples)
        if len(handful) == TOGETHER or held > HELD:
            yield handful
            handful, held = [], 0
    yield handful
