"""Inference engines, one module each; ``docs/architecture.md`` tells how to add one.

A module ``asv.engines.NAME`` has, at its top level and without importing anything heavy:

``PACKAGES``: the distributions whose versions its artefacts and results depend on.
``PRECISIONS``: the precisions it offers; the first is what ``precision: auto`` means.
``compile_artefact(torchscript, folder, *, batch_size, shape, precision, options, device)``: compile for batches float32
``(batch_size, *shape)`` into the folder, which exists and is empty. Returns facts for the sidecar.
``load(folder, *, batch_size, shape, precision, threads, options, device)``: a session with ``run(batch)``, float32
``(batch_size, *shape)`` to the embeddings float32 ``(batch_size, 192)``; ``close()``, which gives back what it holds;
and ``facts``, a dictionary with at least ``precision`` (what really runs), ``precision_from`` (``engine`` if the engine
told, else ``request``) and ``threads``.

``shape`` is ``(mels, frames)``. ``device`` is the number of the device that the job holds (:mod:`asv.ascend.devices`),
None for an engine without devices. ``batch`` has always ``batch_size`` rows.

Optional: ``unsupported(precision)``, why this machine cannot run it (or None); ``option_faults(options)``, messages of
what is wrong with its options; ``load_in_flight(...)``, as ``load``, a session with ``run_all(batches)`` that keeps
``in_flight`` requests going at once, for throughput, and ``close()``; ``seconds`` of a session, the parts of its last
``run``: a dictionary of ``to_device``, ``compute``, ``from_device``; ``stand_in`` among the facts, where something else
ran in the engine's place; ``PLUGIN``, an :class:`asv.ascend.plugin.Plugin`, which makes it an engine with a toolchain
and devices (:mod:`asv.ascend.toolchain`).

The name of an engine and its precision, such as ``openvino-bf16``, stand in paths; :func:`parse` takes it apart.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from importlib import metadata
from pathlib import Path

from ..errors import InputError

FOLDER = Path(__file__).parent
REFERENCE = "torchscript-f32"  # what every other engine is compared with


@functools.cache
def names():
    """Names of the engines there are."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]))


def module(name):
    """The module of an engine."""
    if name not in names():
        raise InputError(f"engine: unknown engine {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def is_npu(name):
    """Whether an engine runs on an NPU, and so has a toolchain and devices."""
    return hasattr(module(name), "PLUGIN")


def source(name):
    """The file of an engine's module, for the digest of the code that a stage runs."""
    return FOLDER / f"{name}.py"


def label(name, precision="auto"):
    """``openvino``, ``auto`` to ``openvino-f32``."""
    offered = module(name).PRECISIONS
    if precision == "auto":
        precision = offered[0]
    if precision not in offered:
        raise InputError(f"precision: {name} has no {precision!r}; it offers {', '.join(offered)}")
    return f"{name}-{precision}"


def unsupported(text):
    """Why this machine cannot run ``openvino-bf16``, say; None if it can, or if the engine does not tell beforehand."""
    name, precision = parse(text)
    tell = getattr(module(name), "unsupported", None)
    return tell(precision) if tell else None


def option_faults(name, options):
    """What is wrong with an engine's options, as far as it tells before it is loaded: a list of messages."""
    tell = getattr(module(name), "option_faults", None)
    return list(tell(options)) if tell else []


def parse(text):
    """``openvino-bf16`` to ``("openvino", "bf16")``, checked."""
    name, _, precision = text.rpartition("-")
    label(name, precision)
    return name, precision


def versions(name):
    """Installed versions of the engine's packages, by distribution name; ``missing`` for those that are not there."""
    found = {}
    for package in module(name).PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found
