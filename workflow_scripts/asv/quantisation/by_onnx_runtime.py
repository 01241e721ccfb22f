"""Quantising by ONNX Runtime's own tool, of ONNX graphs, into operations that its CPU kernels join.

NNCF writes ONNX, too, but leaves the outcome of a convolution in float until its activation and its normalisation have
been computed; ONNX Runtime then runs the convolution in float. Its own tool quantises the outcome of each layer.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from . import graph

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = npt.NDArray[np.float32]

LAYERS = ("Conv", "Gemm", "MatMul")
BIASED = "/WithoutBiases"  # what OpenVINO appends to the name of an operation whose bias it adds apart


def named(network: Path) -> Any:
    """An ONNX model in which each node has a name of its own, by which OpenVINO calls it, too."""
    import onnx

    model, taken = onnx.load(network), set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type} {number}"
        taken.add(node.name)
    return model


class OnnxRuntime:
    """The :class:`asv.quantisation.quantise.Toolkit` of ONNX models, which are serialised."""

    name = "ONNX Runtime"

    def __init__(self, named: Any, model: Any, features: Features, threads: int) -> None:
        """Take a network.

        Args:
            named: of :func:`named`.
            model: what OpenVINO reads of it.
            features: of the calibration, float32 ``(n, mels, frames)``.
            threads: for running models.
        """
        self.model, self.original = model, named.SerializeToString(deterministic=True)
        self._features, self._threads = features, threads
        nodes = {node.name for node in named.graph.node if node.op_type in LAYERS}
        # The node of each layer; a layer that is a part of another kind of node, such as a recurrent one, has none.
        self._nodes = {name: node for name in graph.layers(model) if (node := name.removesuffix(BIASED)) in nodes}
        weights = {weight.name for weight in named.graph.initializer}  # which old files count among the inputs
        self._input = next(given.name for given in named.graph.input if given.name not in weights)

    def quantise(self, in_float: Sequence[str]) -> bytes:
        """The model with quantisers around the layers that are not among these.

        Raises:
            InputError: where ONNX Runtime cannot.
        """
        return self._quantised(in_float, self._features)

    def embeddings(self, made: bytes) -> npt.NDArray[np.float32]:
        """Embeddings of the calibration set by a model."""
        return self._run(made, self._features)

    def integers(self, made: bytes) -> set[str]:
        """Names of the layers whose weights are integers."""
        import onnx

        nodes = onnx.load_from_string(made).graph.node
        restored = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
        weighed = {node.name for node in nodes if len(node.input) > 1 and node.input[1] in restored}
        return {name for name, node in self._nodes.items() if node in weighed}

    def probe(self, in_float: Sequence[str], count: int) -> Callable[[Collection[str]], npt.NDArray[np.float32]]:
        """The crops that are run are also those whose values tell the ranges."""
        crops = self._features[:count]
        return lambda further: self._run(self._quantised([*in_float, *further], crops), crops)

    def _run(self, model, features):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(None, crop)[0] for crop in _crops(self._input, features)])

    def _quantised(self, in_float, features):
        from onnxruntime import quantization

        nodes = [node for name, node in self._nodes.items() if name not in set(in_float)]
        if not nodes:
            return self.original
        with tempfile.TemporaryDirectory() as folder, _without_advice():
            own, made = Path(folder, "network.onnx"), Path(folder, "quantised.onnx")
            own.write_bytes(self.original)
            try:
                quantization.quantize_static(
                    own,
                    made,
                    _reader(self._input, features),
                    quant_format=quantization.QuantFormat.QDQ,
                    nodes_to_quantize=nodes,
                    op_types_to_quantize=list(LAYERS),
                    per_channel=True,
                    activation_type=quantization.QuantType.QUInt8,
                    weight_type=quantization.QuantType.QInt8,
                    reduce_range=True,  # without VNNI the sums of full products overflow, see docs/int8.md
                )
            except Exception as error:  # its exceptions have no common base
                raise InputError(
                    f"ONNX Runtime cannot quantise this network: {str(error).strip().splitlines()[-1][:300]}; leave "
                    "onnxruntime-int8 out of precision and benchmark.engines"
                ) from error
            return made.read_bytes()


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Without the advice to prepare the model first, which comes with every call and is about unknown shapes."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def _crops(name: str, features: Features) -> Iterator[dict[str, Features]]:
    """One at a time: ten at once take twice the memory, and no less time."""
    return ({name: features[place : place + 1]} for place in range(len(features)))


def _reader(name: str, features: Features) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """One crop after another, then None."""

        def __init__(self) -> None:
            self._left = _crops(name, features)

        def get_next(self) -> dict[str, Features] | None:
            return next(self._left, None)

    return Reader()
