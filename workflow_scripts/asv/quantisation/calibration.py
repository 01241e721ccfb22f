"""Utterances that a network is calibrated with: which they are, and their features.

The choice is light on purpose: the Snakefile makes it, too, for the digest of the files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ..dataset.listing import as_wav, audio_below, status
from ..dataset.tree import AudioFile
from ..demo import corpus
from ..errors import InputError

if TYPE_CHECKING:
    from ..features.manifest import Rejected

FEWEST = 10  # utterances that a range of values can be told from
NAMED = 3  # rejected files that a message names
DEMO_VOICES = "the demo's training voices"


class Calibration(TypedDict):
    """``calibration.json``."""

    source: str  # in words
    asked: int  # utterances
    utterances: int  # that were used
    rejected: int  # files that were chosen and cannot be used
    evaluation_data: int  # chosen files that are of the evaluated data set
    seed: int
    contract: str  # key of the features
    code: str


def files_below(root: str) -> list[AudioFile]:
    """All audio in a folder, whatever its layout, with neither size nor time.

    Raises:
        InputError: where there is no folder, or no audio in it.
    """
    if not os.path.isdir(root):
        raise InputError(f"quantisation.calibration.root: no folder {root!r} (seen from {os.getcwd()})")
    paths = sorted(os.path.relpath(path, root) for path in audio_below(root))
    if not paths:
        raise InputError(f"quantisation.calibration.root: no audio below {root!r}; name a folder of speech, or null")
    return [AudioFile(root, path, as_wav(path), 0, 0) for path in paths]


def chosen(files: Iterable[AudioFile], utterances: int, seed: int) -> list[AudioFile]:
    """So many of the files, by a digest of their ids and the seed, with size and time; sorted by id."""

    def rank(file: AudioFile) -> bytes:
        return hashlib.sha256(f"calibration {seed} {file.utterance}".encode()).digest()

    picked = sorted(sorted(files, key=rank)[:utterances], key=lambda file: file.utterance)
    facts = [status(Path(file.root, file.path)) for file in picked]
    return [
        AudioFile(file.root, file.path, file.utterance, fact.st_size, int(fact.st_mtime))
        for file, fact in zip(picked, facts)
    ]


def demo_voices(utterances: int, seed: int) -> list[corpus.Utterance]:
    """So many utterances of the demo's training voices, chosen and sorted as :func:`chosen` does."""
    every = {utterance.name: utterance for utterance in corpus.utterances(corpus.TRAINING, corpus.TRAINING_SESSIONS)}
    ranked = sorted(every, key=lambda name: hashlib.sha256(f"calibration {seed} {name}".encode()).digest())
    return [every[name] for name in sorted(ranked[:utterances])]


def of_roots(files: Iterable[AudioFile], roots: Sequence[str]) -> int:
    """How many of the files lie in one of the folders, links followed."""
    folders = [os.path.join(os.path.realpath(root), "") for root in roots]
    places = (os.path.realpath(os.path.join(file.root, file.path)) for file in files)
    return sum(any(place.startswith(folder) for folder in folders) for place in places)


def require_enough(found: int, used: int, rejected: Sequence[Rejected], on_bad_audio: str) -> None:
    """Judge what is left of the chosen files.

    Args:
        found: chosen files.
        used: those whose features were made.
        rejected: the others.
        on_bad_audio: ``fail``: a rejected one is an error; ``reject``: too few that are left are.

    Raises:
        InputError: that names some rejected files and their reasons.
    """
    examples = "; ".join(f"{row.file}: {row.reason} ({row.detail})" for row in rejected[:NAMED])
    if rejected and on_bad_audio == "fail":
        raise InputError(
            f"quantisation.calibration: {len(rejected)} of {found} chosen files cannot be used: {examples}; mend or "
            "remove them, or set dataset.on_bad_audio: reject"
        )
    if used < FEWEST:
        bad = f" ({len(rejected)} of {found} chosen files cannot be used: {examples})" if rejected else ""
        raise InputError(
            f"quantisation.calibration: {used} utterances to calibrate with{bad}, and {FEWEST} are the minimum; name a "
            "folder with more speech in quantisation.calibration.root, or leave int8 out of precision and "
            "benchmark.engines"
        )
