"""An audio file whose header is replaced by another, without copying it."""

from __future__ import annotations

import io


class Mended(io.RawIOBase):
    """A header followed by a part of a file, read as one file without copying it."""

    def __init__(self, header, stream, start, length):
        self._header, self._stream = header, stream
        self._start, self._size = start, len(header) + length
        self._position = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._position

    def seek(self, offset, whence=io.SEEK_SET):
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer):
        header, count = self._header, min(len(buffer), max(0, self._size - self._position))
        part = header[self._position : self._position + count]
        if len(part) < count:
            self._stream.seek(self._start + self._position + len(part) - len(header))
            part += self._stream.read(count - len(part))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)
