"""Plain samples are read without libsndfile: what comes of them is what libsndfile makes of them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripts import write_sound

from asv.audio import containers
from asv.audio.plain import plain
from asv.audio.reading import AudioError, AudioRules, read_audio

RULES = AudioRules(resample="any")
HEADER = 44  # bytes in front of the samples


def outcome(path):
    """What becomes of a file, equal only where all of it is."""
    try:
        audio = read_audio(path, RULES)
    except AudioError as error:
        return error.reason, error.detail
    return audio.samples.tobytes(), audio.duration, audio.sample_rate, audio.channels, audio.notes


@pytest.fixture
def by_libsndfile(monkeypatch):
    """What becomes of a file if libsndfile reads it."""

    def read(path):
        with monkeypatch.context() as patch:
            patch.setattr(containers, "plain", lambda form, length: None)
            return outcome(path)

    return read


def test_usual_files_are_plain(tmp_path):
    with write_sound(tmp_path / "a.wav").open("rb") as stream:
        assert containers.locate(stream).plain == (8000, 16000, 1, "WAV", "PCM_16")


@pytest.mark.parametrize("channels", [1, 2, 3, 9])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_whole_files(tmp_path, by_libsndfile, channels, rate):
    samples = np.random.default_rng(0).uniform(-1, 1, (rate // 4, channels))
    path = write_sound(tmp_path / "a.wav", samples, rate)
    assert outcome(path) == by_libsndfile(path)


@pytest.mark.parametrize("place", range(HEADER))
def test_any_byte_of_the_header(tmp_path, by_libsndfile, place):
    content = bytearray(write_sound(tmp_path / "a.wav", np.linspace(-1, 1, 2000)).read_bytes())
    for value in {0, 1, 2, 3, 4, 15, 17, 32, 64, 127, 128, 254, 255, content[place] ^ 1, content[place] ^ 128}:
        changed = tmp_path / "changed.wav"
        changed.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        assert outcome(changed) == by_libsndfile(changed), value


@pytest.mark.parametrize("kept", [0, 1, 11, 12, 43, 44, 45, 46, 47, 3000, 4043])
def test_cut_files(tmp_path, by_libsndfile, kept):
    path = write_sound(tmp_path / "a.wav", np.linspace(-1, 1, 2000))
    path.write_bytes(path.read_bytes()[:kept])
    assert outcome(path) == by_libsndfile(path)


CHUNK = st.tuples(st.sampled_from([b"LIST", b"fact", b"fmt ", b"JUNK", b"\0\1\2\3"]), st.binary(max_size=40))


@given(
    st.lists(CHUNK, max_size=3),
    st.sampled_from([b"", b"\0", b"\0\0", struct.pack("<HHIHH", 22, 16, 4, 1, 0)]),
    st.integers(3200, 3300),
    st.lists(CHUNK, max_size=2),
)
def test_chunks_before_and_after(tmp_path_factory, before, more, length, after):
    samples = np.random.default_rng(length).bytes(length)
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16) + more
    pieces = [*before, (b"fmt ", form), (b"data", samples), *after]
    body = b"".join(name + struct.pack("<I", len(one)) + one + b"\0" * (len(one) % 2) for name, one in pieces)
    path = tmp_path_factory.mktemp("chunks") / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    found = outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(containers, "plain", lambda form, length: None)
        expected = outcome(path)
    if expected[0] != "unreadable" or length % 2:
        assert found == expected
    else:  # libsndfile refuses some files for chunks that tell nothing of the samples
        assert found[0] == (np.frombuffer(samples, "<i2") / np.float32(2**15)).tobytes()


def test_what_does_not_fit_together_is_not_plain():
    usual = {"codec": 1, "channels": 2, "rate": 16000, "per_second": 64000, "block": 4, "bits": 16}

    def found(length=400, **changed):
        return plain(struct.pack("<HHIIHH", *(usual | changed).values()), length)

    assert found() == (100, 16000, 2, "WAV", "PCM_16")
    for changed in ({"codec": 3}, {"channels": 0}, {"channels": 1}, {"rate": 8000}, {"per_second": 0}, {"block": 2}):
        assert found(**changed) is None, changed
    assert found(bits=8) is None
    assert found(rate=0, per_second=0) is None
    assert found(length=401) is None
    assert plain(b"\1\0", 400) is None


def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    path = write_sound(tmp_path / "a.wav", np.linspace(-1, 1, 20000))  # more than Python reads at once
    real = containers.locate

    def locate(stream):
        place = real(stream)
        path.write_bytes(path.read_bytes()[:-100])
        return place

    monkeypatch.setattr("asv.audio.reading.locate", locate)
    assert outcome(path)[0] == "truncated"
