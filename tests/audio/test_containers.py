"""Headers: what is read although its header is odd, and that a file that was cut is never taken for a whole one."""

import io
import shlex
import struct

import numpy as np
import pytest
import soundfile
from support.scripts import sine, write_sound

from asv.audio.containers import is_placeholder, locate
from asv.audio.mended import Mended
from asv.audio.reading import AudioError, AudioRules, read_audio

SPEECH = (np.random.default_rng(0).uniform(-0.5, 0.5, 8001) * 32768).astype("<i2")
RAW = SPEECH.tobytes()
ODD = b"INFOICMT\x05\0\0\0hell\0"  # 17 bytes


def chunk(name, body, size=None, *, pad=True, order="<"):
    padding = b"\0" if pad and len(body) % 2 else b""
    return name + struct.pack(order + "I", len(body) if size is None else size) + body + padding


def form(tag=1, bits=16, channels=1, block=None, extra=b"", order="<"):
    block = channels * bits // 8 if block is None else block
    fields = struct.pack(order + "HHIIHH", tag, channels, 16000, 16000 * block, block, bits)
    return chunk(b"fmt ", fields + extra, order=order)


def riff(*chunks, size=None, name=b"RIFF", order="<"):
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack(order + "I", len(body) if size is None else size) + body


@pytest.fixture
def put(tmp_path):
    """Write bytes as an audio file; returns its path."""

    def write(content, name="a.wav"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def assert_speech(audio, *notes):
    np.testing.assert_array_equal(audio.samples, SPEECH / np.float32(32768))
    assert audio.notes == notes


def rejected(path):
    with pytest.raises(AudioError) as caught:
        read_audio(path, AudioRules())
    return caught.value


# Lengths that the writer could not know

LENGTHS = (0, 2**32 - 1, 2**32 - 37, 0x7FFFF000, 0x7FFF0000, 2**31 - 1, 2**31)


@pytest.mark.parametrize("whole", [0, 2**32 - 1, 0x7FFFF024, None])
@pytest.mark.parametrize("length", LENGTHS)
def test_wav_without_its_length_is_read_to_its_end(put, length, whole):
    path = put(riff(form(), chunk(b"LIST", ODD), chunk(b"data", RAW, length), size=whole))
    assert_speech(read_audio(path, AudioRules()), "header without length")


@pytest.mark.parametrize("length", LENGTHS)
def test_big_endian_wav_without_its_length_is_read_to_its_end(put, length):
    raw = SPEECH.astype(">i2").tobytes()
    chunks = form(order=">"), chunk(b"data", raw, length, order=">")
    assert_speech(read_audio(put(riff(*chunks, name=b"RIFX", order=">")), AudioRules()), "header without length")


@pytest.mark.parametrize("length", [0, 2**32 - 1])
@pytest.mark.parametrize("trailer", [chunk(b"LIST", ODD), chunk(b"id3 ", b"x" * 30) + chunk(b"LIST", b"INFO")])
def test_chunks_behind_a_stream_are_not_heard(put, length, trailer):
    path = put(riff(form(), chunk(b"data", RAW, length), trailer))
    assert_speech(read_audio(path, AudioRules()), "header without length")


def test_a_name_of_a_chunk_within_a_stream_is_sound(put):
    """It is a chunk only if it, and what follows it, fill the file to its end."""
    raw = RAW[:8000] + chunk(b"LIST", ODD) + RAW[8026:]
    audio = read_audio(put(riff(form(), chunk(b"data", raw, 0))), AudioRules())
    assert len(audio.samples) == len(SPEECH)


def test_many_false_chunks_at_the_end_take_no_time(put):
    audio = read_audio(put(riff(form(), chunk(b"data", RAW + b"LIST\4\0\0\0" * 20000 + b"\1\0", 0))), AudioRules())
    assert len(audio.samples) == len(SPEECH) + 80001


@pytest.mark.parametrize(
    "behind", [b"", chunk(b"LIST", ODD), chunk(b"Xtra", b"abc"), chunk(b"Xtra", b"abc", pad=False)]
)
def test_wav_of_no_samples_is_empty_and_no_stream(put, behind):
    assert rejected(put(riff(form(), chunk(b"data", b""), behind))).reason == "empty"


@pytest.mark.parametrize("length", [len(RAW) + 1, 2 * len(RAW), 2**31 - 65537, 2**31 + 1, 2**32 - 65537])
def test_other_lengths_beyond_the_end_are_of_cut_files(put, length):
    error = rejected(put(riff(form(), chunk(b"data", RAW, length))))
    assert error.reason == "truncated"
    assert f"{length - len(RAW)} bytes" in error.detail
    assert "ffmpeg" not in error.detail


def test_placeholders_are_lengths_near_the_ends_of_32_bits():
    assert all(map(is_placeholder, LENGTHS))
    assert not any(map(is_placeholder, (1, 36, 2**16, 2**30, 2**31 + 1, 3 * 2**30, 2**32)))


def streamed_flac(path, **options):
    """What an encoder writes to a pipe: no number of samples, no digest."""
    content = bytearray(write_sound(path, SPEECH, format="FLAC", **options).read_bytes())
    content[21] &= 0xF0
    content[22:42] = bytes(20)
    return content


@pytest.mark.parametrize(
    ("front", "behind"), [(b"", b""), (b"ID3\4\0\0\0\0\0\x0b" + b"x" * 11, b""), (b"", b"TAG".ljust(128, b"x"))]
)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_without_its_length_is_read_by_its_last_frame(put, tmp_path, subtype, front, behind):
    content = streamed_flac(tmp_path / "whole.flac", subtype=subtype)
    assert_speech(read_audio(put(front + content + behind, "a.flac"), AudioRules()), "header without length")


def test_flac_of_two_channels_without_its_length_is_read(put, tmp_path):
    samples = np.stack((SPEECH, SPEECH[::-1]), axis=1)[:8000]
    content = bytearray(write_sound(tmp_path / "whole.flac", samples).read_bytes())
    wanted = read_audio(tmp_path / "whole.flac", AudioRules()).samples
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    np.testing.assert_array_equal(read_audio(put(content, "a.flac"), AudioRules()).samples, wanted)


@pytest.mark.parametrize("lost", [1, 2, 3, 17, 1000, 5000])
def test_flac_without_its_length_that_is_cut_in_a_frame_is_truncated(put, tmp_path, lost):
    error = rejected(put(streamed_flac(tmp_path / "whole.flac")[:-lost], "a.flac"))
    assert error.reason == "truncated"
    assert "fetch the file again" in error.detail


def test_flac_without_its_length_that_is_damaged_in_the_middle_is_rejected(put, tmp_path):
    content = streamed_flac(tmp_path / "whole.flac")
    content[6000:6050] = bytes(50)
    assert rejected(put(content, "a.flac")).reason in ("truncated", "unreadable")


# Chunks of odd length


@pytest.mark.parametrize(
    "chunks",
    [
        (form(), chunk(b"LIST", ODD, pad=False), chunk(b"data", RAW)),
        (chunk(b"JUNK", b"abc", pad=False), form(), chunk(b"LIST", ODD, pad=False), chunk(b"data", RAW)),
        (form(), chunk(b"LIST", ODD, pad=False), chunk(b"Xtra", b"1234"), chunk(b"data", RAW)),
        (form(), chunk(b"Xtra", ODD, pad=False), chunk(b"Ytra", b"123", pad=False), chunk(b"data", RAW)),
        (form(extra=b"\0\0\0"), chunk(b"LIST", ODD, pad=False), chunk(b"data", RAW)),
    ],
    ids=["LIST", "before fmt", "unknown behind", "unknown", "fmt has its own"],
)
@pytest.mark.parametrize("behind", [b"", chunk(b"LIST", ODD)])
def test_odd_chunk_without_its_pad_byte_is_read(put, chunks, behind):
    assert_speech(read_audio(put(riff(*chunks, behind)), AudioRules()), "missing pad byte")


def test_odd_chunk_without_its_pad_byte_in_a_stream(put):
    path = put(riff(form(), chunk(b"LIST", ODD, pad=False), chunk(b"data", RAW, 0), size=0))
    assert_speech(read_audio(path, AudioRules()), "header without length", "missing pad byte")


def test_cut_file_without_a_pad_byte_is_truncated(put):
    path = put(riff(form(), chunk(b"LIST", ODD, pad=False), chunk(b"data", RAW))[:-5])
    assert rejected(path).reason == "truncated"


@pytest.mark.parametrize("pad", [b"\0", b" ", b"d", b"\xff"])
def test_odd_chunks_with_a_pad_byte_of_any_value_are_read_without_a_note(put, pad):
    odd = chunk(b"LIST", ODD, pad=False) + pad
    assert_speech(read_audio(put(riff(form(), odd, chunk(b"Xtra", b"abc"), chunk(b"data", RAW))), AudioRules()))


@pytest.mark.parametrize("content", [RAW + b"x", RAW[:-1]])
@pytest.mark.parametrize("pad", [True, False])
def test_data_of_odd_length_is_read_to_its_last_whole_sample(put, content, pad):
    audio = read_audio(put(riff(form(), chunk(b"data", content, pad=pad))), AudioRules())
    np.testing.assert_array_equal(audio.samples, SPEECH[: len(content) // 2] / np.float32(32768))


# Containers and encodings

ACCEPTED = [
    (container, encoding, order)
    for container in ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC")
    for encoding in ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    for order in ("FILE", "LITTLE", "BIG")
    if soundfile.check_format(container, encoding, order)
]


@pytest.mark.parametrize(("container", "encoding", "order"), ACCEPTED)
def test_container_is_read_and_refused_when_cut(tmp_path, container, encoding, order):
    """Whole it gives what libsndfile gives; cut anywhere in its samples it is never accepted."""
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 4001)
    path = write_sound(tmp_path / "a.wav", samples, format=container, subtype=encoding, endian=order)
    audio = read_audio(path, AudioRules())
    np.testing.assert_array_equal(audio.samples, soundfile.read(path, dtype="float32")[0])
    assert audio.notes == ()
    content = path.read_bytes()
    with path.open("rb") as stream:
        start = locate(stream).start
    for kept in (len(content) - 2, (len(content) + start) // 2, start + 100):
        path.write_bytes(content[:kept])
        error = rejected(path)
        assert error.reason == "truncated" or container == "FLAC"
        assert "fetch the file again" in error.detail


def test_truncation_is_found_behind_a_tag(put):
    tag = b"ID3\4\0\0\0\0\0\x0b" + b"x" * 11
    whole = riff(form(), chunk(b"data", RAW))
    assert_speech(read_audio(put(tag + whole), AudioRules()))
    assert rejected(put(tag + whole[:-2])).reason == "truncated"


@pytest.mark.parametrize(
    ("name", "behind", "skip", "value"),
    [
        *(("RF64", b"ds64", 12, bytes(8)), ("RF64", b"ds64", 12, b"\xff" * 8), ("AU", b".snd", 4, b"\xff" * 4)),
        *(("AU", b".snd", 4, bytes(4)), ("AU", b".snd", 4, b"\x7f\xff\xf0\0"), ("AIFF", b"SSND", 0, bytes(4))),
        *(("W64", b"data", 12, bytes(8)), ("W64", b"data", 12, b"\xff" * 8), ("W64", b"data", 12, b"\x18" + bytes(7))),
        *(("CAF", b"data", 0, b"\xff" * 8), ("CAF", b"data", 0, bytes(8)), ("AIFF", b"SSND", 0, b"\xff" * 4)),
    ],
)
def test_other_containers_without_their_length_are_read_or_told_to_convert(tmp_path, name, behind, skip, value):
    """Each has a value of its own for it. libsndfile reads CAF of no length not at all."""
    path = write_sound(tmp_path / "a.wav", SPEECH, format=name)
    content = bytearray(path.read_bytes())
    at = content.index(behind) + 4 + skip
    content[at : at + len(value)] = value
    path.write_bytes(content)
    if name in ("CAF", "AIFF"):
        assert "how many samples" in rejected(path).detail
        assert "ffmpeg -i" in rejected(path).detail
    else:
        assert_speech(read_audio(path, AudioRules()), "header without length")


def sphere(body=RAW, **fields):
    values = {"sample_count": len(SPEECH), "sample_n_bytes": 2, "channel_count": 1, "sample_rate": 16000}
    values |= {"sample_byte_format": "01", "sample_coding": "pcm", **fields}
    lines = [f"{k} -{'i' if isinstance(v, int) else f's{len(v)}'} {v}" for k, v in values.items() if v is not None]
    return "\n".join(["NIST_1A", "   1024", *lines, "end_head", ""]).encode().ljust(1024) + body


@pytest.mark.parametrize("name", ["SA1.WAV", "SA1.sph", "a.wav"])
@pytest.mark.parametrize("coding", ["pcm", None])
def test_sphere_of_plain_samples_is_read_whatever_its_name(put, name, coding):
    path = put(sphere(sample_coding=coding), name)
    assert_speech(read_audio(path, AudioRules()))
    path.write_bytes(path.read_bytes()[:-100])
    error = rejected(path)
    assert (error.reason, "100 bytes" in error.detail) == ("truncated", True)


@pytest.mark.parametrize(("name", "target"), [("SA1.WAV", "SA1.WAV"), ("a b.wav", "a b.wav"), ("a.sph", "a.wav")])
def test_sphere_packed_by_shorten_names_what_unpacks_it(put, name, target):
    path = put(sphere(b"ajkg\2" + RAW[:3000], sample_coding="pcm,embedded-shorten-v2.00"), name)
    error = rejected(path)
    assert error.reason == "format"
    assert "sph2pipe -f wav" in error.detail
    assert target in error.detail
    assert "fetch" not in error.detail


@pytest.mark.parametrize("count", [None, "-5", "x", "9" * 5000, "1e3", "\x1c1024"])
def test_sphere_without_a_number_of_samples_is_refused(put, count):
    assert rejected(put(sphere(sample_count=count))).reason == "unreadable"


@pytest.mark.parametrize("bits", [20, 24])
@pytest.mark.parametrize("extensible", [True, False])
def test_24_bits_in_32_are_not_read_as_packed(put, bits, extensible):
    """libsndfile goes by the bits alone, and would give noise of a length of its own."""
    raw = (SPEECH.astype("<i4") << 16).tobytes()
    guid = struct.pack("<HHIH", 22, bits, 0, 1) + bytes.fromhex("000000001000800000aa00389b71")
    header = form(0xFFFE if extensible else 1, bits, block=4, extra=guid if extensible else b"")
    assert_speech(read_audio(put(riff(header, chunk(b"data", raw))), AudioRules()), "24 bits in 32")


def test_packed_24_bits_under_a_wrong_block_are_read_as_packed(put):
    raw = b"".join(struct.pack("<i", int(value) << 8 | 0x55)[:3] for value in SPEECH)
    audio = read_audio(put(riff(form(1, 24, block=4), chunk(b"data", raw))), AudioRules())
    np.testing.assert_allclose(audio.samples, SPEECH / 32768, atol=2**-15)


@pytest.mark.parametrize(("tag", "name"), [(0x55, "MP3"), (0x161, "WMA"), (0x1234, "codec 0x1234")])
def test_codec_within_a_wav_is_named(put, tag, name):
    error = rejected(put(riff(form(tag, 16), chunk(b"data", RAW))))
    assert error.reason == "format"
    assert name in error.detail
    assert "ffmpeg -i" in error.detail


# The mended header as a file


def test_mended_file_is_header_and_part(put):
    path = put(bytes(range(100)), "part")
    with path.open("rb") as stream:
        mended = Mended(b"HEAD", stream, 10, 20)
        wanted = b"HEAD" + bytes(range(10, 30))
        reference = io.BytesIO(wanted)
        dice = np.random.default_rng(0)
        for _ in range(300):
            offset, whence, count = int(dice.integers(0, 30)), int(dice.integers(0, 3)), int(dice.integers(0, 12))
            if whence == 2:
                offset = -min(offset, len(wanted))
            assert mended.seek(offset, whence) == reference.seek(offset, whence)
            assert mended.read(count) == reference.read(count)
            assert mended.tell() == reference.tell()


# Files that are something else

FOREIGN = {
    "MPEG-4": (b"\0\0\0\x18ftypM4A ", "format"),
    "MP3": (b"\xff\xfb\x90\x64" + b"\0" * 60, "format"),
    "MP3 ": (b"ID3\4\0\0\0\0\0\0\xff\xfb\x90\x64", "format"),
    "AAC": (b"\xff\xf1\x50\x80" + b"\0" * 60, "format"),
    "Opus": (b"OggS" + b"\0" * 24 + b"OpusHead", "format"),
    "Vorbis": (b"OggS" + b"\0" * 24 + b"\x01vorbis", "format"),
    "AMR": (b"#!AMR\n", "format"),
    "Windows Media": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "format"),
    "WebM": (b"\x1aE\xdf\xa3", "format"),
    "shorten": (b"ajkg\2", "format"),
    "0 bytes": (b"", "unreadable"),
    "git lfs pull": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "unreadable"),
    "web page": (b"\n<!DOCTYPE html><html>Sign in", "unreadable"),
    "web page ": (b"<html>404 Not Found</html>", "unreadable"),
    "text file": (b"this is not audio\n" * 9, "unreadable"),
    "text file ": ("文件不存在，请重新登录后再试。".encode() * 9, "unreadable"),
    "within its header": (b"RIFF\0", "unreadable"),
    "zip archive": (b"PK\x03\x04", "unreadable"),
    "gzip": (b"\x1f\x8b\x08", "unreadable"),
    "zero bytes": (bytes(5000), "unreadable"),
    "ff ff ff ff": (b"\xff\xff\xff\xff\0\0\1\0" * 8, "unreadable"),
    "ff fe 61 00": ("\ufeffabc".encode("utf-16-le") * 8, "unreadable"),
    "64 65 ff": (b"de\xff\x00" * 30, "unreadable"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_files_called_wav_are_named_for_what_they_are(put, name):
    content, reason = FOREIGN[name]
    error = rejected(put(content))
    assert error.reason == reason
    assert name.strip() in error.detail
    assert "remove it" not in error.detail
    if reason == "format":
        assert ("ffmpeg -i" if name != "shorten" else "sph2pipe") in error.detail
        assert "fetch" not in error.detail


def test_commands_quote_names_and_keep_the_original(tmp_path):
    path = write_sound(tmp_path / "it's a.aac.wav", format="OGG", subtype="VORBIS")
    command = shlex.split(rejected(path).detail.partition("flac: ")[2])
    original = f"{path}.orig"
    assert command == ["mv", str(path), original, "&&", "ffmpeg", "-i", original, "-ac", "1", "-ar", "16000", str(path)]


def test_no_detail_breaks_the_table(put):
    for content, _ in FOREIGN.values():
        assert not set("\t\n\r") & set(rejected(put(content)).detail)


def test_a_command_for_other_suffixes_converts_beside_the_original(put):
    path = put(b"", "b.wav")
    write_sound(path, np.stack([sine(0.5)] * 9, axis=1), format="WAV")
    flac = path.rename(path.with_suffix(".flac"))
    assert rejected(flac).detail.endswith(f"ffmpeg -i {flac} -ac 1 -ar 16000 {path} && mv {flac} {flac}.orig")


@pytest.mark.parametrize("container", ["AIFF", "AU", "CAF", "NIST", "W64", "RF64"])
def test_other_containers_of_no_samples_are_empty(tmp_path, container):
    path = write_sound(tmp_path / "a.wav", np.zeros(0), format=container, subtype="PCM_16")
    assert rejected(path).reason == "empty"


@pytest.mark.parametrize("name", ["W64", "CAF"])
def test_lengths_beyond_what_a_file_can_have_are_refused(tmp_path, name):
    """Of a chunk in front of the samples, so that the next one would begin beyond 2^63."""
    path = write_sound(tmp_path / "a.wav", SPEECH, format=name)
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt " if name == "W64" else b"desc") + (16 if name == "W64" else 4)
    content[at : at + 8] = b"\x7f" + b"\xff" * 7 if name == "CAF" else b"\xff" * 7 + b"\x7f"
    path.write_bytes(content)
    assert rejected(path).reason == "unreadable"


@pytest.mark.parametrize("subtype", ["PCM_U8", "ULAW", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("lost", [0, 1])
def test_streams_of_every_encoding_are_read_to_their_last_whole_sample(tmp_path, subtype, channels, lost):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (4001, channels))
    for container in ("WAV", "WAVEX"):
        path = write_sound(tmp_path / "a.wav", samples, format=container, subtype=subtype)
        with path.open("rb") as stream:
            place = locate(stream)
        wanted = read_audio(path, AudioRules()).samples
        content = bytearray(path.read_bytes())[: place.start + place.length - lost]
        content[place.start - 4 : place.start] = bytes(4)
        path.write_bytes(content)
        audio = read_audio(path, AudioRules())
        assert audio.notes == ("header without length",)
        np.testing.assert_array_equal(audio.samples, wanted[: 4001 - lost])
