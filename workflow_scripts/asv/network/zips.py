"""Zip archives that nobody has checked: hostile entries are refused, checksums are compared."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PureWindowsPath

from ..errors import InputError

LARGEST = 8 << 30  # bytes; the C = 512 checkpoint with its optimizer's state has about 400 MB
MOST_ENTRIES = 10_000
HIGHEST_RATIO = 200  # of unpacked to packed size; weights hardly shrink, zeros shrink about 1000 times
BLOCK = 1 << 20  # bytes
# What zipfile, tarfile and the decompressors raise at damaged bytes. Other exceptions are bugs, not damage.
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, MemoryError),
)


def check_name(source: str, entry: str) -> None:
    """Refuse the name of an entry that leads out of the archive called ``source``."""
    name = PureWindowsPath(entry)  # which knows slashes, too; its anchor is a drive, a host or a root
    if name.anchor or ".." in name.parts:
        raise InputError(f"{source}: entry {entry!r} points outside the archive; refused, nothing unpacked")


def check_size(source: str, packed: int, unpacked: int) -> None:
    """Refuse an archive that is far larger unpacked than packed."""
    if unpacked > LARGEST or unpacked > HIGHEST_RATIO * max(packed, 1 << 10):
        raise InputError(
            f"{source}: {packed} bytes would unpack to {unpacked} (at most {LARGEST} and {HIGHEST_RATIO}-fold); "
            "refused as a decompression bomb"
        )


def check_count(source: str, count: int) -> None:
    if count > MOST_ENTRIES:
        raise InputError(f"{source}: {count} entries in the archive, more than {MOST_ENTRIES}; refused")


def check_entries(source: str, archive: zipfile.ZipFile) -> None:
    """Refuse an open zip, called ``source`` in messages, that has a hostile entry."""
    entries = archive.infolist()
    check_count(source, len(entries))
    for entry in entries:
        check_name(source, entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{source}: entry {entry.filename!r} is a symbolic link; refused, nothing unpacked")
        if entry.flag_bits & 1:
            raise InputError(
                f"{source}: entry {entry.filename!r} is encrypted; unpack it by hand and set checkpoint.archive to the "
                "checkpoint in it"
            )
    # Entries may declare more than they have, or share their bytes.
    size = os.path.getsize(archive.filename)  # type: ignore[arg-type]  # it was opened by its path
    packed = min(sum(entry.compress_size for entry in entries), size)
    check_size(source, packed, sum(entry.file_size for entry in entries))
    if all(entry.CRC == 0 for entry in entries) and any(entry.file_size for entry in entries):
        for entry in entries:  # torch.serialization.set_crc32_options(False) leaves every checksum out
            entry.CRC = None  # type: ignore[assignment]  # zipfile then compares none


@contextmanager
def reading(source: str, entry: zipfile.ZipInfo) -> Iterator[None]:
    """Name the archive and the entry of whatever goes wrong while the entry is read."""
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of the entry
            raise
        words = f"{source}: entry {entry.filename!r} is damaged ({error or type(error).__name__}); fetch it again"
        raise InputError(words) from error


def verify(source: str, archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo]) -> None:
    """Read entries to their ends, which compares their checksums; InputError names the first that is damaged."""
    for entry in entries:
        with reading(source, entry), archive.open(entry) as stream:
            while stream.read(BLOCK):
                pass
