"""Fuzz the reading of audio files: wavs built of odd parts, and mutations of whole files of every other container.

An hour by hand: ``PYTHONPATH=workflow_scripts:tests python tests/fuzz/audio.py --seconds 3600``. Should libsndfile
itself crash, ``fuzz-audio-*`` in the folder for temporary files still holds the file.
"""

from __future__ import annotations

import faulthandler
import io
import struct
import time
from functools import cache

import numpy as np
import soundfile
from fuzz import driver

from asv.audio.containers import NO_LENGTH, NO_PAD, WIDE, is_placeholder
from asv.audio.reading import ABOVE_FULL_SCALE, HIGHEST_PEAK, LONGEST, AudioError, AudioRules, read_audio
from asv.errors import InputError
from asv.torchaudio_loader import load_torchaudio

CPU_SECONDS = 1  # of one file
NAMES = (b"LIST", b"fact", b"bext", b"JUNK", b"Xtra", b"id3 ", b"data", b"fmt ", b"\0\0\0\0", b"da\xffa")
LENGTHS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 37, 0x7FFFF000, 0x7FFF0000, 2**30)
CONTAINERS = ("FLAC", "AIFF", "AU", "CAF", "NIST", "W64", "RF64", "WAV", "WAVEX")
GUID = bytes.fromhex("000000001000800000aa00389b71")


@cache
def base_samples(channels):
    """int16 ``(n, channels)``."""
    return np.random.default_rng(channels).integers(-9000, 9000, (2500, channels), np.int16)


@cache
def whole_file(container, channels):
    stream = io.BytesIO()
    soundfile.write(stream, base_samples(channels), 16000, format=container, subtype="PCM_16")
    return stream.getvalue()


def _samples(dice, order):
    """Tag, bits, and encoded samples: integers, and floats that may be of another scale or not finite."""
    count = dice.choice((0, 1, 1600, 1601, 2500))
    if dice.random() < 0.6:
        return 1, 16, base_samples(1)[:count].astype(order + "i2").tobytes()
    values = base_samples(1)[:count, 0] / 32768 * dice.choice((1, 1, 3.65, 5, 32768))
    if count and dice.random() < 0.3:
        values[dice.randrange(count)] = dice.choice((np.nan, np.inf, -np.inf, 1e30, -1.2, 1e-40))
    bits = dice.choice((32, 64))
    return 3, bits, values.astype(f"{order}f{bits // 8}").tobytes()


def _form(dice, order, tag, bits):
    channels, rate = (
        dice.choice((1, 1, 1, 1, 2, 3, 0, 9, 65535)),
        dice.choice((16000,) * 5 + (8000, 44100, 0, 1, 2**32 - 1)),
    )
    if dice.random() < 0.2:
        tag, bits = (
            dice.choice((0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x55, 0x1234)),
            dice.choice((0, 1, 8, 12, 20, 24, 32, 64, 65535)),
        )
    block = (channels * bits // 8) & 0xFFFF
    if dice.random() < 0.15:
        block = dice.choice((0, 1, 4, 7, 65535))
    extra = dice.choice((b"",) * 5 + (b"\0\0", b"\0"))
    if dice.random() < 0.2:
        extra, tag = struct.pack(order + "HHIH", 22, dice.choice((bits, 24, 0)), 0, tag) + GUID, 0xFFFE
    return struct.pack(order + "HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits) + extra


def _chunk(dice, order, name, body):
    length = len(body)
    if dice.random() < 0.15:
        length = dice.choice((*LENGTHS, length + 1, length + 2, max(0, length - 1), dice.randrange(2**32)))
    pad = b"" if not len(body) % 2 or dice.random() < 0.3 else dice.choice((b"\0", b"\0", b"d", b"\xff"))
    return name + struct.pack(order + "I", length) + body + pad


def _wav(dice):
    order = dice.choice("<<<>")
    tag, bits, encoded = _samples(dice, order)
    parts = [(b"fmt ", _form(dice, order, tag, bits)), (b"data", encoded)]
    for _ in range(dice.choice((0, 0, 1, 2, 4))):
        parts.insert(
            dice.randrange(len(parts) + 1), (dice.choice(NAMES), dice.randbytes(dice.choice((0, 1, 4, 17, 24))))
        )
    if dice.random() < 0.05:
        dice.shuffle(parts)
    body = b"WAVE" + b"".join(_chunk(dice, order, *part) for part in parts)
    whole = len(body) if dice.random() < 0.7 else dice.choice(LENGTHS)
    content = (b"RIFF" if order == "<" else b"RIFX") + struct.pack(order + "I", whole) + body
    tag = b"ID3\4\0\0" + struct.pack(">I", dice.choice((0, 5, 10, 127))) + bytes(10)
    return tag + content if dice.random() < 0.03 else content


def make_input(dice):
    """Bytes of one file: a whole one in part of the cases, so that reading is tested as well as refusing."""
    if dice.random() < 0.6:
        content = bytearray(_wav(dice))
    else:
        content = bytearray(whole_file(dice.choice(CONTAINERS), dice.choice((1, 1, 2))))
        if content[:4] == b"fLaC" and dice.random() < 0.5:
            content[21] &= 0xF0
            content[22:26] = bytes(4)
    for _ in range(dice.choice((0, 0, 0, 1, 2, 8))):
        place = dice.randrange(min(len(content), 90) if dice.random() < 0.8 else len(content))
        if dice.random() < 0.7:
            content[place] = dice.choice((dice.randrange(256), content[place] ^ 1 << dice.randrange(8), 0, 255))
        else:
            field = struct.pack(dice.choice("<>") + "I", dice.choice(LENGTHS))
            content[place : place + 4] = field
    if dice.random() < 0.15:
        del content[dice.randrange(len(content)) :]
    if dice.random() < 0.03:
        content += dice.randbytes(dice.randrange(40))
    return bytes(content)


def oracle(content):
    """What a wav of plain samples without any oddity holds, by an own walk of its chunks; None for other files.

    Returns:
        ``(samples float32 (n, channels), rate, missing)``: the last in bytes of the samples.
    """
    order = {b"RIFF": "<", b"RIFX": ">"}.get(content[:4])
    if order is None or content[8:12] != b"WAVE":
        return None
    at, form = 12, None
    while at + 8 <= len(content):
        name, length = content[at : at + 4], struct.unpack(order + "I", content[at + 4 : at + 8])[0]
        body = content[at + 8 : at + 8 + length]
        if name == b"fmt " and len(body) >= 16 and form is None:
            form = struct.unpack(order + "HHIIHH", body[:16])
        elif name == b"data":
            break
        elif name in (b"fmt ", b"\0\0\0\0", b"da\xffa") or (
            length % 2 and content[at + 8 + length : at + 9 + length] != b"\0"
        ):
            return None
        at += 8 + length + length % 2
    else:
        return None
    if form is None or not length or is_placeholder(length) or (form[0], form[5]) not in ((1, 16), (3, 32)):
        return None
    tag, channels, rate, _, block, bits = form
    if not channels or block != channels * bits // 8:
        return None
    body = body[: len(body) // block * block]
    values = np.frombuffer(body, order + ("i2" if tag == 1 else "f4")).reshape(-1, channels)
    samples = values.astype(np.float32) / np.float32(32768) if tag == 1 else values.astype(np.float32)
    return samples, rate, max(0, at + 8 + length - len(content))


def check(content, folder):
    """Read the file; whatever is accepted must be what the bytes say, by another way of reading them."""
    path = folder / "a.wav"
    path.write_bytes(content)
    expected = oracle(content)
    load_torchaudio()  # takes seconds, once
    began = time.process_time()
    try:
        audio = read_audio(path, AudioRules(min_duration=0.01))
    except AudioError as error:
        if set(str(error)) & set("\t\n\r"):
            raise ValueError("a detail that breaks the table") from error
        raise InputError(str(error)) from error
    finally:
        assert time.process_time() - began < CPU_SECONDS
        assert path.read_bytes() == content
        assert list(folder.iterdir()) == [path]
    assert audio.samples.dtype == np.float32
    assert 0.01 <= audio.duration <= LONGEST
    assert set(audio.notes) <= {NO_LENGTH, NO_PAD, WIDE, ABOVE_FULL_SCALE}
    assert np.isfinite(audio.samples).all()
    if audio.sample_rate != 16000:
        return
    assert len(audio.samples) == round(audio.duration * 16000)
    assert np.abs(audio.samples).max() <= HIGHEST_PEAK
    if expected is not None:
        samples, rate, missing = expected
        assert not missing
        assert (rate, samples.shape[1]) == (16000, audio.channels)
        mono = samples.mean(axis=1) if audio.channels > 1 else samples[:, 0]
        np.testing.assert_array_equal(audio.samples, mono)
    elif content[:4] == b"fLaC" and audio.channels <= 2:  # whose header may say that there are fewer
        wanted = base_samples(audio.channels)[: len(audio.samples)] / np.float32(32768)
        np.testing.assert_array_equal(audio.samples, wanted.mean(axis=1, dtype=np.float32))


if __name__ == "__main__":
    faulthandler.enable()
    load_torchaudio()
    driver.main("audio", make_input, check)
