"""Finding the speakers of one layout below one folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from .layout import Layout, Name
from .listing import READABLE, audio_below, split

DEEPEST = 100  # folders above the speakers


@dataclass
class Found:
    """What is below a root.

    Attributes:
        root: folder, as the user wrote it.
        layout: what it was read by.
        speakers: pairs of a speaker's name and the path of its folder, or of one file where its name holds the
            speaker's. A name may be there several times.
        containers: folders above the speakers.
        left_out: folders whose names are not those that the layout gives.
        one_level: an audio file where the root itself stands in the speaker's place; then nothing was looked for.
    """

    root: str
    layout: Layout
    speakers: list[tuple[str, str]] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    one_level: str | None = None

    def require_speakers(self) -> None:
        """Raise :class:`InputError` unless there are some."""
        if self.one_level:
            raise InputError(
                f"dataset.root: {self.one_level} is in no speaker's folder below {self.root!r}, but the layout is "
                f"{self.layout.shown}: name the folder above if {self.root!r} is a speaker's, or correct dataset.layout"
            )
        if not self.speakers:
            raise InputError(
                f"dataset.root: no audio below {self.root!r} ({', '.join(READABLE)} in the layout {self.layout.shown} "
                f"were looked for){names_left_out(self.left_out)}"
            )


def names_left_out(folders: Sequence[str]) -> str:
    """A clause for people that names folders which the layout leaves out."""
    names = ", ".join(folders[:3])
    return f"; folders that the layout leaves out: {len(folders):,}, such as {names}" if folders else ""


def first_audio(path: str, names: Sequence[Name]) -> str | None:
    """Path of an audio file below folders of the given names, which is looked for only as far as needed, or None."""
    folders, audio = split(path)
    if not names:
        return audio[0].path if audio else None
    inner = (first_audio(folder.path, names[1:]) for folder in folders if names[0].match(folder.name))
    return next(filter(None, inner), None)


def walk(root: str, layout: Layout) -> Found:
    """Find the speakers; returns :class:`Found`.

    Raises:
        InputError: for audio outside the layout, links in a circle, folders that cannot be listed.
    """
    found = Found(root, layout)
    if layout.anywhere and not layout.above and layout.inside:
        found.one_level = first_audio(root, layout.inside)
    if not found.one_level:
        _descend(found, root, 0, frozenset())
    return found


def _descend(found, path, depth, above):
    """Look at a folder above the speakers, ``depth`` levels below the root."""
    layout, here = found.layout, os.path.realpath(path)
    if here in above:
        raise InputError(f"{path}: a link back to {here}, a folder above it; remove the link")
    if len(above) == DEEPEST:
        raise InputError(
            f"{path}: more than {DEEPEST} folders below dataset.root, and no speaker; name one nearer to them"
        )
    folders, audio = split(path)
    holds_speakers = depth >= len(layout.above)
    if holds_speakers and layout.inside is None:
        found.speakers += [(_speaker(layout, file), file.path) for file in audio]
    elif audio:
        raise _outside(layout, [file.path for file in audio])
    found.containers.append(path)
    for folder in folders:
        if not holds_speakers and not layout.above[depth].match(folder.name):
            found.left_out.append(folder.path)
        elif holds_speakers and layout.inside is not None and first_audio(folder.path, layout.inside):
            found.speakers.append((_speaker(layout, folder), folder.path))
        elif not holds_speakers or layout.anywhere:
            _descend(found, folder.path, depth + 1, above | {here})
        elif stray := audio_below(folder.path):
            raise _outside(layout, stray)


def _speaker(layout, entry):
    speaker = layout.speaker_of(entry.name)
    if speaker is None:
        raise InputError(
            f"{entry.path}: its name does not fit the layout {layout.shown}; rename it, or correct dataset.layout"
        )
    return speaker


def _outside(layout, paths):
    return InputError(
        f"{paths[0]}: audio outside the layout {layout.shown} ({len(paths)} such in its folder); dataset.root must "
        "name the folder that holds the speakers' folders, or one above it, and dataset.layout how they are laid out "
        "(docs/inputs.md)"
    )
