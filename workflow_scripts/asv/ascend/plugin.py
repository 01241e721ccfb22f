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

from .explain import explain

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


def cann_version():
    """Version of CANN below the folder that its set_env.sh names, or None."""
    home = os.environ.get("ASCEND_TOOLKIT_HOME") or os.environ.get("ASCEND_HOME_PATH")
    name = "ascend_toolkit_install.info"  # below a folder of the architecture's name
    for path in sorted([*Path(home).glob(name), *Path(home).glob(f"*/{name}")]) if home else []:
        match = re.search(r"^version=(\S+)", path.read_text(errors="replace"), re.MULTILINE)
        if match:
            return match[1]
    return None


class Plugin:
    """One of the plug-ins, as an engine; see :mod:`asv.engines` for the interface.

    Args:
        name: of the module to import.
        **extra: keywords that only this plug-in's ``compile`` knows.
    """

    def __init__(self, name, **extra):
        self.name = name
        self._extra = extra

    def start(self, device):
        """Import torch, then the plug-in, and choose the device of this process; returns both modules.

        Raises:
            InputError: with the remedy, where one of them or the device is not there.
        """
        try:
            import torch  # the plug-in registers itself into it

            plugin = importlib.import_module(self.name)
        except Exception as error:  # ImportError, OSError, or whatever a library raises while it loads
            raise explain(self.name, "import", error) from error
        try:
            plugin.set_device(device)
        except Exception as error:
            raise explain(self.name, "set_device", error, device=device) from error
        return torch, plugin

    def artefact(self, batch_size, options):
        """Name of the artefact's file: the original's."""
        return NETWORK if options["compile_when_loaded"] else f"ecapa_tdnn_{self.name}_bs{batch_size}.pt"

    def compile_artefact(self, torchscript, folder, *, batch_size, shape, precision, options, device):
        path = folder / self.artefact(batch_size, options)
        torch, plugin = self.start(device)
        if options["compile_when_loaded"]:
            shutil.copyfile(torchscript, path)
        else:
            network = torch.jit.load(str(torchscript), map_location="cpu").eval()
            self._compile(plugin, network, (batch_size, *shape), precision, options).save(str(path))
        return {"artefact": path.name, **self._identity(plugin)}

    def load(self, folder, *, batch_size, shape, precision, threads, options, device):
        torch, plugin = self.start(device)
        torch.set_num_threads(threads)
        path = folder / self.artefact(batch_size, options)
        if options["compile_when_loaded"]:
            network = torch.jit.load(str(path), map_location="cpu").eval()
            network = self._compile(plugin, network, (batch_size, *shape), precision, options)
        else:
            try:
                network = torch.jit.load(str(path))
            except Exception as error:
                raise explain(self.name, "load", error, path=path) from error
        facts = {"precision": precision, "precision_from": "request", "threads": threads, **self._identity(plugin)}
        return Session(self.name, torch, plugin, network.eval(), device, facts)

    def _compile(self, plugin, network, shape, precision, options):
        keywords = {name: options[name] for name in COMPILER_OPTIONS}
        policy = getattr(plugin.PrecisionPolicy, POLICIES[precision])
        inputs = [plugin.Input(shape)]
        try:
            return plugin.compile(network, inputs=inputs, precision_policy=policy, **keywords, **self._extra)
        except Exception as error:
            raise explain(self.name, "compile", error, soc=options["soc_version"]) from error

    @staticmethod
    def _identity(plugin):
        """CANN's version; and what a stand-in says of itself, so that nothing made with it is taken for an NPU's."""
        stand_in = getattr(plugin, "STAND_IN", None)
        return {"cann": cann_version(), **({"stand_in": stand_in} if stand_in else {})}


class Session:
    """A network on a device; ``run`` leaves in ``seconds`` how long its three parts took."""

    def __init__(self, name, torch, plugin, network, device, facts):
        self._name = name
        self._torch = torch
        self._plugin = plugin
        self._network = network
        self._device = f"npu:{device}"
        try:
            self._stream = plugin.npu.Stream(self._device)
        except Exception as error:
            raise explain(name, "set_device", error, device=device) from error
        self.facts = facts
        self.seconds = {}

    def run(self, batch):
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
            raise explain(self._name, "forward", error, device=self._device, shape=batch.shape) from error
        ended = time.perf_counter()
        self.seconds = {"to_device": copied - started, "compute": computed - copied, "from_device": ended - computed}
        return embeddings.numpy()

    def close(self):
        """Give the device back; nothing of this process may use it afterwards.

        A lost device cannot be given back. That changes no result, and must not take the place of the error that tells
        of the loss, so it is printed.
        """
        self._network = self._stream = None
        try:
            self._plugin.finalize()
        except Exception as error:
            print(f"{self._name}: {self._device} was not given back: {error}", file=sys.stderr)


def _to_host(torch, output):
    """Every tensor of a nested output on the CPU, in float32; of a graph compiled in part some are there already."""
    if torch.is_tensor(output):
        return output.to("cpu").float()
    if isinstance(output, dict):
        return {name: _to_host(torch, part) for name, part in output.items()}
    return [_to_host(torch, part) for part in output]


def _first(output):
    """The first tensor of a nested output: the embedding."""
    while isinstance(output, (list, dict)):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return output
