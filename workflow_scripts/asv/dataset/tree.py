"""Finding speakers and utterances in the folders of a data set.

Light on purpose: the Snakefile calls this at every start, over up to 150,000 files.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .auto_layout import walk_automatically
from .layout import Layout, parse
from .listing import as_wav, audio_below, split, status
from .walk import names_left_out, walk

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


@dataclass(frozen=True)
class AudioFile:
    """An audio file of the tree; ``path`` is relative to ``root``, ``size`` in bytes, ``mtime`` in whole seconds."""

    root: str
    path: str
    utterance: str
    size: int
    mtime: int

    @property
    def speaker(self) -> str:
        return self.utterance.split("/")[0]

    @property
    def session(self) -> str:
        """The folders between speaker and file, joined by a slash; empty without any."""
        return "/".join(self.utterance.split("/")[1:-1])


@dataclass(frozen=True)
class Place:
    """Where a speaker's files are: a folder, or one file where its name holds the speaker's; relative to ``root``."""

    root: str
    path: str
    layout: Layout


@dataclass(frozen=True)
class Tree:
    """Folders of a data set.

    Attributes:
        speakers: speaker's name to a list of :class:`Place`.
        containers: folders above the speakers.
        left_out: folders whose names are not those of the layout.
        layout: name of the layout, or of several where ``auto`` found different ones in different roots.
    """

    speakers: dict[str, list[Place]]
    containers: tuple[str, ...]
    left_out: tuple[str, ...]
    layout: str


def find_speakers(
    roots: Iterable[str | os.PathLike[str]], layout: str = "auto", shared_speakers: str = "refuse"
) -> Tree:
    """Find the speakers below the roots without looking at every file, unless the files' names hold the speakers'.

    Args:
        roots: folders.
        layout: pattern, see :mod:`asv.dataset.layout`; or ``auto``: speakers' folders hold session folders that hold
            audio, unless names tell otherwise. Folders above (``wav/``, ``vox1_test/wav/``) may be as deep as they
            like.
        shared_speakers: ``merge``: a name that is found in several folders is one speaker; or ``refuse``.

    Raises:
        InputError: for a missing root, a tree without audio, audio outside the layout, an implausible tree (``auto``
            only), a speaker's name in several folders.
    """
    speakers: dict[str, list[Place]] = {}
    folders, containers, left_out, layouts = list(map(str, roots)), [], [], []
    for root in folders:
        if not os.path.isdir(root):
            raise InputError(
                f"dataset.root: no folder {root!r} (seen from {os.getcwd()}); set it to the folder of the wavs"
            )
        found = walk_automatically(root, len(folders) == 1) if layout == "auto" else walk(root, parse(layout))
        found.require_speakers()
        for speaker, path in found.speakers:
            place = Place(root, path[len(root) :].lstrip("/"), found.layout)
            speakers.setdefault(speaker, []).append(place)
        containers += found.containers
        left_out += found.left_out
        layouts.append(found.layout.name)
    if shared_speakers == "refuse":
        _refuse_shared(speakers)
    names = ", ".join(dict.fromkeys(layouts))
    return Tree(dict(sorted(speakers.items())), tuple(containers), tuple(left_out), names)


def _refuse_shared(speakers):
    """A name in several folders is a copy of the data, or two people: which, only the user knows."""
    shared = {}
    for speaker, places in speakers.items():
        if len(places) > 1:
            above = dict.fromkeys(os.path.dirname(os.path.join(place.root, place.path)) for place in places)
            if len(above) > 1:
                shared[speaker] = list(above)
    if shared:
        examples = "; ".join(f"{name} in {' and '.join(above[:2])}" for name, above in list(shared.items())[:3])
        raise InputError(
            f"dataset.root: {len(shared):,} of {len(speakers):,} speakers are found in more than one folder, such as "
            f"{examples}: leave one out if they are copies, set dataset.shared_speakers: merge if they are the same "
            "people, else rename them"
        )


def _files(root, path, names, layout):
    """Audio below a speaker's folder, as paths from the root on, and entries; ``names`` of the folders between."""
    folders, audio = split(os.path.join(root, path))
    if names:
        if audio:
            raise InputError(f"{audio[0].path}: audio beside session folders; the layout is {layout.shown}")
        for folder in folders:
            if names[0].match(folder.name):
                yield from _files(root, f"{path}/{folder.name}", names[1:], layout)
        return
    for folder in folders:
        if deeper := audio_below(folder.path):
            raise InputError(f"{folder.path}: {len(deeper)} audio files a level too deep; the layout is {layout.shown}")
    yield from ((f"{path}/{entry.name}", entry) for entry in audio)


def place_files(speaker: str, place: Place) -> Iterator[AudioFile]:
    """Audio files of a place. An id is the path from the speaker on, with all of a name that holds the speaker's."""
    path, layout = place.path, place.layout
    file = layout.inside is None
    paths = [(path, Path(place.root, path))] if file else _files(place.root, path, layout.inside, layout)
    start = len(path) + 1 if layout.speaker.whole else path.rfind("/") + 1
    for found, entry in paths:
        yield _audio_file(place.root, found, f"{speaker}/{as_wav(found[start:])}", entry)


def _audio_file(root, path, utterance, entry):
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{os.fsencode(entry)!r}: the name is not UTF-8; rename the file") from None
    if SEPARATORS.search(path):
        raise InputError(f"{os.fspath(entry)!r}: a tab or line break in a file's name; rename the file")
    facts = status(entry)
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{os.fspath(entry)}: not a regular file; remove it")
    return AudioFile(root, path, utterance, facts.st_size, int(facts.st_mtime))


def summary(tree: Tree) -> str:
    """A sentence that says what was taken for speakers; one speaker's files are looked at."""
    name, places = next(iter(tree.speakers.items()))
    files = [file for place in places for file in place_files(name, place)]
    sessions = sorted({file.session for file in files} - {""})
    of_sessions = f", sessions: {len(sessions):,}, such as {sessions[0]}" if sessions else ""
    return (
        f"data set: {len(tree.speakers):,} speakers, such as {name} (utterances: {len(files):,}{of_sessions}); "
        f"layout {tree.layout}{names_left_out(tree.left_out)}"
    )


def known_lists(tree: Tree) -> list[str]:
    """Trial lists of known names in the roots and in the folders above the speakers."""
    candidates = (os.path.join(folder, name) for folder in tree.containers for name in KNOWN_LISTS)
    return [path for path in candidates if os.path.isfile(path)]
