"""Networks as OpenVINO's models: read from TorchScript, ONNX or its own files, and written to these."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import files, telemetry
from ..errors import InputError
from .openvino_split import split_convolutions

telemetry.off()

GRAPH = 4 << 20  # bytes: more than the graph of any of the networks takes as XML


def any_batch(network: Path, shape: tuple[int, int | None]) -> Any:
    """A network's model for batches of any size of rows of a shape, mels and frames (None: any number)."""
    return read(network, (None, *shape))


def read(network: Path, sizes: Iterable[int | None]) -> Any:
    """A network's model for batches of these sizes, None standing for any; see :mod:`asv.network.openvino_split`.

    Args:
        network: TorchScript (``.pt``), ONNX (``.onnx``), or OpenVINO's own file (``.xml``, its weights beside it).
        sizes: batch, mels and frames.

    Raises:
        InputError: where an ONNX graph takes no such batches.
    """
    import openvino

    shape = openvino.PartialShape([-1 if size is None else size for size in sizes])
    model = _of_torchscript(network, shape) if network.suffix == ".pt" else _of_model(network, shape)
    split_convolutions(model)
    return model


def _of_torchscript(network: Path, shape: Any) -> Any:
    import openvino
    import torch

    traced = torch.jit.load(str(network), map_location="cpu").eval()
    return openvino.convert_model(traced, input=[(shape, openvino.Type.f32)])


def _of_model(network: Path, shape: Any) -> Any:
    import openvino

    model = openvino.Core().read_model(str(network))
    made_for = model.input(0).get_partial_shape()
    if made_for[2].is_static and made_for[2] != shape[2]:
        raise InputError(
            f"features.frames (or accuracy_by_length.frames): the graph takes {made_for[2]} frames alone, and "
            f"{'whole utterances are' if shape[2].is_dynamic else f'{shape[2]} are'} asked for; set {made_for[2]}, or "
            "export it with a dynamic axis for frames"
        )
    if not made_for.compatible(shape):
        raise InputError(
            f"{network}: the graph takes batches of the shape {made_for} alone, and {shape} is asked for (batch, mels, "
            "frames); ask for results/eer_bsN.txt of that batch size, or export it with dynamic axes"
        )
    model.reshape(shape)
    return model


def save(model: Any, path: Path) -> None:
    """Write a model to a file ``.xml``, and its weights, as they are, beside it to one that ends in ``.bin``.

    Raises:
        OSError: with the system's reason, such as a full disk.
        RuntimeError: where OpenVINO fails for another.
    """
    import openvino

    try:
        openvino.save_model(model, str(path), compress_to_fp16=False)
    except RuntimeError:
        # Of a full disk OpenVINO says "basic_ios::clear: iostream error", and removes what it has written.
        weights = sum(node.get_byte_size() for node in model.get_ops() if node.get_type_name() == "Constant")
        files.try_to_write(path, weights + GRAPH)
        raise


def write(model: Any, path: Path, weights: Path) -> None:
    """Write a model and its weights to files of the same name, ``.xml`` and ``.bin``, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.absolute().parent) as place:
        written = Path(place, path.name)
        save(model, written)
        for source, target in ((written, path), (written.with_suffix(".bin"), weights)):
            with files.atomic_file(target) as temporary:
                os.replace(source, temporary)
