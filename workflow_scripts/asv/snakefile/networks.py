"""The network's file, and what goes with its kind: the script that makes it, and the reference of all comparisons."""

from __future__ import annotations

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


def fault(config: Config) -> str | None:
    """What is wrong with the configured engine for this network, or None."""
    problem = engines.foreign(config["engine"], suffix(config))
    return problem and f"engine: {problem}; set engine: openvino"


def warning(config: Config) -> str | None:
    """What a person must know before a run, or None."""
    if config["network"]["family"] != "torchscript":
        return None
    return (
        f"WARNING: network.family: torchscript executes the program {config['checkpoint']['archive']} on this machine: "
        "bring only what you trust"
    )
