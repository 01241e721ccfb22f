"""Tar archives, plain or packed, that nobody has checked: read forwards, within bounds, never unpacked as a whole."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from ..errors import InputError
from . import zips

OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7z": lzma.open}
LONGEST_READ = 16 << 20  # bytes at once; a hostile header asks for all that follows


class _Bounded:
    """A file that is read through a decompressor, no further than a bomb check allows."""

    def __init__(self, source, path):
        with open(path, "rb") as stream:
            head = stream.read(3)
        opener = next((opener for start, opener in OPENERS.items() if head.startswith(start)), open)
        self._stream, self._source, self._packed = opener(path, "rb"), source, os.path.getsize(path)

    def read(self, size):
        if not 0 <= size <= LONGEST_READ:
            raise ValueError(f"a header of {size} bytes")
        content = self._stream.read(size)
        zips.check_size(self._source, self._packed, self._stream.tell())
        return content

    def seek(self, position):
        if position < self._stream.tell():  # a packed file would be read from its beginning, each time
            raise ValueError("an entry that leads backwards")
        zips.check_size(self._source, self._packed, position)
        while self._stream.tell() < position:  # a seek past the end would find no end
            if not self.read(min(zips.BLOCK, position - self._stream.tell())):
                raise EOFError("the archive ends too early")
        return position

    def tell(self):
        return self._stream.tell()

    def close(self):
        self._stream.close()


def members(source: str, path: str | os.PathLike[str]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield ``(member, open file)`` of every file, each to be read before the next; hostile members raise InputError.

    Raises:
        InputError: for names that lead outside, links, devices, bombs.
        tarfile.TarError, OSError, EOFError and others: for damage.
    """
    bounded = _Bounded(source, path)
    try:
        with tarfile.open(fileobj=bounded, mode="r:") as archive:  # type: ignore[call-overload]  # has what reading takes
            for count, member in enumerate(archive, 1):
                zips.check_count(source, count)
                zips.check_name(source, member.name)
                if member.isdir():
                    continue
                if not member.isreg() or member.sparse is not None:
                    words = f"entry {member.name!r} is a link or a special file"
                    raise InputError(f"{source}: {words}; refused, nothing unpacked")
                yield member, archive.extractfile(member)
        while bounded.read(zips.BLOCK):  # the last bytes of a packed file hold its checksum
            pass
    finally:
        bounded.close()
