"""The tables that say which utterances are used and which files were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from typing import Any

from .. import files


@dataclass(frozen=True)
class Utterance:
    """One row of a manifest; rows are in the order of the features."""

    utterance: str  # speaker/session/name.wav
    speaker: str
    session: str
    file: str  # relative to the root
    duration: float  # seconds
    sample_rate: int  # hertz, of the file
    channels: int
    notes: str = ""  # what was odd about the file, but could be read all the same; joined by "; "


@dataclass(frozen=True)
class Rejected:
    """One file left out."""

    utterance: str
    file: str
    reason: str
    detail: str


def _write(path, kind, rows):
    files.write_table(path, [field.name for field in fields(kind)], map(astuple, rows))


def write_utterances(path: files.PathLike, rows: Iterable[Utterance]) -> None:
    _write(path, Utterance, rows)


def write_rejected(path: files.PathLike, rows: Iterable[Rejected]) -> None:
    _write(path, Rejected, rows)


def read_utterances(path: files.PathLike) -> list[Utterance]:
    """List of :class:`Utterance`."""
    numbers: dict[str, Callable[[str], Any]] = {"duration": float, "sample_rate": int, "channels": int}
    return [
        Utterance(**{name: numbers.get(name, str)(value) for name, value in row.items()})
        for row in files.read_table(path)
    ]


def count_notes(utterances: Iterable[Utterance]) -> dict[str, int]:
    """How many utterances have each note, sorted by note."""
    notes = Counter(note for row in utterances if row.notes for note in row.notes.split("; "))
    return dict(sorted(notes.items()))


def read_rejected(path: files.PathLike) -> list[Rejected]:
    """List of :class:`Rejected`."""
    return [Rejected(**row) for row in files.read_table(path)]
