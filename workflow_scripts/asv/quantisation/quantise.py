"""A network in int8: ranges from calibration, pooling in float, and sensitive layers back in float if need be.

The criterion is label-free: the mean cosine, over the calibration set, of the embeddings with those in float32. It
chooses layers; whether the network is still good is for trials to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import numpy as np

from .. import vectors
from ..errors import InputError
from . import graph

if TYPE_CHECKING:
    import numpy.typing as npt

PROBES = 32  # calibration crops by which layers are ranked
LEAST_WORK = 0.5  # share of the layers' work that int8 must keep: below it, bfloat16 alone is about as fast
ROUNDS = 3  # quantisations after the first
POOLING = "pooling over frames, or behind it"
WHOLE = "of the utterance as a whole"
SENSITIVE = "sensitive"


class LayerRecord(TypedDict):
    """How one layer runs, and why."""

    name: str
    layer: str  # kind and weights
    work: float  # share of all layers' multiply-accumulates
    precision: str  # int8 or float
    reason: str | None  # why it is float
    gain: float | None  # of the mean cosine over the probes when this layer alone goes back to float


class Outcome(TypedDict):
    """What quantisation has come to."""

    layers: list[LayerRecord]
    int8_work: float  # share of the layers' multiply-accumulates
    mean_cosine: float  # over the calibration set
    min_cosine: float
    first_mean_cosine: float  # before sensitive layers went back
    min_mean_cosine: float  # that was asked for
    met: bool


@dataclass(frozen=True)
class _Tried:
    """A quantised model, and cosines of its embeddings with those in float32."""

    model: Any
    cosines: npt.NDArray[np.float64]

    @property
    def mean(self) -> float:
        return float(self.cosines.mean())


class Toolkit(Protocol):
    """A network with its calibration set, and what quantises it and runs what was made.

    Attributes:
        name: of the toolkit.
        model: the network as OpenVINO has it, for any batch size; its operations have the names that are meant below.
        original: the network itself, as :meth:`embeddings` takes it.
    """

    name: str
    model: Any
    original: Any

    def quantise(self, in_float: Sequence[str]) -> Any:
        """The network in int8 but for operations of these names; InputError where it cannot be quantised."""

    def embeddings(self, made: Any) -> npt.NDArray[np.float32]:
        """Embeddings ``(n, d)`` of the calibration set by what was made."""

    def integers(self, made: Any) -> set[str]:
        """Names of the layers that are in int8 in what was made."""

    def probe(self, in_float: Sequence[str], count: int) -> Callable[[Collection[str]], npt.NDArray[np.float32]]:
        """A quick way to try layers.

        Args:
            in_float: as in :meth:`quantise`.
            count: how many of the first crops are run.

        Returns:
            What gives the embeddings of these crops with the network in int8 but for those operations and for further
            layers, whose names it takes.
        """


class Search:
    """One network's way to int8."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Args: as of :func:`quantise`."""
        self._toolkit = toolkit
        self._expected = toolkit.embeddings(toolkit.original)
        if not np.isfinite(self._expected).all():
            raise InputError("the network's own embeddings of the calibration set are not finite; mend the checkpoint")
        self._pooling, self._delicate = graph.after_frames(toolkit.model), graph.delicate(toolkit.model)
        self._layers = graph.layers(toolkit.model)
        self._work = max(1, sum(layer.work for layer in self._layers.values()))
        self._gains: dict[str, float] = {}

    def _try(self, sensitive):
        made = self._toolkit.quantise([*self._float, *sensitive])
        return _Tried(made, vectors.cosines(self._toolkit.embeddings(made), self._expected))

    @property
    def _float(self):
        return list(dict.fromkeys([*self._pooling, *self._delicate, *graph.recurrent(self._toolkit.model)]))

    def _share(self, names):
        return sum(self._layers[name].work for name in names if name in self._layers) / self._work

    def _choices(self, candidates: Sequence[str], minimum: float) -> Iterator[list[str]]:
        """Growing lists of sensitive layers that may do, while enough work stays in int8."""
        embeddings = self._toolkit.probe(self._float, PROBES)

        def cosine(in_float):
            return vectors.cosines(embeddings(in_float), self._expected[:PROBES]).mean()

        without = cosine(())
        self._gains = {name: float(cosine((name,)) - without) for name in candidates}
        ranked = sorted(candidates, key=lambda name: -self._gains[name])
        for count in range(1, len(ranked) + 1):
            if self._share(ranked[count:]) < LEAST_WORK:
                return
            if cosine(ranked[:count]) >= minimum:
                yield ranked[:count]

    def run(self, minimum: float) -> tuple[Any, Outcome]:
        """The model and what it has come to; see :func:`quantise`."""
        best = first = self._try([])
        sensitive: list[str] = []
        if first.mean < minimum:
            candidates = [name for name in self._layers if name in self._toolkit.integers(first.model)]
            for number, choice in enumerate(self._choices(candidates, minimum)):
                if number == ROUNDS or best.mean >= minimum:
                    break
                tried = self._try(choice)
                if tried.mean > best.mean:
                    best, sensitive = tried, choice
        return best.model, self._outcome(best, first, sensitive, minimum)

    def _outcome(self, best, first, sensitive, minimum):
        integers = self._toolkit.integers(best.model)
        records: list[LayerRecord] = [
            {
                "name": name,
                "layer": layer.described,
                "work": layer.work / self._work,
                "precision": "int8" if name in integers else "float",
                "reason": None if name in integers else self._reason(name, sensitive),
                "gain": self._gains.get(name),
            }
            for name, layer in self._layers.items()
        ]
        outcome: Outcome = {
            "layers": records,
            "int8_work": self._share(integers),
            "mean_cosine": best.mean,
            "min_cosine": float(best.cosines.min()),
            "first_mean_cosine": first.mean,
            "min_mean_cosine": minimum,
            "met": best.mean >= minimum,
        }
        return outcome

    def _reason(self, name, sensitive):
        if name in self._pooling:
            return POOLING
        if name in self._delicate:
            return WHOLE
        return SENSITIVE if name in sensitive else f"left in float by {self._toolkit.name}"


def quantise(toolkit: Toolkit, minimum: float) -> tuple[Any, Outcome]:
    """Quantise a network.

    Args:
        toolkit: the network with its calibration set, and what quantises it.
        minimum: mean cosine with the float32 embeddings that is asked for.

    Returns:
        The network in int8, as the toolkit has it, and what it has come to: the minimum need not be met.

    Raises:
        InputError: where the network cannot be quantised.
    """
    return Search(toolkit).run(minimum)


def record(
    outcome: Outcome, calibration: Mapping[str, Any], features: npt.NDArray[np.float32], versions: Mapping[str, str]
) -> dict[str, Any]:
    """What is written beside a network in int8, and stands in artefacts and answers.

    Args:
        calibration: the sidecar of the calibration set.
        features: of it.
        versions: of the packages that quantised.
    """
    return {
        "calibration": calibration,
        "features": {"mean": float(features.mean()), "deviation": float(features.std())},
        **outcome,
        "versions": versions,
    }


def table(outcome: Outcome) -> str:
    """The layers for a log, one a line, and what they come to."""
    lines = [
        f"{layer['precision']:<6} {100 * layer['work']:5.1f} % of the work  {layer['layer']:<34} {layer['name']}"
        + (f"  ({layer['reason']})" if layer["reason"] else "")
        + ("" if layer["gain"] is None else f"  gain {layer['gain']:+.5f}")
        for layer in outcome["layers"]
    ]
    return "\n".join([*lines, summary(outcome)])


def summary(outcome: Outcome) -> str:
    """What it has come to, in words."""
    count = sum(layer["precision"] == "int8" for layer in outcome["layers"])
    words = (
        f"{count} of {len(outcome['layers'])} layers in int8, {100 * outcome['int8_work']:.0f} % of their work; cosine "
        f"with float32 on the calibration set {outcome['mean_cosine']:.5f} on average, {outcome['min_cosine']:.5f} at "
        "the lowest"
    )
    if not outcome["met"]:
        words += f", BELOW quantisation.min_mean_cosine ({outcome['min_mean_cosine']})"
    return words
