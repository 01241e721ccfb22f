"""The network as one ONNX file that says what it wants: features of which contract, from which checkpoint.

The file takes ``mel``, float32 ``(batch, mels, frames)``, and gives ``embedding``, float32 ``(batch, d)``, for any
batch size; frames are those of a crop, or any number for whole utterances. Its metadata hold the contract of the
features (:class:`asv.features.contract.Contract`), so that it can be brought back as ``network.family: onnx`` without
another file.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import InputError
from ..features.contract import Contract
from . import families
from .brought import own_contract

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx

    Array = npt.NDArray[np.float32]

INPUT, OUTPUT = "mel", "embedding"
BATCH, FRAMES = "batch", "frames"  # names of dynamic axes
BATCHES = (1, 3, 8)  # batch sizes of the comparison
LENGTHS = (150, 333)  # frames of it where any number may come
TOLERANCE = 1e-5  # in float32, of the largest value where it is above 1


def metadata(network: Mapping[str, Any], contract: Contract) -> dict[str, str]:
    """What the file says of itself.

    Args:
        network: the sidecar of the network, ``network.json``.
        contract: of the features that it takes.
    """
    known = families.published(network["family"], network["checkpoint_sha256"])
    licence = known.licence if known else "not known; it is that of the checkpoint"
    return {
        own_contract.KEY: json.dumps(contract.to_mapping(), sort_keys=True),
        "family": network["family"],
        "embedding_size": str(network["embedding"]),
        "checkpoint_sha256": network["checkpoint_sha256"],
        "licence": licence,
        **({"training_set": network["training_set"]} if network["training_set"] else {}),
    }


def exported(path: Path, n_mels: int, frames: int | None, size: int, opset: int) -> onnx.ModelProto:
    """A TorchScript network as an ONNX model with the names and axes of this module; without metadata.

    Args:
        path: TorchScript; of several outputs the first is the embedding.
        n_mels: bands.
        frames: of a crop; None: any number.
        size: numbers of an embedding.
        opset: of ONNX.

    Raises:
        InputError: the graph has operations that this opset, or the exporter, lacks.
    """
    import onnx
    import torch

    class Embedding(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, mel: torch.Tensor) -> torch.Tensor:
            output = self.network(mel)
            while not torch.is_tensor(output):
                output = output[0]
            return output

    axes = {0: BATCH} if frames is not None else {0: BATCH, 2: FRAMES}
    example, content = torch.zeros(1, n_mels, frames or LENGTHS[0]), io.BytesIO()
    network = torch.jit.load(str(path), map_location="cpu").eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that takes TorchScript is deprecated, and says so three times
        traced = torch.jit.trace(Embedding(network).eval(), example, check_trace=False)
        try:
            torch.onnx.export(
                traced,
                (example,),
                cast(Any, content),  # a stream will do, whatever its types say
                dynamo=False,
                opset_version=opset,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: axes, OUTPUT: {0: BATCH}},
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
            said = str(error).strip().splitlines()[0][:300]
            raise InputError(
                f"onnx.opset: {opset}: the network cannot be exported: {said}; set another opset (13 and 17 were tried "
                "with every family), or choose an engine that reads TorchScript"
            ) from error
    model = onnx.load_from_string(content.getvalue())
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = size
    return model


def renamed(path: Path) -> onnx.ModelProto:
    """An ONNX network with the names of this module; all else is left, but for its metadata, which spoke of another."""
    import onnx

    model = onnx.load(str(path))
    for old, new in ((model.graph.input[0].name, INPUT), (model.graph.output[0].name, OUTPUT)):
        if old != new:
            _rename(model.graph, new, f"{new}_of_the_graph")
            _rename(model.graph, old, new)
    del model.metadata_props[:]
    return model


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Rename a value wherever it is made or used, in graphs within the graph, too."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                _rename(inner, old, new)
    for value in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        if value.name == old:
            value.name = new


def finished(model: onnx.ModelProto, words: Mapping[str, str]) -> bytes:
    """The file of a model, with metadata, after ONNX's own checker has passed it; InputError where it does not."""
    import onnx

    onnx.helper.set_model_props(model, dict(words))
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise InputError(f"the exported network is no valid ONNX model: {error}; not written") from error
    return model.SerializeToString(deterministic=True)


def check(content: bytes, reference: Callable[[Array], Array], n_mels: int, frames: int | None) -> float:
    """Compare a file, run by ONNX Runtime in float32, with the network that it was made of, on seeded noise.

    A cosine would not do: with the dilations lost it is still 0.9996 at C = 512.

    Args:
        content: the file.
        reference: the network: float32 ``(batch, mels, frames)`` to ``(batch, d)``.
        n_mels, frames: as for :func:`exported`.

    Returns:
        The largest difference, of the largest value where that is above 1.

    Raises:
        InputError: it exceeds TOLERANCE, or is not a number; or ONNX Runtime refuses the file.
    """
    run, fixed = runner(content)
    draw, worst = np.random.default_rng(0), 0.0
    for batch in [fixed] if fixed else BATCHES:
        for length in [frames] if frames is not None else LENGTHS:
            mel = draw.standard_normal((batch, n_mels, length), np.float32)
            expected = reference(mel)
            difference = np.abs(run(mel) - expected).max() / max(1.0, np.abs(expected).max())
            worst = np.maximum(worst, difference)  # of NaN, NaN
    if not worst <= TOLERANCE:  # catches NaN, too
        raise InputError(
            f"the exported network differs from the traced one by {worst:g} (at most {TOLERANCE:g}); not written"
        )
    return float(worst)


def runner(model: bytes | Path) -> tuple[Callable[[Array], Array], int | None]:
    """A function that runs a model of one input, and the batch size that it takes alone, if there is one."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions have no common base
        raise InputError(f"ONNX Runtime refuses the network: {str(error).strip().splitlines()[0][:300]}") from error
    taken = session.get_inputs()[0]
    fixed = taken.shape[0] if isinstance(taken.shape[0], int) else None
    return lambda mel: session.run(None, {taken.name: mel})[0], fixed
