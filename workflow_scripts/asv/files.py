"""Writing files so that a half-written one is never taken for a whole one."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union

PathLike = Union[str, "os.PathLike[str]"]


def before_replacing() -> None:
    """Called before a finished file takes its place; a script that belongs to a run replaces it: :mod:`asv.runs`."""


def _temporary(path: Path) -> Path:
    """A fresh name beside ``path``; leftovers of killed writers of the same file are removed.

    Should such a writer still live, its final rename fails, which is what we want of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    leftover = re.compile(re.escape(f".{path.name}.") + r"\d+-[0-9a-f]{8}\.tmp")
    for stale in path.parent.iterdir():
        if leftover.fullmatch(stale.name):
            shutil.rmtree(stale, ignore_errors=True) if stale.is_dir() else stale.unlink(missing_ok=True)
    return path.parent / f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp"


@contextmanager
def atomic_file(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is renamed to ``path``, on error removed."""
    path = Path(path)
    temporary = _temporary(path)
    try:
        yield temporary
        before_replacing()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: PathLike) -> Iterator[Path]:
    """As :func:`atomic_file`, for a folder; an existing ``path`` is replaced."""
    path = Path(path)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        before_replacing()
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def try_to_write(path: PathLike, size: int) -> None:
    """Write ``size`` bytes beside ``path`` and remove them: for libraries that keep to themselves why they could not.

    Raises:
        OSError: what the system says, such as that no space is left.
    """
    with tempfile.TemporaryFile(dir=Path(path).absolute().parent) as stream:
        stream.write(bytes(size))


def write_text(path: PathLike, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: PathLike, value: Any) -> None:
    """Write JSON atomically, indented, keys in the order given; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: PathLike) -> Any:
    """What :func:`write_json` wrote; FileNotFoundError where there is no such file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(path: PathLike, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a tab-separated table with a header line atomically."""
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(header)
        writer.writerows(rows)


def read_table(path: PathLike) -> list[dict[str, str]]:
    """Rows of a table written by :func:`write_table`, as dictionaries of strings."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def digest(path: PathLike, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's bytes."""
    state = hashlib.new(algorithm)
    with Path(path).open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            state.update(block)
    return state.hexdigest()
