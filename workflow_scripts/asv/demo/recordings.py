"""The demo corpus as files."""

from __future__ import annotations

from collections.abc import Iterable

import soundfile

from .. import files
from ..progress import progress
from . import corpus


def write_corpus(folder: files.PathLike, utterances: Iterable[corpus.Utterance]) -> None:
    """Write the utterances' wavs below a folder, which appears when it is whole."""
    with files.atomic_folder(folder) as temporary:
        for utterance in progress(utterances, "demo corpus", "utterance"):
            path = temporary / utterance.name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, corpus.speak(utterance), 16000, subtype="PCM_16")


def write_trials(path: files.PathLike) -> None:
    """Write the trial list: one line per trial, such as ``1 id90001/s1/00001.wav id90001/s2/00002.wav``."""
    files.write_text(path, "".join(f"{label:d} {first} {second}\n" for label, first, second in corpus.trials()))
