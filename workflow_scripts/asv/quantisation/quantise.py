"""A network in int8 by NNCF: ranges from calibration, pooling in float, and sensitive layers back in float if need be.

The criterion is label-free: the mean cosine, over the calibration set, of the embeddings with those in float32. It
chooses layers; whether the network is still good is for trials to tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from .. import telemetry, vectors
from ..errors import InputError
from . import graph

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = npt.NDArray[np.float32]

BATCH = 10  # crops that are run at once when embeddings are compared
PROBES = 32  # calibration crops by which layers are ranked
LEAST_WORK = 0.5  # share of the layers' work that int8 must keep: below it, bfloat16 alone is about as fast
ROUNDS = 3  # quantisations after the first
POOLING = "pooling over frames, or behind it"
WHOLE = "of the utterance as a whole"
SENSITIVE = "sensitive"
NOT_OFFERED = "left in float by NNCF"


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


def embeddings(model: Any, features: Features, threads: int) -> npt.NDArray[np.float32]:
    """Embeddings of crops by a model, its float parts in float32."""
    import openvino

    properties = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
    starts = range(0, len(features), BATCH)
    return np.concatenate([request.infer([features[start : start + BATCH]])[0].copy() for start in starts])


def _nncf(model: Any, features: Features, in_float: Sequence[str], simulated: bool = False) -> Any:
    """The model with the quantisers that NNCF places, but for operations of these names.

    Args:
        model: OpenVINO's, for any batch size; it is left as it is.
        features: of the calibration, float32 ``(n, mels, frames)``.
        in_float: names of operations.
        simulated: whether weights stay float behind their quantisers.
    """
    telemetry.off()
    import nncf

    nncf.set_log_level(logging.ERROR)
    crops = [np.array(crop[np.newaxis]) for crop in features]
    options = nncf.AdvancedQuantizationParameters(backend_params={"compress_weights": not simulated})
    try:
        return nncf.quantize(
            model,
            nncf.Dataset(crops),
            subset_size=len(crops),
            target_device=nncf.TargetDevice.CPU,
            # Not all names are found again: what is folded before ranges are measured has none then.
            ignored_scope=nncf.IgnoredScope(names=list(in_float), validate=False),
            advanced_parameters=options,
        )
    except (RuntimeError, nncf.NNCFError) as error:
        raise InputError(
            f"NNCF cannot quantise this network: {str(error).strip().splitlines()[-1]}; leave int8 out of precision "
            "and benchmark.engines"
        ) from error


class Search:
    """One network's way to int8."""

    def __init__(self, model: Any, features: Features, threads: int) -> None:
        """Args: as of :func:`quantise`."""
        self._model, self._features, self._threads = model, features, threads
        self._expected = embeddings(model, features, threads)
        if not np.isfinite(self._expected).all():
            raise InputError("the network's own embeddings of the calibration set are not finite; mend the checkpoint")
        self._pooling, self._delicate = graph.after_frames(model), graph.delicate(model)
        self._layers = graph.layers(model)
        self._work = max(1, sum(layer.work for layer in self._layers.values()))
        self._gains: dict[str, float] = {}

    def _cosines(self, model, count=None):
        found = embeddings(model, self._features[:count], self._threads)
        return vectors.cosines(found, self._expected[:count])

    def _try(self, sensitive):
        model = _nncf(self._model, self._features, [*self._float, *sensitive])
        return _Tried(model, self._cosines(model))

    @property
    def _float(self):
        return [*self._pooling, *(name for name in self._delicate if name not in self._pooling)]

    def _share(self, names):
        return sum(self._layers[name].work for name in names if name in self._layers) / self._work

    def _rank(self, candidates):
        """A model with simulated quantisers, and the candidates by what each gains alone, most first."""
        simulated = _nncf(self._model, self._features, self._float, simulated=True)
        without = self._cosines(simulated, PROBES).mean()
        for name in candidates:
            alone = self._cosines(graph.in_float(simulated, {name}), PROBES).mean()
            self._gains[name] = float(alone - without)
        return simulated, sorted(candidates, key=lambda name: -self._gains[name])

    def _choices(self, candidates: Sequence[str], minimum: float) -> Iterator[list[str]]:
        """Growing lists of sensitive layers that may do, while enough work stays in int8."""
        simulated, ranked = self._rank(candidates)
        for count in range(1, len(ranked) + 1):
            sensitive = ranked[:count]
            if self._share(ranked[count:]) < LEAST_WORK:
                return
            if self._cosines(graph.in_float(simulated, set(sensitive)), PROBES).mean() >= minimum:
                yield sensitive

    def run(self, minimum: float) -> tuple[Any, Outcome]:
        """The model and what it has come to; see :func:`quantise`."""
        best = first = self._try([])
        sensitive: list[str] = []
        if first.mean < minimum:
            candidates = [name for name in self._layers if name in graph.quantised(first.model)]
            for number, choice in enumerate(self._choices(candidates, minimum)):
                if number == ROUNDS or best.mean >= minimum:
                    break
                tried = self._try(choice)
                if tried.mean > best.mean:
                    best, sensitive = tried, choice
        return best.model, self._outcome(best, first, sensitive, minimum)

    def _outcome(self, best, first, sensitive, minimum):
        integers = graph.quantised(best.model)
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
        return SENSITIVE if name in sensitive else NOT_OFFERED


def quantise(model: Any, features: Features, minimum: float, threads: int) -> tuple[Any, Outcome]:
    """Quantise a network.

    Args:
        model: OpenVINO's, for any batch size; it is left as it is.
        features: of the calibration, float32 ``(n, mels, frames)``.
        minimum: mean cosine with the float32 embeddings that is asked for.
        threads: of our own comparisons; NNCF takes those that it finds.

    Returns:
        The model in int8, and what it has come to: the minimum need not be met.

    Raises:
        InputError: where the network cannot be quantised.
    """
    return Search(model, features, threads).run(minimum)


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
