"""Where an audio file's samples are by its own header, and whether all of them are there.

libsndfile decodes, but it reads on silently where a file was cut, and stops where the header is odd. So the header is
walked here: a cut file is refused, and a header that is odd in a way that leaves no doubt is replaced by a plain one.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

from . import flac_length, foreign
from .chunks import CONTAINERS, end_of_stream, is_chain, walk
from .errors import FFMPEG, SPH2PIPE, AudioError, not_read, truncated
from .mended import Mended
from .plain import Plain, plain

NO_LENGTH = "header without length"
NO_PAD = "missing pad byte"
WIDE = "24 bits in 32"

# Codecs of a wav that libsndfile may not know, by their tag; it is asked first.
CODECS = {0x02: "MS ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG", 0x55: "MP3", 0xFF: "AAC"}
CODECS |= {0x160: "WMA", 0x161: "WMA", 0x162: "WMA", 0x1610: "AAC", 0xF1AC: "FLAC"}
PLAIN = (1, 3, 6, 7)  # PCM, float, A-law, mu-law
EXTENSIBLE = 0xFFFE
MOST_TAGS = 4  # ID3, which some programs put in front of anything
MOST_AU_HEADER = 65536  # bytes, most of them a comment

STARTS = {b"fLaC": "FLAC", b"NIST_1A": "NIST", b".snd": "AU", b"dns.": "AU", b"caff": "CAF", b"riff\x2e\x91": "W64"}
WAVES = ("RIFF", "RIFX", "RF64", "W64")  # which have the same chunk "fmt "


@dataclass(frozen=True)
class Place:
    """Where the samples are.

    Attributes:
        container: such as ``RIFF``.
        start, length: in bytes.
        notes: of what is odd about the header, but mended.
        codec: name of a wav's codec that is not plain samples.
        header: to be read in place of the file's own, which libsndfile would not read as it is meant; or empty.
        plain: of samples that need no decoder.
    """

    container: str
    start: int = 0
    length: int = 0
    notes: tuple[str, ...] = ()
    codec: str = ""
    header: bytes = b""
    plain: Plain | None = None

    def mended(self, stream: BinaryIO) -> Mended:
        """The file with the mended header, as a file object."""
        return Mended(self.header, stream, self.start, self.length)


def is_placeholder(length: int) -> bool:
    """Whether a 32-bit length is one that a writer to a pipe leaves, for it cannot go back to its header.

    0 (Kaldi, wave.py, killed recorders), 2^32 - 1 (ffmpeg), 0x7FFFF000 (sox, espeak), 0x7FFF0000 (GStreamer), 2^31
    (arecord), each with or without the size of the header.
    """
    return length == 0 or 0 <= 2**31 - length <= 65536 or 0 < 2**32 - length <= 65536


def _codec(stream, chunks, order):
    """Body of the chunk "fmt " and, unless it is plain samples, the codec's name."""
    start, length = chunks[b"fmt "]
    stream.seek(start)
    body = stream.read(min(length, 4096))
    tag = struct.unpack_from(order + "H", body)[0] if len(body) >= 2 else 0
    if tag == EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from(order + "H", body, 24)[0]
    return body, "" if tag in PLAIN else CODECS.get(tag, f"codec 0x{tag:04X}")


def _widened(stream, start, form, order):
    """The body of "fmt ", and whether it was mended to tell that samples of up to 24 bits have 32 bits of room.

    libsndfile goes by the bits alone and would read noise. By the format's definition samples are at the upper end of
    their room, which is the block divided by the channels; since blocks may be wrong, the lower bytes must be zero.
    """
    channels, block, bits = struct.unpack_from(order + "2xH8xHH", form) if len(form) >= 16 else (0, 0, 0)
    if not 16 < bits <= 24 or block != 4 * channels or not channels:
        return form, False
    stream.seek(start)
    lowest = stream.read(65536)[0 if order == "<" else 3 :: 4]
    if lowest.strip(b"\0"):
        return form, False
    return form[:14] + struct.pack(order + "H", 32) + form[16:], True


def _plain_header(order, form, length):
    """A wav's whole header in front of ``length`` bytes of samples."""
    form += b"\0" * (len(form) % 2)
    pieces = b"WAVEfmt ", struct.pack(order + "I", len(form)), form, b"data", struct.pack(order + "I", length)
    body = b"".join(pieces)
    riff = b"RIFF" if order == "<" else b"RIFX"
    return riff + struct.pack(order + "I", min(len(body) + length, 2**32 - 1)) + body


def _wave(stream, size, base, container):
    """Place of the samples of a wav, or of one of its 64-bit kin."""
    kind, order = CONTAINERS[container], ">" if container == "RIFX" else "<"
    chunks, lacking = walk(stream, size, base, kind)
    start, length = chunks[kind.data]
    if container == "W64":
        chunks = {name[:4]: place for name, place in chunks.items()}
    if container == "RF64" and length == 2**32 - 1 and b"ds64" in chunks:
        stream.seek(chunks[b"ds64"][0] + 8)
        length = int.from_bytes(stream.read(8), "little")
    available = size - start
    unknown = length <= 0 or (is_placeholder(length) and length > available) or length >= 2**63 - 1
    if unknown and length <= 0 and (available <= 0 or (container != "W64" and is_chain(stream, size, kind, start))):
        unknown = False  # There is none, and the header says so.
    if not unknown and length > available:
        raise truncated(f"{length - available} bytes")
    if b"fmt " not in chunks:
        raise AudioError("unreadable", "no chunk 'fmt ' in front of the samples; fetch the file again")
    form, codec = _codec(stream, chunks, order)
    form, wide = _widened(stream, start, form, order)
    notes = ((NO_LENGTH,) if unknown else ()) + ((NO_PAD,) if lacking else ()) + ((WIDE,) if wide else ())
    if unknown:
        length = (size if container == "W64" else end_of_stream(stream, size, kind, start)) - start
    if notes and length >= 2**32:
        raise AudioError("too long", f"{length} bytes of samples; cut the file into utterances")
    header = _plain_header(order, form, length) if notes else b""
    as_it_is = plain(form, length) if container == "RIFF" and not (base or notes) else None
    return Place(container, start, length, notes, codec, header, as_it_is)


def _other_chunks(stream, size, base, container):
    """Place of the samples of AIFF and CAF."""
    kind = CONTAINERS[container]
    chunks, lacking = walk(stream, size, base, kind)
    if lacking:
        what = f"the pad byte of chunk {lacking.decode('latin-1')!a} is missing; convert it"
        raise AudioError("unreadable", what, FFMPEG)
    start, length = chunks[kind.data]
    available = size - start
    unknown = length > available and (is_placeholder(length) or length == 2**64 - 1)
    if unknown or (length <= kind.inside and not is_chain(stream, size, kind, start + length)):
        raise AudioError("unreadable", "the header does not say how many samples there are; convert it", FFMPEG)
    if length > available:
        raise truncated(f"{length - available} bytes")
    inside = kind.inside
    if container == "AIFF":
        stream.seek(start)
        inside += int.from_bytes(stream.read(4), "big")
    return Place(container, start + inside, max(0, length - inside))


def _au(stream, size, base):
    stream.seek(base)
    head = stream.read(12)
    order: Literal["big", "little"] = "big" if head.startswith(b".snd") else "little"
    start, length = base + int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order)
    if is_placeholder(length) and (start + length > size or not length) and start <= min(size, base + MOST_AU_HEADER):
        stream.seek(base)
        header = bytearray(stream.read(start - base))
        header[8:12] = b"\xff" * 4  # its own sign of an unknown length, which libsndfile knows
        return Place("AU", start, size - start, (NO_LENGTH,), header=bytes(header))
    if start + length > size:
        raise truncated(f"{start + length - size} bytes")
    return Place("AU", start, length)


def _sphere(stream, size, base):
    """NIST SPHERE: a header of text, its length on the second line, fields as ``name -type value``."""
    stream.seek(base)
    lines = stream.read(4096).split(b"end_head")[0].decode("latin-1").split("\n")
    values = {parts[0]: parts[2] for line in lines if len(parts := line.split(None, 2)) == 3}
    coding = values.get("sample_coding", "pcm").strip()
    if coding not in ("pcm", "ulaw", "mu-law", "alaw"):
        raise not_read(f"SPHERE of {coding!a}", SPH2PIPE)
    fields = (
        (lines[1:2] or [""])[0],
        *(values.get(name) for name in ("sample_count", "sample_n_bytes", "channel_count")),
    )
    if not all(field and re.fullmatch(r"\s*\d{1,12}\s*", field, re.ASCII) for field in fields):
        raise AudioError("unreadable", "a SPHERE header without the number of samples; convert it", SPH2PIPE)
    start, count, width, channels = map(int, fields)
    start += base
    if (length := count * width * channels) > size - start:
        raise truncated(f"{length - (size - start)} bytes")
    return Place("NIST", start, length)


def _container(head):
    if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return head[:4].decode()
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    return next((name for start, name in STARTS.items() if head.startswith(start)), None)


def locate(stream: BinaryIO) -> Place:
    """Where the samples of an open audio file are.

    Returns:
        Place: of FLAC without start and length, unless its header is mended: decoding tells whether it is whole.

    Raises:
        AudioError: for what is not read, cut, or without sense.
    """
    size = os.fstat(stream.fileno()).st_size
    if not size:
        raise AudioError("unreadable", "the file is empty, 0 bytes; fetch the file again")
    head, base = stream.read(foreign.HEAD), 0
    for _ in range(MOST_TAGS):
        if head[:3] != b"ID3" or len(head) < 10:
            break
        base += 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0)))
        stream.seek(base)
        head = stream.read(foreign.HEAD)
    container = _container(head)
    if container is None:
        raise foreign.error_of(head, after_id3=base > 0)
    if container == "FLAC":
        mended = flac_length.streamed(stream, size, base)
        return Place("FLAC", mended[0], size - mended[0], (NO_LENGTH,), header=mended[1]) if mended else Place("FLAC")
    if container in WAVES:
        return _wave(stream, size, base, container)
    if container in CONTAINERS:
        return _other_chunks(stream, size, base, container)
    return (_au if container == "AU" else _sphere)(stream, size, base)
