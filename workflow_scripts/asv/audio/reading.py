"""Reading audio that nobody has checked: every fault becomes a reason to reject the file, with the remedy."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from . import plain
from .containers import locate
from .errors import FFMPEG, SCALE, AudioError, empty, not_read, truncated

if TYPE_CHECKING:
    import numpy.typing as npt

# libsndfile would also decode GSM within a wav, but cannot tell whether it is whole. Bytes of a sample:
ENCODINGS = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
ENCODINGS |= {"ULAW": 1, "ALAW": 1}
# A longer "utterance" is a mistake or an attack on memory, and is not decoded.
LONGEST = 3600.0  # seconds
MOST_SAMPLES = 400_000_000  # of all channels, 1.6 GB; at 16 kHz the limit in seconds comes first
UNKNOWN_LENGTH = 2**63 - 1  # libsndfile's number of samples where the header tells none
MOST_CHANNELS = 8
# Polyphase filters have rate/gcd x target/gcd taps-rows: 44.1 kHz to 16 kHz is 70,560; coprime rates need gigabytes.
LARGEST_RESAMPLER = 10_000_000
# 3 dB: what resamplers and decoders add to audio of full scale. Other scales lie far above: speech of mean power 1
# peaks beyond 3, and integers stored as floats in the thousands.
HIGHEST_PEAK = 10 ** (3 / 20)
ABOVE_FULL_SCALE = "peak above 1"
INTEGER_SCALES = (2**15, 2**23, 2**31)
INT16 = np.float32(1 / 2**15)


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
    """Samples float32 ``(n,)`` at the wanted rate, full scale being 1; the rest describes the file."""

    samples: npt.NDArray[np.float32]
    duration: float  # seconds
    sample_rate: int  # the file's own
    channels: int
    notes: tuple[str, ...] = ()  # what was odd, but could be read all the same


def _check_header(info, place, rules):
    duration = info.frames / info.samplerate
    if info.subtype not in ENCODINGS:
        raise not_read(f"{info.format} of {info.subtype}")
    if info.frames == 0:
        raise empty()
    if info.frames == UNKNOWN_LENGTH:
        raise AudioError("unreadable", "the header does not say how many samples there are; convert it", FFMPEG)
    if place.container != "FLAC" and info.frames != place.length // (info.channels * ENCODINGS[info.subtype]):
        raise AudioError("unreadable", "the header contradicts itself on the number of samples; convert it", FFMPEG)
    if duration > LONGEST or info.frames * info.channels > MOST_SAMPLES:
        raise AudioError(
            "too long",
            f"{duration:.0f} s, {info.frames * info.channels} samples; the hard limits are {LONGEST:.0f} s and "
            f"{MOST_SAMPLES} samples: cut the file into utterances",
        )
    if info.channels > MOST_CHANNELS or (info.channels > 1 and rules.channels == "reject"):
        setting = "set dataset.channels: mix, or " if info.channels <= MOST_CHANNELS else ""
        raise AudioError("channels", f"{info.channels} channels; {setting}mix them to one", FFMPEG)
    rate = info.samplerate
    if rate != rules.sample_rate:
        common = math.gcd(rate, rules.sample_rate)
        if rules.resample == "never" or (rules.resample == "down" and rate < rules.sample_rate):
            raise AudioError(
                "sample rate",
                f"{rate} Hz, not {rules.sample_rate} Hz, and dataset.resample is {rules.resample}; "
                "set dataset.resample: any, or resample the file",
                FFMPEG,
            )
        if (rate // common) * (rules.sample_rate // common) > LARGEST_RESAMPLER:
            raise AudioError("sample rate", f"{rate} Hz is too odd a rate to convert here; resample the file", FFMPEG)
    if duration < rules.min_duration:
        raise AudioError("too short", f"{duration:.3f} s, dataset.min_duration is {rules.min_duration:g} s")
    if rules.max_duration is not None and duration > rules.max_duration:
        raise AudioError("too long", f"{duration:.3f} s, dataset.max_duration is {rules.max_duration:g} s")
    return duration


def _decode(path, rules):
    """The samples of a file as they are, float32 or int16 ``(n, channels)``, and a description as :class:`Audio`."""
    with open(path, "rb") as stream:
        place = locate(stream)
        if header := place.plain:
            duration = _check_header(header, place, rules)
            return _whole(plain.read(stream, place.start, header), header, duration, place)
        try:
            with soundfile.SoundFile(place.mended(stream) if place.header else path) as sound:
                duration = _check_header(sound, place, rules)
                exact = "int16" if sound.subtype == "PCM_16" else "float32"
                return _whole(sound.read(dtype=exact, always_2d=True), sound, duration, place)
        except soundfile.LibsndfileError as error:
            if place.codec:
                raise not_read(f"a wav of {place.codec}") from error
            what = f"{error.error_string.rstrip(' .')}; fetch the file again, or, if other programs play it, convert it"
            raise AudioError("unreadable", what, FFMPEG) from error


def _whole(samples, header, duration, place):
    """The samples and their description, where there are as many as the header says."""
    if len(samples) != header.frames:
        raise truncated(f"{header.frames - len(samples)} samples")
    return samples, Audio(samples, duration, header.samplerate, header.channels, place.notes)


def _checked_peak(samples):
    """The greatest absolute value, in units of full scale; what is not audio of full scale 1 is refused."""
    # Half the time of the greatest absolute value; NaN is kept, and -32768 has no counterpart.
    peak = np.maximum(float(samples.max()), -float(samples.min()))
    if samples.dtype == np.int16:
        return peak * INT16
    if not np.isfinite(peak):
        raise AudioError("not finite", "NaN or infinite samples; convert the file again from its source")
    if peak > HIGHEST_PEAK:
        scale = next((scale for scale in INTEGER_SCALES if scale / 256 < peak <= scale * HIGHEST_PEAK), None)
        meaning = f"as of {scale.bit_length()}-bit integers" if scale else "of an unknown scale"
        command = SCALE.replace("{scale}", str(scale) if scale else f"{peak:.9g}")
        what = f"samples up to {peak:g}, {meaning}, where 1 is full scale; scale the file"
        raise AudioError("out of range", what, command)
    return peak


def read_audio(path: str | os.PathLike[str], rules: AudioRules) -> Audio:
    """Read and check one audio file.

    Returns:
        Audio: one channel at ``rules.sample_rate``.

    Raises:
        AudioError: for anything that keeps the file from being used.
    """
    try:
        samples, audio = _decode(path, rules)
        peak = _checked_peak(samples)
        notes = audio.notes + ((ABOVE_FULL_SCALE,) if peak > 1 else ())
        if samples.dtype == np.int16:
            samples = np.multiply(samples, INT16, dtype=np.float32)
        mono = samples.mean(axis=1) if audio.channels > 1 else samples[:, 0]
        if peak == 0 or (audio.channels > 1 and not mono.any()):
            what = "the channels cancel each other" if peak else "every sample is zero"
            raise AudioError("silent", f"{what}; convert the file again from its source")
    except AudioError as error:
        raise error.of_file(path, rules.sample_rate) from error.__cause__
    except OSError as error:
        raise AudioError("unreadable", f"{error.strerror}; check the file and its permissions") from error
    if audio.sample_rate != rules.sample_rate:
        mono = _resample(mono, audio.sample_rate, rules.sample_rate)
    return Audio(mono, audio.duration, audio.sample_rate, audio.channels, notes)


def unread_suffix(path: str | os.PathLike[str], rules: AudioRules) -> AudioError:
    """The error for a file that is rejected by its suffix, unopened: there may be a million of them."""
    return not_read(os.path.splitext(path)[1]).of_file(path, rules.sample_rate)


def _resample(samples, rate, wanted):
    import torch

    from ..torchaudio_loader import load_torchaudio

    return load_torchaudio().functional.resample(torch.from_numpy(samples), rate, wanted).numpy()
