"""The road through .om files with its stand-ins: their environment, a network for them, and graphs that are not it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import onnx
import torch
from support.paths import REPO, STAND_IN

from asv.ascend import atc
from asv.engine_interface import Job
from asv.network import onnx_export
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EmbeddingOnly

SHAPE, BATCH = (80, 200), 4
MODULES = ("acl", "aclruntime", "ais_bench", "om_stand_in")


def set_environment(monkeypatch, **settings: str) -> None:
    """The stand-ins in the tools' place, freshly imported: they read some of their settings when they are loaded."""
    import os
    import sys

    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setenv("PATH", f"{STAND_IN / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(STAND_IN / "toolkit"))
    for name, value in settings.items():
        monkeypatch.setenv(f"STAND_IN_{name}", value)
    for name in [name for name in sys.modules if name.split(".")[0] in MODULES]:
        monkeypatch.delitem(sys.modules, name)


def write_demo(folder: Path) -> None:
    """The demo's network as ``network.pt`` and ``network.onnx``: an untrained one hardly hears what a mutation does."""
    with zipfile.ZipFile(REPO / "demo" / "checkpoint.zip") as archive:
        (member,) = [name for name in archive.namelist() if name.endswith(".pt")]
        (folder / "checkpoint.pt").write_bytes(archive.read(member))
    network, _ = load_network(folder / "checkpoint.pt", "modelzoo")
    with torch.no_grad():
        torch.jit.trace(EmbeddingOnly(network), torch.zeros(1, *SHAPE)).save(str(folder / "network.pt"))
    model = onnx_export.exported(folder / "network.pt", *SHAPE, 192, 13)
    (folder / "network.onnx").write_bytes(onnx_export.finished(model, {}))


def words(network: Path, place: Path, **changes: str | None) -> list[str]:
    """A command line of atc: the usual one with changes; None leaves an option out."""
    usual = {
        "framework": "5",
        "model": str(network),
        "output": str(place),
        "input_format": "ND",
        "input_shape": f"{atc.INPUT}:{BATCH},80,200",
        "soc_version": "Ascend310P3",
        "precision_mode_v2": "fp16",
        "log": "error",
    }
    return [f"--{name}={value}" for name, value in {**usual, **changes}.items() if value is not None]


def job(precision: str = "fp16", device: int = 0, batch: int = BATCH, **options: object) -> Job:
    return Job(batch, SHAPE, precision, options={**atc.DEFAULTS, "backend": "auto", **options}, device=device)


def without_dilations(model: onnx.ModelProto) -> None:
    """Every convolution's dilation is 1, and its padding what keeps the length: what a public conversion does."""
    for node in model.graph.node:
        numbers = {attribute.name: attribute.ints for attribute in node.attribute}
        if node.op_type == "Conv" and (dilation := numbers["dilations"][0]) > 1:
            numbers["pads"][:] = [pad // dilation for pad in numbers["pads"]]
            numbers["dilations"][:] = [1]


def with_padded_last(model: onnx.ModelProto) -> None:
    """The convolution of one frame after the blocks is padded by a frame on either side: the same one's other habit."""
    (node,) = [node for node in model.graph.node if node.op_type == "Conv" and "conv1d_out" in node.name]
    (pads,) = [attribute for attribute in node.attribute if attribute.name == "pads"]
    pads.ints[:] = [1, 1]


def written(network: Path, path: Path, change) -> Path:
    """A changed copy of an ONNX file."""
    model = onnx.load(network)
    change(model)
    onnx.save(model, path)
    return path
