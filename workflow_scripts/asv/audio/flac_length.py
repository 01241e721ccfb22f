"""How many samples a FLAC stream holds whose header does not say so: its last frame tells (RFC 9639)."""

from __future__ import annotations

import re
from typing import BinaryIO

from .errors import AudioError, empty

WINDOW = 131_072  # bytes at the end in which the last frame must begin; 8 channels of 24 bits have frames of 98 kB
MOST_CANDIDATES = 16  # for the start of that frame
MOST_BLOCKS = 1000  # of metadata
BLOCK_SIZES = {1: 192, **{code: 144 << code for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}


def _crc_table(bits, polynomial):
    table = []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> (bits - 1) else 0)) & ((1 << bits) - 1)
        table.append(value)
    return table


CRC_8, CRC_16 = _crc_table(8, 0x07), _crc_table(16, 0x8005)


def _crc_8(content):
    state = 0
    for byte in content:
        state = CRC_8[state ^ byte]
    return state


def _crc_16(content):
    state = 0
    for byte in content:
        state = (state << 8 & 0xFF00) ^ CRC_16[state >> 8 ^ byte]
    return state


def _number(content):
    """The number of a frame, in an extension of UTF-8 to 36 bits, and its length in bytes; None where it is none."""
    ones = 8 - (~content[0] & 0xFF).bit_length() if content else 0
    if not content or ones in (1, 8) or len(content) < ones:
        return None
    value, length = content[0] & 0x7F >> ones, max(1, ones)
    for byte in content[1:length]:
        if byte >> 6 != 2:
            return None
        value = value << 6 | byte & 0x3F
    return value, length


def _end_of_frame(frame, fixed):
    """Number of the sample behind a frame, or None if its header is none.

    Args:
        frame: bytes from the frame's start on.
        fixed: samples of all frames but the last where their size is fixed.
    """
    number = _number(frame[4:11])
    if number is None:
        return None
    at, code, rate = 4 + number[1], frame[2] >> 4, frame[2] & 15
    wide = {6: 1, 7: 2}.get(code, 0)
    size = int.from_bytes(frame[at : at + wide], "big") + 1 if wide else BLOCK_SIZES.get(code)
    at += wide + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if size is None or len(frame) <= at + 1 or _crc_8(frame[: at + 1]):
        return None
    return (number[0] if frame[1] & 1 else number[0] * fixed) + size


def _samples(tail, fixed):
    """Samples of the stream that a file ends with, or None if it does not end with a whole frame."""
    starts = [match.start() for match in re.finditer(rb"\xff(?=[\xf8\xf9])", tail)]
    candidates = 0
    for start in reversed(starts):
        end = _end_of_frame(tail[start : start + 20], fixed)
        if end is not None:
            if not _crc_16(tail[start:]):
                return end
            candidates += 1
            if candidates == MOST_CANDIDATES:
                return None
    return None


def streamed(stream: BinaryIO, size: int, base: int) -> tuple[int, bytes] | None:
    """Find the length of a FLAC stream whose header tells none.

    Returns:
        ``(start, header)``: where the frames begin, and a header with the number of samples to be put in front of them;
        or None where the file's own header tells it.

    Raises:
        AudioError: where there are no frames, or the last one is not whole.
    """
    stream.seek(base + 4)
    block = stream.read(38)
    if (
        len(block) < 38
        or block[0] & 127
        or block[1:4] != b"\0\0\x22"
        or int.from_bytes(block[17:22], "big") & (1 << 36) - 1
    ):
        return None
    head, start = block[0], base + 42
    for _ in range(MOST_BLOCKS):
        if head & 128:
            break
        stream.seek(start)
        head, length = (stream.read(1) or b"\x80")[0], int.from_bytes(stream.read(3), "big")
        start += 4 + length
    if start >= size:
        raise empty()
    begin = max(start, size - WINDOW)
    stream.seek(begin)
    tail = stream.read(WINDOW)
    tail = tail[:-128] if tail[-128:-125] == b"TAG" else tail  # ID3 of version 1, behind the last frame
    total = _samples(tail, int.from_bytes(block[6:8], "big"))
    if total is None or total >> 36:
        raise AudioError("truncated", "a stream whose last frame is not whole; fetch the file again")
    lengths = int.from_bytes(block[14:22], "big") | total
    return start, b"fLaC\x80" + block[1:14] + lengths.to_bytes(8, "big") + block[22:]
