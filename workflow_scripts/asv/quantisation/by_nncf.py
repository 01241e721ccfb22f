"""Quantising by NNCF, of OpenVINO's models; it reports nothing to anybody (:mod:`asv.telemetry`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import telemetry
from ..errors import InputError
from . import graph

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = npt.NDArray[np.float32]

BATCH = 10  # crops that are run at once when embeddings are compared
# All weights take 7 bits: without VNNI the sums of full products overflow (measurements/int8_without_vnni.py).
OVERFLOW_FIX = "enable"


class Nncf:
    """The :class:`asv.quantisation.quantise.Toolkit` of OpenVINO's models."""

    name = "NNCF"

    def __init__(self, model: Any, features: Features, threads: int) -> None:
        """Take a network.

        Args:
            model: OpenVINO's, for any batch size; it is left as it is.
            features: of the calibration, float32 ``(n, mels, frames)``.
            threads: for running models; NNCF itself takes those that it finds.
        """
        self.model = self.original = model
        self._features, self._threads = features, threads

    def quantise(self, in_float: Sequence[str], simulated: bool = False) -> Any:
        """The model with the quantisers that NNCF places, but for operations of these names.

        Args:
            in_float: names of operations.
            simulated: whether weights stay float behind their quantisers.

        Raises:
            InputError: where NNCF cannot.
        """
        telemetry.off()
        import nncf

        nncf.set_log_level(logging.ERROR)
        crops = [np.array(crop[np.newaxis]) for crop in self._features]
        options = nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix(OVERFLOW_FIX),
            backend_params={"compress_weights": not simulated},
        )
        try:
            return nncf.quantize(
                self.model,
                nncf.Dataset(crops),
                subset_size=len(crops),
                target_device=nncf.TargetDevice.CPU,
                # Not all names are found again: what is folded before ranges are measured has none then.
                ignored_scope=nncf.IgnoredScope(names=list(in_float), validate=False),
                advanced_parameters=options,
            )
        except (RuntimeError, nncf.NNCFError) as error:
            raise InputError(
                f"NNCF cannot quantise this network: {str(error).strip().splitlines()[-1]}; leave int8 out of "
                "precision and benchmark.engines"
            ) from error

    def embeddings(self, made: Any) -> npt.NDArray[np.float32]:
        """Embeddings of the calibration set by a model, its float parts in float32."""
        return self._run(made, self._features)

    def integers(self, made: Any) -> set[str]:
        """Names of the layers whose weights are integers."""
        return graph.quantised(made)

    def probe(self, in_float: Sequence[str], count: int) -> Callable[[Collection[str]], npt.NDArray[np.float32]]:
        """Quantisers are placed once, and taken out again around further layers."""
        simulated = self.quantise(in_float, simulated=True)
        return lambda further: self._run(graph.in_float(simulated, set(further)), self._features[:count])

    def _run(self, model, features):
        import openvino

        properties = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": self._threads,
            "ENABLE_CPU_PINNING": False,
        }
        request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
        starts = range(0, len(features), BATCH)
        return np.concatenate([request.infer([features[start : start + BATCH]])[0].copy() for start in starts])
