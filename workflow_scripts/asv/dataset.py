"""Finding utterances in a VoxCeleb1 tree: ids, shards, and the digest that tells when a shard is stale.

Light on purpose: the Snakefile calls this at every start, over up to 150,000 files.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError

READABLE = (".wav", ".flac", ".sph", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
# Audio, but not for us: found, counted and rejected with a reason, rather than overlooked.
UNREADABLE = (".m4a", ".mp3", ".aac", ".ogg", ".opus", ".wma", ".mp4", ".amr", ".webm", ".wv", ".shn")
LAYOUT = "<speaker>/<session>/<utterance>.wav"
SEPARATORS = re.compile("[\t\n\r]")  # of tables
# Lists of the VoxCeleb1 authors, recognised by name when dataset.trials is auto.
KNOWN_LISTS = (
    "veri_test.txt",
    "veri_test2.txt",
    "list_test_all.txt",
    "list_test_all2.txt",
    "list_test_hard.txt",
    "list_test_hard2.txt",
)


def _as_wav(name):
    """A file's name with the suffix ``.wav`` for that of any audio."""
    return (os.path.splitext(name)[0] if _is_audio(name) else name) + ".wav"


def utterance_id(path):
    """Last three parts of a path, which is what trial lists name, with the suffix ``.wav`` for that of any audio."""
    # Split by hand: Path takes several times as long, and a list may have a million names.
    *folders, name = [part for part in str(path).split("/") if part not in ("", ".")][-3:] or ("",)
    # A list may leave the suffix out; then what follows the last dot belongs to the name.
    return "/".join((*folders, _as_wav(name)))


@dataclass(frozen=True)
class AudioFile:
    """An audio file of the tree; ``path`` is relative to ``root``, ``size`` in bytes, ``mtime`` in whole seconds."""

    root: str
    path: str
    utterance: str
    size: int
    mtime: int

    @property
    def speaker(self):
        return self.utterance.split("/")[0]

    @property
    def session(self):
        return self.utterance.split("/")[1]


@dataclass(frozen=True)
class Tree:
    """Folders of a data set: speaker name to its ``(root, path relative to root)``, and folders above speakers."""

    speakers: dict
    containers: tuple


def _is_audio(name):
    return name.lower().endswith(READABLE + UNREADABLE)


def _entries(path):
    """Sorted, visible entries of a folder (hidden names are what file managers and copy tools leave behind)."""
    try:
        with os.scandir(path) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        raise InputError(f"{path}: cannot list this folder ({error.strerror}); check its permissions") from error


def _status(entry):
    try:
        return entry.stat()
    except OSError as error:
        raise InputError(f"{entry.path}: {error.strerror} (a dangling link?); mend or remove it") from error


def _is_folder(entry):
    """Whether an entry is a folder or a link to one; a link that leads nowhere may be a speaker that is not mounted."""
    return stat.S_ISDIR(_status(entry).st_mode) if entry.is_symlink() else entry.is_dir()


def _audio_in(entries):
    return [entry.path for entry in entries if _is_audio(entry.name) and not _is_folder(entry)]


def find_speakers(roots):
    """Find the speaker folders below the roots without looking at every file.

    A speaker folder is one with a sub-folder that holds audio; folders above (``wav/``, ``vox1_test/wav/``) may be as
    deep as they like. A speaker may be in several roots.

    Raises:
        InputError: for a missing root, a tree without audio, audio outside the layout.
    """
    speakers, containers = {}, []

    def descend(root, path, above):
        here = os.path.realpath(path)
        if here in above:
            raise InputError(f"{path}: a link back to {here}, a folder above it; remove the link")
        entries = _entries(path)
        if stray := _audio_in(entries):
            raise InputError(
                f"{stray[0]}: audio outside the layout {LAYOUT} ({len(stray)} such in its folder); "
                "dataset.root must name the folder that holds the speakers' folders, or one above it"
            )
        folders = [entry.path for entry in entries if _is_folder(entry)]
        if audio := next(filter(None, (_audio_in(_entries(folder)) for folder in folders)), None):
            if path == root:
                raise InputError(
                    f"dataset.root: {audio[0]} is one level below {root!r}, but the layout is {LAYOUT}: name the "
                    "folder above if this is a speaker's, else move each speaker's files into a session folder"
                )
            speakers.setdefault(os.path.basename(path), []).append((root, os.path.relpath(path, root)))
            return
        containers.append(path)
        for folder in folders:
            descend(root, folder, {*above, here})

    for root in map(str, roots):
        if not os.path.isdir(root):
            raise InputError(
                f"dataset.root: no folder {root!r} (seen from {os.getcwd()}); set it to the folder of the wavs"
            )
        before = len(speakers), sum(map(len, speakers.values()))
        descend(root, root, set())
        if before == (len(speakers), sum(map(len, speakers.values()))):
            raise InputError(
                f"dataset.root: no audio below {root!r} ({', '.join(READABLE)} in the layout {LAYOUT} were looked for)"
            )
    return Tree(dict(sorted(speakers.items())), tuple(containers))


def _speaker_files(root, speaker_path):
    speaker_path = Path(speaker_path).as_posix()
    speaker = os.path.basename(speaker_path)
    for session in _entries(os.path.join(root, speaker_path)):
        if not _is_folder(session):
            if _is_audio(session.name):
                raise InputError(f"{session.path}: audio beside session folders; the layout is {LAYOUT}")
            continue
        for entry in _entries(session.path):
            if _is_folder(entry):
                if deeper := [name for _, _, names in os.walk(entry.path) for name in names if _is_audio(name)]:
                    raise InputError(
                        f"{entry.path}: {len(deeper)} audio files a level too deep; the layout is {LAYOUT}"
                    )
            elif _is_audio(entry.name):
                utterance = f"{speaker}/{session.name}/{_as_wav(entry.name)}"
                yield _audio_file(root, f"{speaker_path}/{session.name}/{entry.name}", utterance, entry)


def _audio_file(root, path, utterance, entry):
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{os.fsencode(entry.path)!r}: the name is not UTF-8; rename the file") from None
    if SEPARATORS.search(path):
        raise InputError(f"{entry.path!r}: a tab or line break in a file's name; rename the file")
    status = _status(entry)
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{entry.path}: not a regular file; remove it")
    return AudioFile(root, path, utterance, status.st_size, int(status.st_mtime))


def shard_of(speaker, shards):
    """Shard of a speaker: CRC-32 of the name modulo the number of shards, the same on every machine."""
    return zlib.crc32(speaker.encode("utf-8", "surrogateescape")) % shards


def shard_names(speakers, shards):
    """Names such as ``3-of-64`` of the shards that have a speaker."""
    return [f"{index}-of-{shards}" for index in sorted({shard_of(speaker, shards) for speaker in speakers})]


def shard_files(tree, shard):
    """Audio files of a shard, sorted by utterance id.

    Args:
        tree: of :func:`find_speakers`.
        shard: name such as ``3-of-64``.

    Raises:
        InputError: where two files have the same utterance id, or a name cannot be listed.
    """
    index, shards = map(int, re.findall(r"\d+", shard)) if re.fullmatch(r"\d+-of-\d+", shard) else (0, 0)
    if index >= shards:
        raise InputError(f"--shard: {shard!r} is not K-of-N with K from 0 to N - 1")
    places = [place for s, places in tree.speakers.items() if shard_of(s, shards) == index for place in places]
    files = sorted(
        (file for root, path in places for file in _speaker_files(root, path)), key=lambda file: file.utterance
    )
    for first, second in zip(files, files[1:]):
        if first.utterance == second.utterance:
            raise InputError(
                f"two files have the utterance id {first.utterance}: {first.root}/{first.path} and "
                f"{second.root}/{second.path}; remove one, or leave one folder out of dataset.root"
            )
    return files


def stamp(files):
    """Digest of relative paths, sizes and modification times, which changes when a shard is stale."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.path}\t{file.size}\t{file.mtime}\n".encode())
    return state.hexdigest()[:16]


def known_lists(tree):
    """Trial lists of known names in the roots and in the folders above the speakers."""
    candidates = (os.path.join(folder, name) for folder in tree.containers for name in KNOWN_LISTS)
    return [path for path in candidates if os.path.isfile(path)]
