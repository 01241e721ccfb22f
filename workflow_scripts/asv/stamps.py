"""Stamps: what tells whether the user's files and the code are still those that a run was started with.

The main process takes them once, when it computes keys, and the scripts compare them when they begin and when they have
finished. So what is changed while a run goes on is never taken for what its key says, not even where it is changed back
before anybody looks again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import code, files

ROOT = Path(__file__).resolve().parent.parent  # workflow_scripts/
SMALL = 16 << 20  # bytes up to which the content of a file counts; above, its size and time


def of(path: files.PathLike) -> list[str | int | None]:
    """What tells one state of an input that no job makes from another: older counts as much as newer.

    Of a file of up to :data:`SMALL` bytes its content, so that a copy or a touch changes nothing; of a larger one its
    size and time. Its folder does not count: in a moved checkout nothing is stale.
    """
    path = Path(path)
    try:
        status = path.stat()
        content = files.digest(path) if status.st_size <= SMALL and path.is_file() else status.st_mtime_ns
        return [path.name, status.st_size, content]
    except OSError as error:
        return [path.name, error.strerror]


def changed(stamps: Mapping[str, object]) -> str | None:
    """The first of the paths that is not as its stamp says, or None."""
    return next((path for path, stamp in stamps.items() if of(path) != stamp), None)


def of_code() -> dict[str, str]:
    """SHA-256 of the bytes of every module under ``workflow_scripts/``, by its path there."""
    return {path.relative_to(ROOT).as_posix(): files.digest(path) for path in sorted(ROOT.rglob("*.py"))}


def changed_code(stamps: Mapping[str, Sequence[object]]) -> str | None:
    """The first module that this process has imported whose code is not as its stamps say, or None.

    Args:
        stamps: name of a module to :class:`asv.code.Module`. The digest of its code, if there is one, is asked for only
            where the bytes are others: words may be edited while a run goes on.
    """
    names = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    loaded = {Path(name) for name in names if name}
    for name, (of_bytes, of_tokens, _) in stamps.items():
        path = ROOT / name
        if path in loaded and (not path.exists() or (files.digest(path) != of_bytes and code.of(path) != of_tokens)):
            return str(path)
    return None


def of_made(path: files.PathLike) -> str | None:
    """What changes when a made file or folder is replaced, without reading it; None where it is not there."""
    path = Path(path)
    members = sorted(path.rglob("*")) if path.is_dir() else [path]
    try:
        found = [(str(member), member.stat()) for member in members if not member.name.startswith(".")]
    except FileNotFoundError:
        return None
    return hashlib.sha256(repr([(n, s.st_ino, s.st_size, s.st_mtime_ns) for n, s in found]).encode()).hexdigest()
