"""Naming what is not read, by its first bytes: audio to be converted, and files that are no audio at all."""

from __future__ import annotations

from .errors import FFMPEG, SPH2PIPE, AudioError, not_read

# Audio that ffmpeg converts: offset, bytes there, name.
AUDIO = (
    (4, b"ftyp", "MPEG-4 audio (.m4a, .mp4)"),
    (28, b"OpusHead", "Opus in Ogg (.opus)"),
    (28, b"\x01vorbis", "Vorbis in Ogg (.ogg)"),
    (0, b"OggS", "Ogg (.ogg, .opus)"),
    (0, b"#!AMR", "AMR (.amr)"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media audio (.wma)"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM (.webm, .mka)"),
    (0, b"wvpk", "WavPack (.wv)"),
    (0, b"MAC ", "Monkey's Audio (.ape)"),
    (0, b"TTA1", "True Audio (.tta)"),
    (0, b"ADIF", "AAC (.aac)"),
    (0, b"Creative Voice File", "Creative Voice (.voc)"),
    (8, b"8SVX", "8SVX (.iff)"),
    (8, b"AVI ", "AVI video"),
)
# No audio: offset, bytes there, what it is and how to mend it.
OTHERS = (
    (0, b"version https://git-lfs", "a Git LFS pointer in place of the audio; run: git lfs pull"),
    (0, b"PK\x03\x04", "a zip archive, not audio; unpack it"),
    (0, b"\x1f\x8b", "compressed by gzip; unpack it"),
    (0, b"BZh", "compressed by bzip2; unpack it"),
    (0, b"\xfd7zXZ", "compressed by xz; unpack it"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive, not audio; unpack it"),
    (0, b"Rar!", "a rar archive, not audio; unpack it"),
)
HEAD = 64  # bytes that are looked at


def _mpeg(head):
    """Name of a bare MPEG stream: set bits, version, layer (0 in AAC's framing), then the codes of bit and sample rate.

    Samples without a header, such as -1 in 16 bits, begin with set bits, too.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13:
        return "AAC (.aac)"
    valid = head[1] & 0x18 != 0x08 and head[1] & 6 in (2, 4) and 0 < head[2] >> 4 < 15 and head[2] >> 2 & 3 != 3
    return "MP3 (.mp3)" if valid else None


def error_of(head: bytes, after_id3: bool = False) -> AudioError:
    """The :class:`AudioError` for a file that begins so.

    Args:
        head: the first :data:`HEAD` bytes.
        after_id3: whether they follow an ID3 tag, which MP3 files begin with.
    """
    name = next((name for at, magic, name in AUDIO if head[at:].startswith(magic)), None) or _mpeg(head)
    if name or after_id3:
        return not_read(name or "MP3 (.mp3)")
    if head.startswith(b"ajkg"):
        return not_read("audio packed by shorten", SPH2PIPE)
    if what := next((what for at, magic, what in OTHERS if head[at:].startswith(magic)), None):
        return AudioError("unreadable", what)
    if not head.strip(b"\0"):
        return AudioError(
            "unreadable", "zero bytes in place of a header: a copy that did not end; fetch the file again"
        )
    if len(head) < 12 and head.startswith((b"RIFF", b"RIFX", b"RF64", b"FORM")):
        return AudioError("unreadable", "the file ends within its header; fetch the file again")
    text = head.decode("utf-8", "ignore")  # the last character may be cut
    start = text.lstrip("\ufeff \r\n\t").lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return AudioError(
            "unreadable", "a web page in place of the audio: a download that failed; fetch the file again"
        )
    if len(text.encode()) > len(head) - 4 and all(char.isprintable() or char in "\ufeff\t\n\r" for char in text):
        what = f"a text file, not audio; it begins {text.strip()[:40]!a}: fetch the audio itself"
        return AudioError("unreadable", what)
    return AudioError(
        "unreadable",
        f"not audio of a kind that is known here (it begins {head[:8].hex(' ')}): if it is damaged, fetch the file "
        "again; if other programs play it, convert it",
        FFMPEG,
    )
