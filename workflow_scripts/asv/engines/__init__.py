"""Inference engines, one module each and nothing else; :mod:`asv.engine_interface` is what each must have.

The name of an engine and its precision, such as ``openvino-bf16``, stand in paths; :func:`parse` takes it apart.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from ..engine_interface import Engine
from ..errors import InputError

FOLDER = Path(__file__).parent
TORCHSCRIPT, ONNX, OPENVINO = ".pt", ".onnx", ".xml"  # suffixes of the network's file, as it is or converted


@functools.cache
def names() -> list[str]:
    """Names of the engines there are."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]))


def module(name: str) -> Engine:
    """The module of an engine; :class:`InputError` where there is none of that name."""
    if name not in names():
        raise InputError(f"engine: unknown engine {name!r}; there are {', '.join(names())}")
    return cast(Engine, importlib.import_module(f"{__name__}.{name}"))


def is_npu(name: str) -> bool:
    """Whether an engine runs on an NPU, and so has a toolchain and devices."""
    return hasattr(module(name), "PLUGIN")


def reads(name: str, suffix: str) -> bool:
    """Whether an engine compiles networks in files of this suffix."""
    return suffix in getattr(module(name), "NETWORKS", (TORCHSCRIPT,))


def reference(suffix: str) -> str:
    """What every other engine is compared with: PyTorch, or OpenVINO where the network is an ONNX model; in float32."""
    return "openvino-f32" if suffix == ONNX else "torchscript-f32"


def needs_export(name: str, suffix: str) -> bool:
    """Whether an engine compiles the network as it is exported to ONNX, and not the file of this suffix itself.

    An NPU's does even where the network is ONNX: its toolchain has nothing that could read the names of a graph.
    """
    return reads(name, ONNX) and (is_npu(name) or not reads(name, suffix))


def needs_conversion(name: str, suffix: str) -> bool:
    """Whether an engine compiles a TorchScript network as it is converted to OpenVINO's model, for all batch sizes."""
    return suffix == TORCHSCRIPT and reads(name, OPENVINO)


def carries_outputs(name: str) -> bool:
    """Whether an artefact is compared when it is loaded, with outputs that it carries, and not when it is compiled."""
    return is_npu(name) and not compiles_on_device(name)


def compiles_on_device(name: str) -> bool:
    """Whether an engine's compiler needs one of its devices."""
    return bool(getattr(getattr(module(name), "PLUGIN", None), "compiles_on_device", False))


def is_quantised(text: str) -> bool:
    """Whether ``openvino-int8``, say, runs a network that was quantised for it."""
    name, precision = parse(text)
    return precision in getattr(module(name), "QUANTISED", ())


def foreign(name: str, suffix: str) -> str | None:
    """Why an engine can have the network of a file of this suffix neither as it is nor exported, or None."""
    if reads(name, suffix) or needs_export(name, suffix):
        return None
    return f"{name} reads TorchScript, and the network is an ONNX model (network.family: onnx)"


def source(name: str) -> Path:
    """The file of an engine's module, for the digest of the code that a stage runs."""
    return FOLDER / f"{name}.py"


def label(name: str, precision: str = "auto") -> str:
    """``openvino``, ``auto`` to ``openvino-f32``; :class:`InputError` where the engine lacks the precision."""
    offered = module(name).PRECISIONS
    if precision == "auto":
        precision = offered[0]
    if precision not in offered:
        raise InputError(f"precision: {name} has no {precision!r}; it offers {', '.join(offered)}")
    return f"{name}-{precision}"


def unsupported(text: str) -> str | None:
    """Why this machine cannot run ``openvino-bf16``, say; None if it can, or if the engine does not tell beforehand."""
    name, precision = parse(text)
    tell = getattr(module(name), "unsupported", None)
    return tell(precision) if tell else None


def option_faults(name: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with an engine's options, as far as it tells before it is loaded: a list of messages."""
    tell = getattr(module(name), "option_faults", None)
    return list(tell(options)) if tell else []


def parse(text: str) -> tuple[str, str]:
    """``openvino-bf16`` to ``("openvino", "bf16")``, checked."""
    name, _, precision = text.rpartition("-")
    if not name:
        offered = (f"{text}-{precision}" for precision in module(text).PRECISIONS)
        raise InputError(f"engine: {text!r} has no precision; write {' or '.join(offered)}")
    label(name, precision)
    return name, precision


def labels(text: str) -> list[str]:
    """An engine's name to labels of all its precisions, ``openvino-bf16`` to itself in a list; both checked."""
    if text in names():
        return [label(text, precision) for precision in module(text).PRECISIONS]
    return ["-".join(parse(text))]


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions of distributions, by name; ``missing`` for those that are not there."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def versions(name: str) -> dict[str, str]:
    """Installed versions of the packages that an engine depends on."""
    return installed(module(name).PACKAGES)
