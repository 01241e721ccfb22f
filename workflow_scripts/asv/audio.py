"""Reading audio that nobody has checked: every fault becomes a reason to reject the file, with the remedy."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np
import soundfile

# What a file holds, whatever its name: libsndfile would also decode an MP3 that is called .wav, or GSM within a wav,
# but cannot tell whether those are whole.
CONTAINERS = ("WAV", "WAVEX", "FLAC")
ENCODINGS = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
# A longer "utterance" is a mistake or an attack on memory, and is not decoded.
LONGEST = 3600.0  # seconds
MOST_SAMPLES = 400_000_000  # of all channels, 1.6 GB; at 16 kHz the limit in seconds comes first
UNKNOWN_LENGTH = 2**63 - 1  # libsndfile's number of samples where the header tells none
# Lengths that programs write into a wav when they cannot seek back to its header, as in a pipe: ffmpeg and sox.
PLACEHOLDERS = (0xFFFFFFFF, 0x7FFFF000)
MOST_CHANNELS = 8
# Polyphase filters have rate/gcd x target/gcd taps-rows: 44.1 kHz to 16 kHz is 70,560; coprime rates need gigabytes.
LARGEST_RESAMPLER = 10_000_000


class AudioError(Exception):
    """A file that cannot be used. ``reason`` is one of a few words, ``detail`` says what was found and the remedy."""

    def __init__(self, reason, detail):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class AudioRules:
    """What is accepted.

    Attributes:
        sample_rate: wanted rate in hertz.
        resample: ``down`` (only from higher rates: speech recorded at 8 kHz lacks the band that the network was
            trained on), ``any``, or ``never``.
        channels: ``mix`` averages several channels; ``reject`` refuses them.
        min_duration, max_duration: in seconds, inclusive; ``max_duration`` None for no limit.
    """

    sample_rate: int = 16000
    resample: str = "down"
    channels: str = "mix"
    min_duration: float = 0.1
    max_duration: float | None = None


@dataclass(frozen=True)
class Audio:
    """Samples float32 ``(n,)`` at the wanted rate, in [-1, 1] before resampling; the rest describes the file."""

    samples: np.ndarray
    duration: float  # seconds
    sample_rate: int  # the file's own
    channels: int


def _missing_wav_bytes(path):
    """Bytes that a RIFF/WAVE file declares for its data chunk but does not have (libsndfile reads on silently)."""
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        if stream.read(4) != b"RIFF" or stream.seek(8) != 8 or stream.read(4) != b"WAVE":
            return 0
        while len(header := stream.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                return 0 if length in PLACEHOLDERS else max(0, stream.tell() + length - size)
            stream.seek(length + length % 2, 1)
    return 0


def _truncated(what):
    return AudioError("truncated", f"{what} that the header declares are missing; fetch the file again")


def _check_header(info, rules):
    duration = info.frames / info.samplerate
    if info.format not in CONTAINERS or info.subtype not in ENCODINGS:
        raise AudioError("format", f"{info.format} of {info.subtype} is not read; convert it to 16 kHz wav or flac")
    if info.frames == 0:
        raise AudioError("empty", "the file holds no samples; fetch it again or remove it")
    if info.frames == UNKNOWN_LENGTH:
        raise AudioError("unreadable", "the header does not say how many samples there are; convert the file again")
    if duration > LONGEST or info.frames * info.channels > MOST_SAMPLES:
        raise AudioError(
            "too long",
            f"{duration:.0f} s, {info.frames * info.channels} samples; the hard limits are {LONGEST:.0f} s and "
            f"{MOST_SAMPLES} samples: cut the file into utterances",
        )
    if info.channels > MOST_CHANNELS or (info.channels > 1 and rules.channels == "reject"):
        raise AudioError("channels", f"{info.channels} channels; mix them to one, or set dataset.channels: mix")
    rate = info.samplerate
    if rate != rules.sample_rate:
        common = math.gcd(rate, rules.sample_rate)
        if rules.resample == "never" or (rules.resample == "down" and rate < rules.sample_rate):
            raise AudioError(
                "sample rate",
                f"{rate} Hz, not {rules.sample_rate} Hz, and dataset.resample is {rules.resample}; "
                "resample the file, or set dataset.resample: any",
            )
        if (rate // common) * (rules.sample_rate // common) > LARGEST_RESAMPLER:
            raise AudioError(
                "sample rate", f"{rate} Hz is too odd a rate to convert here; resample the file to a usual one"
            )
    if duration < rules.min_duration:
        raise AudioError("too short", f"{duration:.3f} s, dataset.min_duration is {rules.min_duration:g} s")
    if rules.max_duration is not None and duration > rules.max_duration:
        raise AudioError("too long", f"{duration:.3f} s, dataset.max_duration is {rules.max_duration:g} s")
    return duration


def read_audio(path, rules):
    """Read and check one audio file.

    Returns:
        Audio: one channel at ``rules.sample_rate``.

    Raises:
        AudioError: for anything that keeps the file from being used.
    """
    try:
        if missing := _missing_wav_bytes(path):
            raise _truncated(f"{missing} bytes")
        with soundfile.SoundFile(path) as stream:
            duration = _check_header(stream, rules)
            declared, rate, channels = stream.frames, stream.samplerate, stream.channels
            samples = stream.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError("unreadable", f"{error.error_string} Fetch the file again or remove it") from error
    except OSError as error:
        raise AudioError("unreadable", f"{error.strerror}; check the file and its permissions") from error
    if len(samples) != declared:
        raise _truncated(f"{declared - len(samples)} samples")
    peak = np.abs(samples).max()
    if not np.isfinite(peak):
        raise AudioError("not finite", "NaN or infinite samples; convert the file again from its source")
    if peak > 1:
        raise AudioError("out of range", f"samples up to {peak:g}, outside [-1, 1]; scale the file")
    mono = samples.mean(axis=1) if channels > 1 else samples[:, 0]
    if not mono.any():
        what = "the channels cancel each other" if peak else "every sample is zero"
        raise AudioError("silent", f"{what}; convert the file again from its source")
    if rate != rules.sample_rate:
        mono = _resample(mono, rate, rules.sample_rate)
    return Audio(mono, duration, rate, channels)


def _resample(samples, rate, wanted):
    import torch

    from .torchaudio_loader import load_torchaudio

    return load_torchaudio().functional.resample(torch.from_numpy(samples), rate, wanted).numpy()
