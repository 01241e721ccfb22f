"""Do these features belong to this network? By NumPy alone.

The running mean and variance of the first batch norm are compared with the same statistics of the user's own speech:
the median over the channels of the Kullback-Leibler divergence of two normal distributions. A corpus that is quieter,
noisier or narrower than the training's raises it, too, and no threshold tells that from a wrong contract. So the
verdict is relative: the same speech is given features by other contracts as well, and features are said not to fit
where others fit clearly better, or where they are far from anything that a corpus explains.

Faults that change features little are not found: docs/networks.md has what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from ..errors import InputError
from ..features.contract import Contract
from ..features.front_end import FrontEnd
from . import families

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

CHANNELS = 128  # that are looked at; a median of so many is as good as one of all
FRAMES = 200  # of each utterance, from its middle
NEAR = 1.0  # a distance up to which features fit, whatever others do
BETTER = 2.0  # by what factor others must be nearer
FAR = 10.0  # a distance that no corpus explains


class Fit(TypedDict):
    """The verdict.

    ``verdict`` is ``fits``, ``misfit``, ``untrained`` (the network has seen nothing), or ``unknown`` (it has no batch
    norm behind its first layer, or there is no speech to compare); the distances are None for the last two.
    """

    verdict: str
    distance: float | None
    better: str | None  # whose features are the nearest, where that is not the contract's own
    better_distance: float | None
    utterances: int


@dataclass(frozen=True)
class FirstNorm:
    """What :func:`asv.network.first_norm.arrays` has taken out of a network."""

    weight: Array
    bias: Array
    mean: Array
    variance: Array
    reflect: bool

    @property
    def untrained(self) -> bool:
        """Whether the norm is as it was made: no batch was ever counted."""
        return bool((self.mean == 0).all() and (self.variance == 1).all())

    def thinned(self) -> FirstNorm:
        """The same with at most :data:`CHANNELS` channels, evenly chosen."""
        chosen = np.linspace(0, len(self.bias) - 1, min(CHANNELS, len(self.bias))).astype(int)
        return FirstNorm(self.weight[chosen], self.bias[chosen], self.mean[chosen], self.variance[chosen], self.reflect)

    def outputs(self, features: Array) -> Array:
        """What the norm receives: float32 ``(n, mels, frames)`` to ``(C, n * frames)``."""
        channels, mels, kernel = self.weight.shape
        half = kernel // 2
        padded = np.pad(features, ((0, 0), (0, 0), (half, half)), mode="reflect" if self.reflect else "constant")
        pieces = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=2).transpose(0, 2, 1, 3)
        linear = pieces.reshape(-1, mels * kernel) @ self.weight.reshape(channels, -1).T + self.bias
        return np.maximum(linear, 0).T


def read(path: Path) -> FirstNorm | None:
    """Of a file of ``trace_network.py``; None where the network has no such layers."""
    with np.load(path) as arrays:
        return FirstNorm(**{name: arrays[name] for name in arrays.files}) if arrays.files else None


def distance(norm: FirstNorm, features: Array) -> float:
    """Median over the channels of KL(speech's normal, training's normal), in nats; features ``(n, mels, frames)``."""
    outputs = norm.outputs(features).astype(np.float64)
    mean, variance = outputs.mean(axis=1), np.maximum(outputs.var(axis=1), 1e-12)
    trained = np.maximum(norm.variance.astype(np.float64), 1e-12)
    divergence = np.log(trained / variance) + (variance + (mean - norm.mean) ** 2) / trained - 1
    return float(np.median(divergence / 2))


def others(contract: Contract) -> dict[str, Contract]:
    """Contracts to compare with, by what they are called: all families', and the own one with one gross change."""
    found = {f"those of the family {name}": families.module(name).CONTRACT for name in families.names()}
    changed: dict[str, Any] = {"subtract_mean": not contract.subtract_mean}
    if contract.subtract_mean:
        changed.update(deviation="none", deviation_eps=0.0)
    found[f"the same {'without' if contract.subtract_mean else 'with'} the mean removed"] = replace(contract, **changed)
    if contract.log != "none":
        plain = replace(contract, log="none", floor=0.0, floor_rule="clamp", top_db=None)
        found["the same without a logarithm"] = plain
    else:
        found["the same with a logarithm"] = replace(contract, log="ln", floor=1e-6)
    same = {contract.key()}
    return {name: other for name, other in found.items() if other.n_mels == contract.n_mels and other.key() not in same}


def features_of(contract: Contract, signals: Iterable[Array]) -> Array:
    """Features of the middle of each signal, float32 ``(n, mels, FRAMES)``; short ones are repeated."""
    front_end, needed = FrontEnd(contract), max(contract.samples(FRAMES), contract.n_fft)
    crops = []
    for signal in signals:
        samples = signal if len(signal) >= needed else np.resize(signal, needed)
        crops.append(front_end.crop(samples, (contract.frames(len(samples)) - FRAMES) // 2, FRAMES))
    return np.stack(crops)


def judge(norm: FirstNorm | None, contract: Contract, signals: Sequence[Array]) -> Fit:
    """Whether a contract's features belong to a network.

    Args:
        norm: of the network.
        contract: of the features.
        signals: speech at the contract's rate, float32 ``(n,)`` each.
    """
    fit: Fit = {
        "verdict": "unknown",
        "distance": None,
        "better": None,
        "better_distance": None,
        "utterances": len(signals),
    }
    if norm is None or norm.weight.shape[1] != contract.n_mels or not len(signals):
        return fit
    if norm.untrained:
        return {**fit, "verdict": "untrained"}
    thin = norm.thinned()
    own = distance(thin, features_of(contract, signals))
    compared = {
        name: distance(thin, features_of(other, signals))
        for name, other in others(contract).items()
        if other.sample_rate == contract.sample_rate
    }
    nearest = min(compared, key=lambda name: compared[name], default=None)
    worse = nearest is not None and own > NEAR and own > BETTER * compared[nearest]
    return {
        **fit,
        "verdict": "misfit" if worse or own > FAR else "fits",
        "distance": own,
        "better": nearest if worse else None,
        "better_distance": compared[nearest] if nearest is not None and worse else None,
    }


def require(fit: Mapping[str, Any], on_misfit: str) -> None:
    """Raise InputError where features do not fit and ``network.on_misfit`` is ``fail``."""
    if fit["verdict"] == "misfit" and on_misfit == "fail":
        raise InputError(
            f"the features do not belong to the network: {sentence(fit)}. Mend network.family or "
            "network.contract, or set network.on_misfit: warn"
        )


def sentence(fit: Mapping[str, Any]) -> str:
    """The verdict for people."""
    if fit["verdict"] == "unknown":
        return "cannot be checked: the graph does not begin with a convolution, a ReLU and a batch norm"
    if fit["verdict"] == "untrained":
        return "nothing to compare: the network was never trained"
    found = f"distance {fit['distance']:.2g} from the training's, by {fit['utterances']} utterances"
    if fit["verdict"] == "fits":
        return f"they look like those of the network's training ({found}; small faults are not seen)"
    better = f"; {fit['better']} fit better ({fit['better_distance']:.2g})" if fit["better"] else ""
    return f"they do NOT look like those of the network's training ({found}){better}"
