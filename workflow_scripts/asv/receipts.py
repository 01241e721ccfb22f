"""Receipts: what proves that a file is the one that its job made, and what that job rested on.

Snakemake's own records do not prove it: a failed job's record is written as if it had succeeded, a file that somebody
else puts in place (the script of a killed run that lives on) leaves no trace, and a half-made output counts as whole
under ``--keep-incomplete``. So every script of a run writes a receipt for each of its outputs when it has succeeded,
with the job's key (see :mod:`asv.snakefile.job_keys`) and a digest of the content; whoever reads the file checks both.

Receipts lie beside Snakemake's records and not beside the files, whose bytes stay those of a run anywhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from . import files
from .errors import InputError

FOLDER = Path(".snakemake/asv/receipts")
SMALL = 1 << 20  # bytes up to which the content is checked at every start; above, where size or time is another


def place(path: files.PathLike) -> Path:
    """The receipt of a file or folder, named as rules name it: relative to the working folder."""
    return FOLDER / f"{path}.json"


def _members(path):
    """Files of a folder, sorted; hidden ones, such as Snakemake's time stamp, are nobody's output."""
    return sorted(p for p in path.rglob("*") if not p.name.startswith(".") and p.is_file())


def size(path: files.PathLike) -> int:
    """Bytes of a file, or of all files of a folder."""
    path = Path(path)
    return sum(member.stat().st_size for member in _members(path)) if path.is_dir() else path.stat().st_size


def _time(path):
    """When a file was changed last, or the latest of a folder's: whole seconds, which every way of copying can keep."""
    path = Path(path)
    return int(max((p.stat().st_mtime for p in _members(path)), default=0) if path.is_dir() else path.stat().st_mtime)


def digest(path: files.PathLike) -> str:
    """SHA-256 of a file's bytes, or of the names and bytes of a folder's files."""
    path = Path(path)
    if not path.is_dir():
        return files.digest(path)
    listing = (f"{member.relative_to(path).as_posix()}\t{files.digest(member)}\n" for member in _members(path))
    return hashlib.sha256("".join(listing).encode()).hexdigest()


def write(path: files.PathLike, key: str) -> None:
    """Write the receipt of an output of the job with this key."""
    files.write_json(place(path), {"key": key, "bytes": size(path), "seconds": _time(path), "sha256": digest(path)})


def _read(path):
    try:
        receipt = files.read_json(place(path))
        return receipt if receipt.keys() >= {"key", "bytes", "seconds", "sha256"} else {}
    except (OSError, ValueError, AttributeError):
        return {}


def fits(path: files.PathLike, key: str) -> bool:
    """Whether an existing file has a receipt with this key. Large files are read only where their time is another."""
    receipt = _read(path)
    if receipt.get("key") != key or receipt["bytes"] != size(path):
        return False
    if receipt["bytes"] > SMALL and receipt["seconds"] == _time(path):
        return True
    if receipt["sha256"] != digest(path):
        return False
    if receipt["seconds"] != _time(path):
        with contextlib.suppress(OSError):  # so that it is read once
            write(path, key)
    return True


def check(path: files.PathLike, key: str) -> None:
    """Check a file that is about to be read.

    Raises:
        InputError: where its receipt is missing, is of another key, or is not of the bytes that are there. The receipt
            is removed then, so that the next call makes the file again.
    """
    receipt = _read(path)
    if receipt.get("key") == key and Path(path).exists() and receipt["sha256"] == digest(path):
        return
    place(path).unlink(missing_ok=True)
    was_made = "its bytes are not those that its job wrote" if receipt.get("key") == key else "it was made for others"
    raise InputError(
        f"{path} does not belong to the present configuration and inputs: {was_made}. Something wrote it beside this "
        "run, such as a script of a killed one. The same command makes it again"
    )
