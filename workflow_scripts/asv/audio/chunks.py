"""Containers that string chunks together, each a name and a length: finding the chunk with the samples."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

from .errors import FFMPEG, AudioError

MOST_CHUNKS = 1000  # in front of the samples
TAIL = 65536  # bytes at the end of a stream in which chunks behind the samples are looked for
# Names of chunks that are in use besides "fmt " and "data": where one stands, a chunk begins.
KNOWN: tuple[bytes, ...] = (
    b"LIST",
    b"fact",
    b"bext",
    b"iXML",
    b"cue ",
    b"smpl",
    b"inst",
    b"PEAK",
    b"JUNK",
    b"junk",
    b"id3 ",
    b"ID3 ",
)
KNOWN += (b"PAD ", b"afsp", b"_PMX", b"axml", b"cart", b"LGWV", b"DISP", b"FLLR", b"minf", b"elm1", b"regn", b"umid")


@dataclass(frozen=True)
class Chunks:
    """How a container strings chunks together."""

    first: int  # offset of the first chunk
    head: struct.Struct  # name and length
    data: bytes  # name of the chunk with the samples
    inside: int = 0  # bytes of that chunk in front of the samples
    align: int = 2  # of a chunk's length, by pad bytes
    inclusive: bool = False  # the length counts the head, too


W64_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # of the chunks' GUIDs
CONTAINERS = {
    "RIFF": Chunks(12, struct.Struct("<4sI"), b"data"),
    "RIFX": Chunks(12, struct.Struct(">4sI"), b"data"),
    "RF64": Chunks(12, struct.Struct("<4sI"), b"data"),
    "W64": Chunks(40, struct.Struct("<16sQ"), b"data" + W64_TAIL, align=8, inclusive=True),
    "AIFF": Chunks(12, struct.Struct(">4sI"), b"SSND", inside=8),
    "CAF": Chunks(8, struct.Struct(">4sQ"), b"data", inside=4, align=1),
}


def _is_name(name):
    return all(32 <= byte < 127 for byte in name)


def _head(stream, size, kind, at):
    """Name and length of the chunk at an offset, or None where the file ends."""
    if at > size:  # perhaps beyond 2^63
        return None
    stream.seek(at)
    head = stream.read(kind.head.size)
    return kind.head.unpack(head) if len(head) == kind.head.size else None


def _lacks_pad(stream, size, kind, end):
    """Whether a chunk begins at an odd chunk's very end, where its pad byte should be, and none behind it."""

    def chunk_at(at):
        name, length = _head(stream, size, kind, at) or (b"\0", 0)
        known = name in KNOWN or name in (b"fmt ", kind.data)
        return known, known or (_is_name(name) and at + kind.head.size + length <= size)

    (known, plausible), (known_behind, plausible_behind) = chunk_at(end), chunk_at(end + 1)
    return not known_behind and (known or (plausible and not plausible_behind))


def walk(stream: BinaryIO, size: int, base: int, kind: Chunks) -> tuple[dict[bytes, tuple[int, int]], bytes | None]:
    """Walk the chunks up to the one with the samples.

    Returns:
        ``(chunks, odd)``: name to (start of its body, length in bytes), and the name of a chunk without its pad byte.
    """
    found: dict[bytes, tuple[int, int]] = {}
    lacking, at = None, base + kind.first
    for _ in range(MOST_CHUNKS):
        head = _head(stream, size, kind, at)
        if head is None:
            # The walk went over the end: either the file was cut here, or a length on the way is wrong.
            raise AudioError(
                "unreadable",
                "the header leads to no samples before the file ends: if it is damaged or cut, fetch the file again; "
                "if other programs play it, convert it",
                FFMPEG,
            )
        name, length = head
        length -= kind.head.size if kind.inclusive else 0
        start = at + kind.head.size
        found.setdefault(name, (start, length))
        if name == kind.data:
            return found, lacking
        end = start + max(0, length)
        at = end + -length % kind.align
        if kind.align == 2 and length % 2 and _lacks_pad(stream, size, kind, end):
            lacking, at = name, end
    raise AudioError("unreadable", f"over {MOST_CHUNKS} chunks in front of the samples; convert it", FFMPEG)


def is_chain(stream: BinaryIO, size: int, kind: Chunks, at: int) -> bool:
    """Whether from an offset to the end of the file there are chunks, or nothing."""
    for _ in range(MOST_CHUNKS):
        if at >= size:
            return True
        name, length = _head(stream, size, kind, at) or (b"\0", 0)
        at += kind.head.size + length + -length % kind.align
        if not _is_name(name) or at > size + 1:
            return False
    return False


def end_of_stream(stream: BinaryIO, size: int, kind: Chunks, start: int) -> int:
    """Where samples of unknown length end: at chunks of known names that fill the file to its very end, or there."""
    begin = max(start, size - TAIL)
    stream.seek(begin)
    tail = stream.read(TAIL)
    ends = {len(tail), len(tail) + 1}
    for match in reversed(list(re.finditer(b"|".join(KNOWN), tail[: -kind.head.size]))):
        _, length = kind.head.unpack_from(tail, match.start())
        if match.start() + kind.head.size + length + length % 2 in ends:
            ends.add(match.start())
    return begin + min(ends) if len(ends) > 2 else size
