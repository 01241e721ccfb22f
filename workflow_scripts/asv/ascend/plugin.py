"""Ascend NPUs through Huawei's plug-ins for PyTorch: ``torch_aie``, or ``mindietorch``, its later name.

Both have one interface (the guide "MindIE Torch", hiascend.com, versions 1.0.RC1 to 2.1.RC1), so here is one adapter
for both. What is not documented is done in the order that no script is known to fail with: torch first, the plug-in,
the device, then load or compile; inputs contiguous and on the device; a stream of one's own, synchronised before a
clock is read or a result is used; ``finalize`` last.

Only whole batches of the compiled shape may be run: the caller fills up the last one.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..engine_interface import CompileFacts, Job, SessionFacts
from . import explain

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Precision to the name of the plug-in's policy. FP16: the network computes in float16; inputs and outputs stay float32.
POLICIES = {"fp16": "FP16", "f32": "FP32"}
# Options that the plug-in's compiler takes as they are. All are given: its defaults changed between versions.
COMPILER_OPTIONS = (
    "soc_version",
    "optimization_level",
    "min_block_size",
    "torch_executed_ops",
    "truncate_long_and_double",
    "require_full_compilation",
    "allow_tensor_replace_int",
)
NETWORK = "ecapa_tdnn.torchscript.pt"  # the artefact where compilation waits for the load


def cann_version() -> str | None:
    """Version of CANN below the folder that its set_env.sh names, or None."""
    home = os.environ.get("ASCEND_TOOLKIT_HOME") or os.environ.get("ASCEND_HOME_PATH")
    name = "ascend_toolkit_install.info"  # below a folder of the architecture's name
    for path in sorted([*Path(home).glob(name), *Path(home).glob(f"*/{name}")]) if home else []:
        match = re.search(r"^version=(\S+)", path.read_text(errors="replace"), re.MULTILINE)
        if match:
            return match[1]
    return None


class _Identity(TypedDict, total=False):
    cann: str | None
    stand_in: str


class Plugin:
    """One of the plug-ins, as an engine; see :mod:`asv.engine_interface` for the contract.

    Args:
        name: of the module to import.
        **extra: keywords that only this plug-in's ``compile`` knows.
    """

    compiles_on_device = True

    def __init__(self, name: str, **extra: Any) -> None:
        self.name = name
        self._extra = extra

    def start(self, device: int | None) -> tuple[Any, Any]:
        """Import torch, then the plug-in, and choose the device of this process; returns both modules.

        Raises:
            InputError: with the remedy, where one of them or the device is not there.
        """
        try:
            import torch  # the plug-in registers itself into it

            plugin = importlib.import_module(self.name)
        except Exception as error:  # ImportError, OSError, or whatever a library raises while it loads
            raise explain.import_failed(self.name, error) from error
        try:
            plugin.set_device(device)
        except Exception as error:
            raise explain.device_failed(self.name, error, device) from error
        return torch, plugin

    def artefact(self, job: Job) -> str:
        """Name of the artefact's file: that of the original guide."""
        return NETWORK if job.options["compile_when_loaded"] else f"ecapa_tdnn_{self.name}_bs{job.batch_size}.pt"

    def compile_artefact(self, network: Path, folder: Path, job: Job) -> CompileFacts:
        path = folder / self.artefact(job)
        torch, plugin = self.start(job.device)
        if job.options["compile_when_loaded"]:
            shutil.copyfile(network, path)
        else:
            traced = torch.jit.load(str(network), map_location="cpu").eval()
            self._compile(plugin, traced, job).save(str(path))
        return {"artefact": path.name, **self._identity(plugin)}

    def load(self, folder: Path, job: Job) -> Session:
        torch, plugin = self.start(job.device)
        torch.set_num_threads(job.threads)
        path = folder / self.artefact(job)
        if job.options["compile_when_loaded"]:
            network = torch.jit.load(str(path), map_location="cpu").eval()
            network = self._compile(plugin, network, job)
        else:
            try:
                network = torch.jit.load(str(path))
            except Exception as error:
                raise explain.load_failed(self.name, error, path) from error
        facts: SessionFacts = {
            "precision": job.precision,
            "precision_from": "request",
            "threads": job.threads,
            **self._identity(plugin),
        }
        return Session(self.name, torch, plugin, network.eval(), job.device, facts)

    def _compile(self, plugin: Any, network: Any, job: Job) -> Any:
        keywords = {name: job.options[name] for name in COMPILER_OPTIONS}
        policy = getattr(plugin.PrecisionPolicy, POLICIES[job.precision])
        inputs = [plugin.Input(job.batch_shape)]
        try:
            return plugin.compile(network, inputs=inputs, precision_policy=policy, **keywords, **self._extra)
        except Exception as error:
            raise explain.compile_failed(self.name, error, job.options["soc_version"]) from error

    @staticmethod
    def _identity(plugin: Any) -> _Identity:
        """CANN's version; and what a stand-in says of itself, so that nothing made with it is taken for an NPU's."""
        stand_in = getattr(plugin, "STAND_IN", None)
        identity: _Identity = {"cann": cann_version()}
        if stand_in:
            identity["stand_in"] = stand_in
        return identity


class Session:
    """A network on a device; ``run`` leaves in ``seconds`` how long its three parts took."""

    def __init__(
        self, name: str, torch: Any, plugin: Any, network: Any, device: int | None, facts: SessionFacts
    ) -> None:
        self._name = name
        self._torch = torch
        self._plugin = plugin
        self._network = network
        self._device = f"npu:{device}"
        try:
            self._stream = plugin.npu.Stream(self._device)
        except Exception as error:
            raise explain.device_failed(name, error, device) from error
        self.facts = facts
        self.seconds: dict[str, float] = {}

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        started = time.perf_counter()
        try:
            on_device = self._torch.from_numpy(batch).contiguous().to(self._device)
            copied = time.perf_counter()
            with self._torch.no_grad(), self._plugin.npu.stream(self._stream):
                output = self._network.forward(on_device)
                self._stream.synchronize()
            computed = time.perf_counter()
            embeddings = _first(_to_host(self._torch, output))
        except Exception as error:
            raise explain.forward_failed(self._name, error, self._device, batch.shape) from error
        ended = time.perf_counter()
        self.seconds = {"to_device": copied - started, "compute": computed - copied, "from_device": ended - computed}
        return embeddings.numpy()

    def close(self) -> None:
        """Give the device back; nothing of this process may use it afterwards.

        A lost device cannot be given back. That changes no result, and must not take the place of the error that tells
        of the loss, so it is printed.
        """
        self._network = self._stream = None
        try:
            self._plugin.finalize()
        except Exception as error:
            print(f"{self._name}: {self._device} was not given back: {error}", file=sys.stderr)


def _to_host(torch: Any, output: Any) -> Any:
    """Every tensor of a nested output on the CPU, in float32; of a graph compiled in part some are there already."""
    if torch.is_tensor(output):
        return output.to("cpu").float()
    if isinstance(output, dict):
        return {name: _to_host(torch, part) for name, part in output.items()}
    return [_to_host(torch, part) for part in output]


def _first(output: Any) -> Any:
    """The first tensor of a nested output: the embedding."""
    while isinstance(output, (list, dict)):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return output
