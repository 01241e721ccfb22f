"""What a failure on the way to the NPU means, and how to mend it.

The plug-ins document neither exception classes nor texts; what is matched here was read in the guides and READMEs of
those who use them (docs/npu.md), and the plug-in's own words are always shown.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from ..errors import InputError

LONGEST = 2000  # characters of the plug-in's own words; the last ones say most
CONFLICT = "torch_npu is installed beside it, and both disagree about streams: python -m pip uninstall torch_npu"
TORCH = {"torch_aie": "2.0.1 (of Python 3.9)", "mindietorch": "2.1.0 (of Python 3.10)"}
LOGS = (
    "the plug-in's log is below ~/ascend/log/ (mindie-torch/, torch_aie_log/ or aielog/); "
    "export TORCH_AIE_LOG_LEVEL=info to see more in it"
)


def _explained(plugin: str, step: str, error: Exception, remedy: str) -> InputError:
    """What failed, in the plug-in's words, and how to mend it."""
    conflict = f"; {CONFLICT}" if importlib.util.find_spec("torch_npu") else ""
    return InputError(f"{plugin}: {step} failed: {_words(error)[-LONGEST:]}\n  {remedy}{conflict}")


def _words(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def import_failed(plugin: str, error: Exception) -> InputError:
    """The plug-in, or torch before it, cannot be imported."""
    return _explained(plugin, "import", error, _import_remedy(plugin, error))


def _import_remedy(plugin: str, error: Exception) -> str:
    text = _words(error)
    if isinstance(error, ModuleNotFoundError):
        missing = error.name or plugin
        remedy = f"install the wheel {missing} that comes with CANN" if missing == plugin else f"install {missing}"
        return (
            f"{missing} is not installed in {sys.executable}; {remedy}, or name the interpreter that has it in "
            f"engines.{plugin}.python"
        )
    if "static TLS" in text:
        library = re.match(r"(\S+?):", text)
        return (
            f"a library found no room for its thread-local storage; put 'export LD_PRELOAD=$LD_PRELOAD:"
            f"{library.group(1) if library else 'LIBRARY'}' into a file and name it in engines.{plugin}.env_scripts"
        )
    if "undefined symbol" in text:
        return f"the wheel was built for another torch; {plugin} usually wants torch {TORCH[plugin]}"
    if "cannot open shared object file" in text:
        return (
            f"CANN's environment is not set, or its driver is missing; name its set_env.sh files in "
            f"engines.{plugin}.env_scripts"
        )
    return "see the message; `snakemake npu_doctor` shows the whole toolchain"


def device_failed(plugin: str, error: Exception, device: int | None) -> InputError:
    """A device cannot be chosen, or does not answer."""
    remedy = (
        f"device {device} is absent, busy or lost; `npu-smi info` lists the devices and who holds them, "
        f"engines.{plugin}.devices chooses"
    )
    return _explained(plugin, "set_device", error, remedy)


def compile_failed(plugin: str, error: Exception, soc: str) -> InputError:
    """The plug-in's compiler refuses the network, or the chip ``soc`` that it is told to compile for."""
    if re.search(r"\bsoc\b|soc_?version", _words(error), re.IGNORECASE):
        remedy = (
            f"soc_version {soc} is refused; `npu-smi info` shows the chip's name, and 'Ascend' before it is the SoC: "
            f"engines.{plugin}.soc_version"
        )
    else:
        remedy = (
            f"the network was not compiled for {soc}; {LOGS}. engines.{plugin}.torch_executed_ops leaves single "
            "operators to the CPU; require_full_compilation: true refuses a graph that ends in a tuple "
            "(network.outputs)"
        )
    return _explained(plugin, "compile", error, remedy)


def load_failed(plugin: str, error: Exception, path: Path) -> InputError:
    """A compiled network cannot be read from ``path``."""
    remedy = f"{path} was compiled by another version, or is damaged; delete {path.parent} and run again"
    return _explained(plugin, "load", error, remedy)


def forward_failed(plugin: str, error: Exception, device: str, shape: tuple[int, ...]) -> InputError:
    """A batch of a shape could not be computed on a device such as ``npu:0``."""
    text = _words(error)
    if "MIE08E000001" in text or "same number, shape and type" in text:
        remedy = (
            f"a batch {shape} is not what the artefact was compiled for; delete the artefact's folder (in the "
            "workflow below work/engines/) and run again"
        )
    else:
        remedy = (
            f"{device} failed while it computed: lost, reset or out of memory (`npu-smi info`); {LOGS}. The same "
            "command again computes only what is missing"
        )
    return _explained(plugin, "forward", error, remedy)
