"""The network's file, and what goes with its kind: the script that makes it, and the reference of all comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import engines
from ..network import families

if TYPE_CHECKING:
    from .inputs import Config

NAMES = {"onnx": "network.onnx"}  # of the file, by family; else TorchScript
TORCHSCRIPT = "network.torchscript.pt"


def file_name(config: Config) -> str:
    """Name of the network's file; its suffix tells engines what it is."""
    return NAMES.get(config["network"]["family"], TORCHSCRIPT)


def suffix(config: Config) -> str:
    """``.onnx`` or ``.pt``."""
    return engines.ONNX if config["network"]["family"] == "onnx" else engines.TORCHSCRIPT


def script(config: Config) -> str:
    """Name of the script that makes it."""
    return "bring_network.py" if config["network"]["family"] in families.BROUGHT else "trace_network.py"


def reference(config: Config) -> str:
    """The engine and precision that others are compared with, such as ``torchscript-f32``."""
    return engines.reference(suffix(config))


def faults(config: Config) -> Iterator[str]:
    """What of engine and brought graphs does not go with the family; messages begin with a setting."""
    network = config["network"]
    if problem := engines.foreign(config["engine"], suffix(config)):
        yield f"engine: {problem}; set engine: openvino"
    if network["family"] not in families.BROUGHT:
        for name in ("input", "output", "layout"):
            if network[name] is not None:
                wanted = " or ".join(families.BROUGHT)
                yield f"network.{name}: is for a graph of your own (network.family: {wanted}); set it to null"
    elif network["outputs"] != ["embedding"]:
        yield "network.outputs: attention is modelzoo's alone; write [embedding], and see network.output"
    if network["family"] == "torchscript" and network["input"] is not None:
        yield "network.input: a TorchScript program has its features first; set it to null"


def warning(config: Config) -> str | None:
    """What a person must know before a run, or None."""
    if config["network"]["family"] != "torchscript":
        return None
    return (
        f"WARNING: network.family: torchscript executes the program {config['checkpoint']['archive']} on this machine: "
        "bring only what you trust"
    )
