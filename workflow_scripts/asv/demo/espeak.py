"""Speech from text, by eSpeak NG through ctypes: the same samples for the same request, whatever came before it.

The library and its voices come with the wheel ``espeakng-loader``. eSpeak NG is GPLv3; only the demo uses it, at run
time, and nothing of it is part of this project.
"""

from __future__ import annotations

import ctypes
import functools
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

SAMPLE_RATE = 22050  # hertz; what the library speaks at

# These draw their breath from the C library's rand(), which no seed of eSpeak NG reaches.
IRREPRODUCIBLE = frozenset({"Reed", "caleb"})

_MEND = "mend: python -m pip install --force-reinstall espeakng-loader"

# From espeak-ng/speak_lib.h
_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 0x8000, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

_UP, _DOWN = 320, 441  # 16000 / 22050, reduced
_HALF = 24  # half a filter, in samples at SAMPLE_RATE
_SCALE_BITS = 16


@functools.cache
def _installation():
    """Path of the library and of its data."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise InputError(f"eSpeak NG, which speaks the demo corpus, is not installed; {_MEND}") from error
    return espeakng_loader.get_library_path(), Path(espeakng_loader.get_data_path())


@functools.cache
def variants() -> frozenset[str]:
    """Names of the voice variants that speak reproducibly."""
    data = _installation()[1]
    try:
        names = set(os.listdir(data / "voices" / "!v"))
    except OSError as error:
        raise InputError(f"eSpeak NG, which speaks the demo corpus, has no voices in {data}; {_MEND}") from error
    return frozenset(names - IRREPRODUCIBLE)


@contextmanager
def _fresh_library():
    """The library, newly loaded and initialised.

    Much of its state (the phase of a voice's flutter, memories of filters) is in static variables that no call
    resets. So it is unloaded after each use; that costs some milliseconds.
    """
    path, data = _installation()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise InputError(
            f"eSpeak NG, which speaks the demo corpus, cannot be loaded from {path}: {error}; {_MEND}"
        ) from error
    try:
        with tempfile.TemporaryDirectory() as folder:
            # The library truncates a path of more than about 160 characters; a virtual environment's may be longer.
            os.symlink(data, os.path.join(folder, data.name))
            if library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(folder), _DONT_EXIT) != SAMPLE_RATE:
                raise InputError(f"eSpeak NG, which speaks the demo corpus, cannot read its voices in {data}; {_MEND}")
            yield library
            library.espeak_Terminate()
    finally:
        close = ctypes.CDLL(None).dlclose
        close.argtypes = [ctypes.c_void_p]
        close(library._handle)


def synthesise(
    text: str, accent: str, variant: str, rate: int = 175, pitch: int = 50, pitch_range: int = 50
) -> npt.NDArray[np.int16]:
    """Speak a text.

    Args:
        text: words, in the accent's language.
        accent: an eSpeak NG language, spelt as its file is, such as ``en-US``.
        variant: one of :func:`variants`.
        rate: speed in words a minute, 80 to 450.
        pitch: base pitch, 0 to 100; 50 is the variant's own.
        pitch_range: 0 (monotone) to 100; 50 is the variant's own.

    Returns:
        int16 ``(n,)`` at :data:`SAMPLE_RATE`.
    """
    if variant not in variants():  # the library itself would speak with its default voice
        raise ValueError(f"no such reproducible voice variant: {variant}")
    pieces: list[bytes] = []

    @_Callback
    def collect(samples, count, _events):
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    with _fresh_library() as library:
        library.espeak_SetSynthCallback(collect)
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        if library.espeak_SetVoiceByName(f"{accent}+{variant}".encode()) != 0:
            raise ValueError(f"no such accent: {accent}")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            library.espeak_SetParameter(parameter, value, 0)
        encoded = text.encode()
        status = library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None)
        if status != 0:
            raise RuntimeError(f"espeak_Synth failed with {status}")
    return np.frombuffer(b"".join(pieces), dtype=np.int16)


@functools.cache
def _filters():
    """Windowed sinc of a polyphase resampler, float64 ``(_DOWN + 2 * _HALF, _UP)``, in whole numbers.

    A column makes one of _UP samples out of a window of the input; the next _UP samples come of a window _DOWN later.
    Each column sums to about 2 ** _SCALE_BITS.
    """
    place, phase = np.divmod(np.arange(_UP) * _DOWN, _UP)  # in samples at SAMPLE_RATE, and 1 / _UP of one
    offset = np.arange(1 - _HALF, _HALF + 1)[:, None] - phase / _UP
    cutoff = 0.92 * _UP / _DOWN  # of the input's Nyquist frequency
    taps = cutoff * np.sinc(cutoff * offset) * np.cos(np.pi * offset / (2 * _HALF)) ** 2
    filters = np.zeros((_DOWN + 2 * _HALF, _UP))
    filters[place + np.arange(2 * _HALF)[:, None], np.arange(_UP)] = np.rint(taps * 2**_SCALE_BITS)
    return filters


def resample_to_16k(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Resample from :data:`SAMPLE_RATE` to 16 kHz: every machine gets the same bytes.

    Args:
        samples: int16 ``(n,)``.

    Returns:
        int16 ``(ceil(n * 320 / 441),)``.
    """
    count, filters = -(-len(samples) * _UP // _DOWN), _filters()
    padded = np.pad(samples.astype(np.float64), (_HALF - 1, len(filters)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(filters))[::_DOWN]
    # Whole numbers below 2 ** 53, so this is exact in any order of summation, and many times as fast as in integers.
    total = (windows @ filters).ravel()[:count].astype(np.int64)
    rounded = (total + (1 << (_SCALE_BITS - 1))) >> _SCALE_BITS
    return np.clip(rounded, -(1 << 15), (1 << 15) - 1).astype(np.int16)
