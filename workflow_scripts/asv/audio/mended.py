"""An audio file whose header is replaced by another, without copying it."""

from __future__ import annotations

import io
from typing import Any, BinaryIO


class Mended(io.RawIOBase):
    """A header followed by a part of a file, read as one file without copying it."""

    def __init__(self, header: bytes, stream: BinaryIO, start: int, length: int) -> None:
        self._header, self._stream = header, stream
        self._start, self._size = start, len(header) + length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:  # any writable buffer; typing has no name for one before Python 3.12
        header, count = self._header, min(len(buffer), max(0, self._size - self._position))
        part = header[self._position : self._position + count]
        if len(part) < count:
            self._stream.seek(self._start + self._position + len(part) - len(header))
            part += self._stream.read(count - len(part))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)
