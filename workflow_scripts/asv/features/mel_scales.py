"""Mel scales, and the matrices that sum a spectrum into bands, in double precision.

Formulas: O'Shaughnessy's scale as HTK and Kaldi have it, Slaney's of the Auditory Toolbox as librosa has it; triangles
as ``torchaudio.functional.melscale_fbanks``, ``torchaudio.compliance.kaldi.get_mel_banks`` and
``speechbrain.processing.features.Filterbank`` compute them. Frequencies in hertz.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .contract import Contract

    Array = npt.NDArray[np.floating[Any]]

SLANEY_STEP = 200 / 3  # hertz per mel, below 1000 Hz
SLANEY_BREAK = 1000 / SLANEY_STEP  # mel, at 1000 Hz
SLANEY_LOG_STEP = np.log(6.4) / 27  # of ln(frequency) per mel, from there on


def hertz_to_mel(hertz: Array, scale: str) -> Array:
    """Mel values of frequencies, any shape; ``scale`` is a contract's ``mel``."""
    if scale != "slaney":
        return 2595 * np.log10(1 + hertz / 700)
    above = SLANEY_BREAK + np.log(np.maximum(hertz, 1000) / 1000) / SLANEY_LOG_STEP
    return np.where(hertz < 1000, hertz / SLANEY_STEP, above)


def mel_to_hertz(mel: Array, scale: str) -> Array:
    """Inverse of :func:`hertz_to_mel`."""
    if scale != "slaney":
        return 700 * (10 ** (mel / 2595) - 1)
    above = 1000 * np.exp(SLANEY_LOG_STEP * (np.maximum(mel, SLANEY_BREAK) - SLANEY_BREAK))
    return np.where(mel < SLANEY_BREAK, mel * SLANEY_STEP, above)


def mel_matrix(contract: Contract) -> Array:
    """Weights of the spectrum's bins in each band.

    Band b is a triangle over the points b, b + 1 and b + 2 of ``n_mels + 2`` that are evenly spaced in mel. In a coarse
    spectrum a low band may lie between two bins and be empty, as with the toolkits.

    Returns:
        float64 ``(n_mels, n_fft // 2 + 1)``.
    """
    scale = contract.mel
    lower, upper = hertz_to_mel(np.array([contract.f_min, contract.f_max]), scale)
    points = np.linspace(lower, upper, contract.n_mels + 2)
    bins = np.arange(contract.n_fft // 2 + 1) * (contract.sample_rate / contract.n_fft)
    hertz = mel_to_hertz(points, scale)
    if scale == "kaldi":
        bins = hertz_to_mel(bins, scale)
    else:
        points = hertz
    widths = np.diff(points)[:, None]
    rising = (bins - points[:-2, None]) / widths[:-1]
    falling = (points[2:, None] - bins) / widths[1:]
    if scale == "speechbrain":
        falling = 2 - rising
    weights = np.maximum(0, np.minimum(rising, falling))
    if scale == "kaldi":
        weights[:, -1] = 0
    return weights * (2 / (hertz[2:] - hertz[:-2]))[:, None] if contract.mel_area_norm else weights


class Scratch(threading.local):
    """Memory that is used again and again: of new memory, the system's clearing costs as much as the computation.

    Each thread has its own.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0)

    def array(self, *shape: int) -> Array:
        """A float64 array of any content, which holds until the next call."""
        size = math.prod(shape)
        if size > self._memory.size:
            self._memory = np.empty(size)
        return self._memory[:size].reshape(shape)


class BandSums:
    """Product of a matrix of few values other than 0 with spectra, without BLAS.

    BLAS starts threads, which on a busy machine wait for each other for many times the time of so small a product; and
    a sum does not depend on how many frames are computed beside it.
    """

    def __init__(self, matrix: Array) -> None:
        bins = [found if found.size else np.zeros(1, int) for found in map(np.flatnonzero, matrix)]
        self._bins = np.concatenate(bins)
        self._starts = np.cumsum([0, *map(len, bins[:-1])])
        self._weights = np.concatenate([row[found] for row, found in zip(matrix, bins)])[:, None]
        self._values = Scratch()

    def __call__(self, spectra: Array, out: Array | None = None) -> Array:
        """``(n_fft // 2 + 1, frames)`` to ``(n_mels, frames)``; into ``out``, if it is given."""
        values = self._values.array(len(self._bins), spectra.shape[1])
        np.take(spectra, self._bins, axis=0, out=values, mode="clip")  # the mode that needs no copy
        values *= self._weights
        return np.add.reduceat(values, self._starts, axis=0, out=out)
