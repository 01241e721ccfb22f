"""The file of a compiled model: what its header says, and what ais_bench demands of path, mode and owner."""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

HEADER = 256  # bytes
MAGIC = b"IMOD"
LARGEST = 10 * 1024**3  # that ais_bench reads
# What atc and ais_bench both take in a path, of which they look at every part. (atc also takes Chinese characters.)
PLAIN = re.compile(r"[A-Za-z0-9\-._/]+")
LONGEST_PATH, LONGEST_NAME = 4096, 255


def path_faults(path: Path) -> Iterator[str]:
    """What of an absolute path atc or ais_bench would refuse: messages."""
    whole = os.path.abspath(path)
    if not PLAIN.fullmatch(whole):
        strange = "".join(sorted({letter for letter in whole if not PLAIN.fullmatch(letter)}))
        yield (
            f"{whole}: atc and ais_bench take no paths with {strange!r}, only A-Z a-z 0-9 - . _ /; work in another "
            "folder (--directory)"
        )
    if len(whole) > LONGEST_PATH or len(os.path.basename(whole)) > LONGEST_NAME:
        yield f"{whole}: the path is too long for atc and ais_bench; work in another folder (--directory)"


def header_fault(path: Path) -> str | None:
    """Why CANN's loader would refuse a file for what its header says, or None."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        header = stream.read(HEADER)
    if len(header) < HEADER or not header.startswith(MAGIC):
        return f"{path}: no model of atc's: it does not begin with {MAGIC.decode()}"
    (of_header,) = struct.unpack_from("<I", header, 4)
    (short,), (long,) = struct.unpack_from("<I", header, 76), struct.unpack_from("<Q", header, 184)
    if of_header != HEADER or (long or short) != size - HEADER:
        return f"{path}: not whole: its header tells of {(long or short) + HEADER} bytes, and it has {size}"
    return None


def access_faults(path: Path) -> Iterator[str]:
    """What ais_bench refuses of a file's kind, mode, owner and size: messages with remedies."""
    if path.is_symlink():
        yield f"{path}: a symbolic link, which ais_bench refuses; put the file itself there (cp -L)"
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & 0o022:
        yield f"{path}: others may write to it, which ais_bench refuses; chmod 600 {path}"
    if found.st_uid != os.getuid() and found.st_gid not in {os.getgid(), *os.getgroups()}:
        yield f"{path}: belongs to another user, which ais_bench refuses; copy it as the user who runs the workflow"
    if found.st_size > LARGEST:
        yield f"{path}: {found.st_size} bytes, and ais_bench reads {LARGEST} at most"
