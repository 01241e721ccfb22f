"""Listing folders of a data set: what is audio, what is a folder, and what is neither."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

READABLE = (".wav", ".flac", ".sph", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
# Audio, but not for us: found, counted and rejected with a reason, rather than overlooked.
UNREADABLE = (".m4a", ".mp3", ".aac", ".ogg", ".opus", ".wma", ".mp4", ".amr", ".webm", ".wv", ".shn")


def is_audio(name: str) -> bool:
    return name.lower().endswith(READABLE + UNREADABLE)


def as_wav(name: str) -> str:
    """A file's name with the suffix ``.wav`` for that of any audio."""
    return (os.path.splitext(name)[0] if is_audio(name) else name) + ".wav"


def entries(path: str) -> list[os.DirEntry[str]]:
    """Sorted, visible entries of a folder (hidden names are what file managers and copy tools leave behind)."""
    try:
        with os.scandir(path) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        raise InputError(f"{path}: cannot list this folder ({error.strerror}); check its permissions") from error


def status(entry: os.DirEntry[str] | Path) -> os.stat_result:
    """What stat tells of an entry or a :class:`pathlib.Path`, links followed."""
    try:
        return entry.stat()
    except OSError as error:
        raise InputError(f"{os.fspath(entry)}: {error.strerror} (a dangling link?); mend or remove it") from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one; a link that leads nowhere may be a speaker that is not mounted."""
    return stat.S_ISDIR(status(entry).st_mode) if entry.is_symlink() else entry.is_dir()


def split(path: str) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """The folders and the audio files in a folder, as sorted lists of entries; what is neither is passed over."""
    folders, audio = [], []
    for entry in entries(path):
        if is_folder(entry):
            folders.append(entry)
        elif is_audio(entry.name):
            audio.append(entry)
    return folders, audio


def audio_below(path: str) -> list[str]:
    """Paths of all audio files in a folder and in those below it, links not followed."""
    return [os.path.join(here, name) for here, _, names in os.walk(path) for name in sorted(names) if is_audio(name)]
