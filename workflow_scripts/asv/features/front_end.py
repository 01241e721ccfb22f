"""Features of samples as a :class:`asv.features.contract.Contract` says, by NumPy alone.

It needs nothing else of the project but the contract, so that it can travel with a compiled network. Computation is in
double precision, results are float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import InputError
from .mel_scales import BandSums, Scratch, mel_matrix

if TYPE_CHECKING:
    import numpy.typing as npt

    from .contract import Contract

    Array = npt.NDArray[np.floating[Any]]

BLOCK = 1 << 15  # samples of the frames that are computed at once: their spectra stay in the processor's cache


def window_of(contract: Contract) -> Array:
    """Window float64 ``(win_length,)``; coefficients as torch's and Kaldi's."""
    period = contract.win_length - (not contract.window_periodic)
    cosine = np.cos(2 * np.pi * np.arange(contract.win_length) / period)
    if contract.window == "hamming":
        return 0.54 - 0.46 * cosine
    hann = 0.5 - 0.5 * cosine
    return hann**0.85 if contract.window == "povey" else hann


class FrontEnd:
    """Features by one contract. Threads may share it: each has working memory of its own.

    Attributes:
        contract: what it does.
        window: float64 ``(win_length,)``.
        mel_matrix: float64 ``(n_mels, n_fft // 2 + 1)``.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.window = window_of(contract)
        self.mel_matrix = mel_matrix(contract)
        self._sums = BandSums(self.mel_matrix)
        self._pieces, self._energy, self._imaginary, self._levels_memory = (Scratch() for _ in range(4))

    def whole(self, samples: Array) -> npt.NDArray[np.float32]:
        """Features of a whole utterance.

        Args:
            samples: float32 or float64 ``(n,)`` in [-1, 1], at the contract's sample rate.

        Returns:
            float32 ``(n_mels, contract.frames(n))``.

        Raises:
            InputError: fewer samples than ``contract.fewest_samples``.
        """
        self._require(samples)
        return self._finish(self._all_levels(samples, self._factor(samples)))

    def crop(self, samples: Array, start: int, frames: int) -> npt.NDArray[np.float32]:
        """Features of ``frames`` frames of an utterance from frame ``start`` on, by the contract's ``cut``.

        Args:
            samples: as of :meth:`whole`: all of the utterance.
            start: frame of the whole utterance; with ``cut: wave`` the crop's samples begin at
                ``start * hop_length``, and are ``contract.samples(frames)`` many.
            frames: how many.

        Returns:
            float32 ``(n_mels, frames)``.

        Raises:
            InputError: the utterance, or with ``cut: wave`` the crop, has too few samples for its ends.
            ValueError: the utterance has no such frames.
        """
        contract = self.contract
        self._require(samples)
        available = contract.frames(len(samples))
        if frames < 1 or not 0 <= start <= available - frames:
            raise ValueError(f"{frames} frames from frame {start} on, of {available}")
        factor = self._factor(samples)
        if contract.cut == "wave":
            first = start * contract.hop_length
            part = samples[first : first + contract.samples(frames)]
            self._require(part, f"a crop of {frames} frames, cut in the samples (cut: wave),")
            return self._finish(self._all_levels(part, factor))
        if contract.top_db is not None:  # depends on the greatest level of the utterance
            return self._finish(self._all_levels(samples, factor)[:, start : start + frames])
        return self._finish(self._levels(samples, factor, start, frames))

    def _require(self, samples: Array, what: str = "a signal") -> None:
        if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
            raise ValueError(f"samples must be floats (n,) in [-1, 1], not {samples.dtype} {samples.shape}")
        fewest = self.contract.fewest_samples
        if len(samples) < fewest:
            edges = f"edges: {self.contract.edges}"
            raise InputError(f"{what} of {len(samples)} samples is too short: with {edges} it needs {fewest}")

    def _factor(self, samples: Array) -> float:
        """By what the samples are multiplied; ``volume`` as Resemblyzer's ``normalize_volume(increase_only=True)``."""
        if self.contract.volume is None:
            return self.contract.scale
        square = float(np.mean(np.square(samples, dtype=np.float64)))
        raised = 10 ** (self.contract.volume / 20) / np.sqrt(square) if square else 1.0  # silence cannot be raised
        return self.contract.scale * max(1.0, float(raised))

    def _all_levels(self, samples: Array, factor: float) -> Array:
        """All frames of a signal, from the samples to ``top_db``: float64 ``(n_mels, frames)``."""
        levels = self._levels(samples, factor, 0, self.contract.frames(len(samples)))
        if self.contract.top_db is not None:
            np.maximum(levels, levels.max() - self.contract.top_db, out=levels)
        return levels

    def _levels(self, samples: Array, factor: float, start: int, frames: int) -> Array:
        """Frames from ``start`` on, from the samples to the logarithm: float64 ``(n_mels, frames)``."""
        bands = self._levels_memory.array(self.contract.n_mels, frames)
        step = max(1, BLOCK // self.contract.n_fft)
        for done in range(0, frames, step):
            count = min(step, frames - done)
            self._bands(self._signal(samples, factor, start + done, count), bands[:, done : done + count])
        return self._logarithm(bands)

    def _bands(self, signal: Array, out: Array) -> None:
        """The samples under the windows of some frames to the frames' bands: float64 ``(n_mels, frames)``."""
        contract = self.contract
        pieces = self._pieces.array(out.shape[1], contract.win_length)
        pieces[:] = sliding_window_view(signal, contract.win_length)[:: contract.hop_length]
        if contract.remove_dc:
            pieces -= pieces.mean(axis=1, keepdims=True)
        if contract.preemphasis_over == "frame":
            first = pieces[:, 0] * (1 - contract.preemphasis)
            pieces[:, 1:] -= contract.preemphasis * pieces[:, :-1]
            pieces[:, 0] = first
        pieces *= self.window
        spectra = np.fft.rfft(pieces, contract.n_fft).T  # where the window lies among n_fft changes no magnitude
        energy, imaginary = self._energy.array(*spectra.shape), self._imaginary.array(*spectra.shape)
        energy[:], imaginary[:] = spectra.real, spectra.imag
        energy *= energy
        imaginary *= imaginary
        energy += imaginary
        if contract.power != 2:
            np.sqrt(energy, out=energy)
        self._sums(energy, out)

    def _signal(self, samples: Array, factor: float, start: int, frames: int) -> Array:
        """The samples under the windows of some frames, beyond the ends as ``edges`` says: float64 ``(m,)``."""
        contract, total = self.contract, len(samples)
        first = start * contract.hop_length
        if contract.window_placement == "centre":
            first += (contract.n_fft - contract.win_length) // 2
        if contract.edges != "snip":
            first -= contract.n_fft // 2
        last = first + (frames - 1) * contract.hop_length + contract.win_length  # exclusive
        before, after = max(-first, 0), max(last - total, 0)
        parts = [self._emphasised(samples, factor, max(first, 0), min(last, total))]
        if contract.edges == "reflect":
            parts.insert(0, self._emphasised(samples, factor, 1, before + 1)[::-1])
            parts.append(self._emphasised(samples, factor, total - 1 - after, total - 1)[::-1])
        else:
            parts = [np.zeros(before), *parts, np.zeros(after)]
        return np.concatenate(parts)

    def _emphasised(self, samples: Array, factor: float, first: int, last: int) -> Array:
        """Samples ``first`` to ``last``, multiplied, with the pre-emphasis that is over the signal: float64."""
        contract = self.contract
        if contract.preemphasis_over not in ("signal_reflected", "signal_kept") or first >= last:
            return np.multiply(samples[first:last], factor, dtype=np.float64)
        if first:
            signal = samples[first - 1 : last]
        else:
            previous = samples[1:2] if contract.preemphasis_over == "signal_reflected" else samples[:1] * 0
            signal = np.concatenate([previous, samples[:last]])
        signal = np.multiply(signal, factor, dtype=np.float64)
        return signal[1:] - contract.preemphasis * signal[:-1]

    def _logarithm(self, bands: Array) -> Array:
        """Levels of the bands' energies, in place."""
        contract = self.contract
        if contract.log == "none":
            return bands
        if contract.floor_rule == "add":
            bands += contract.floor
        else:
            np.maximum(bands, contract.floor, out=bands)
        if contract.log == "ln":
            return np.log(bands, out=bands)
        np.log10(bands, out=bands)
        bands *= 20 / contract.power
        return bands

    def _finish(self, levels: Array) -> npt.NDArray[np.float32]:
        """Normalisation over time, gain and offset, in place: float64 to float32, ``(n_mels, frames)``."""
        contract = self.contract
        if contract.subtract_mean:
            levels -= levels.mean(axis=1, keepdims=True)
        if contract.deviation != "none":
            count = levels.shape[1] - (contract.deviation == "unbiased")
            variance = np.square(levels).sum(axis=1, keepdims=True) / max(count, 1)  # one frame has 0, not NaN
            if contract.deviation == "instance_norm":
                levels /= np.sqrt(variance + contract.deviation_eps)
            else:
                levels /= np.sqrt(variance) + contract.deviation_eps
        levels *= contract.gain
        levels += contract.offset
        return levels.astype(np.float32)
