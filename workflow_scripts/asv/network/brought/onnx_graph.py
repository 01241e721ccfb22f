"""An ONNX file that a user brings, made into the workflow's network and tried with OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from . import onnx_choice, onnx_edit, onnx_model, onnx_norm, protobuf, sherpa, trial

if TYPE_CHECKING:
    from ...features.contract import Contract
    from .onnx_norm import Arrays
    from .trial import Array


@dataclass(frozen=True)
class Wanted:
    """Settings of a brought graph: ``network.input``, ``output`` and ``layout``, and ``features.frames``."""

    input: str | None = None
    output: str | int | None = None
    layout: str | None = None
    frames: int | None = 200


@dataclass(frozen=True)
class Brought:
    """The workflow's network: the content of its file, its first norm, and facts for the answer."""

    content: bytes
    norm: Arrays
    facts: dict[str, Any]


class Runner:
    """Runs an ONNX graph of float32 (batch, mels, frames) in float32, whatever the shape."""

    def __init__(self, content: bytes, source: object) -> None:
        import openvino

        self._core = openvino.Core()
        self._compiled: dict[tuple[int, ...], Any] = {}
        try:
            self._model = self._core.read_model(content, b"")
        except (RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"{source}: OpenVINO cannot read it: {trial.last_line(error)}") from error

    def __call__(self, batch: Array) -> Array:
        try:
            if batch.shape not in self._compiled:
                self._model.reshape(list(batch.shape))
                properties = {"INFERENCE_PRECISION_HINT": "f32"}
                self._compiled[batch.shape] = self._core.compile_model(self._model, "CPU", properties)
            return np.array(self._compiled[batch.shape]([batch])[0])
        except RuntimeError as error:
            raise trial.RefusedError(trial.last_line(error)) from error


def bring(path: Path, contract: Contract, whose: str, wanted: Wanted, source: object) -> Brought:
    """Read, check and edit an ONNX file, and try what comes out.

    Args:
        path: the file.
        contract: of its features.
        whose: what messages call the contract.
        wanted: the settings.
        source: what messages call the file.

    Raises:
        InputError: for whatever is wrong with the file, or does not fit contract or settings.
    """
    model = onnx_model.parse(path.read_bytes(), source)
    metadata = onnx_model.metadata_of(model)
    sherpa.check(metadata, contract, source, whose)
    choice = onnx_choice.choose(
        model, contract.n_mels, wanted_input=wanted.input, wanted_output=wanted.output, layout=wanted.layout
    )
    if choice.frames is not None and wanted.frames != choice.frames:
        raise InputError(
            f"features.frames: {wanted.frames or 'whole'}, and the input of {source} is {choice.features}: it takes "
            f"{choice.frames} frames alone; set features.frames: {choice.frames}, or export it with a dynamic axis"
        )
    content = onnx_edit.edited(model, choice, contract.n_mels, None, source)
    size, any_batch = _tried(content, choice, contract.n_mels, wanted.frames, source)
    if not any_batch:
        if choice.batch is None:
            raise InputError(
                f"{source}: the graph takes a batch of 1 alone, although its input says otherwise; export it with the "
                "axis of the batch dynamic"
            )
        content = onnx_edit.edited(model, choice, contract.n_mels, choice.batch, source)
    sherpa.check_embedding(metadata, size, source)
    weights = [protobuf.integers(protobuf.chosen(view, 1)) for view in model.weights.values() if _is_float(view)]
    facts = {
        "embedding": size,
        "parameters": sum(int(np.prod(shape, dtype=np.int64)) for shape in weights) or None,
        "graph_input": choice.features.name,
        "graph_output": choice.embedding.name,
        "layout": choice.layout,
        "batch": None if any_batch else choice.batch,
        "opset": model.opset,
        "gflop": None,
    }
    return Brought(content, onnx_norm.first_norm(model, choice), facts)


def _is_float(view: protobuf.Buffer) -> bool:
    return any(field.integer == onnx_model.FLOAT for field in protobuf.chosen(view, 2))


def _tried(
    content: bytes, choice: onnx_choice.Choice, mels: int, frames: int | None, source: object
) -> tuple[int, bool]:
    """Numbers of an embedding, and whether the graph takes any batch size."""
    run, fixed = Runner(content, source), choice.batch
    count = trial.check_frames(run, mels, frames, source, fixed or 1)
    return trial.check_embeddings(run, mels, count, source, fixed)
