"""What an NPU engine's toolchain has and what is missing, seen from inside it: by its own interpreter."""

from __future__ import annotations

import glob
import importlib.util
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from ..errors import InputError
from . import explain
from .plugin import Plugin, cann_version

VARIABLES = ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "MINDIE_TORCH_HOME", "ASCEND_RT_VISIBLE_DEVICES")
NO_DRIVER = (
    "there is no /dev/davinci*: the driver is not installed, or the container was started without it "
    "(--device=/dev/davinci0 and the like)"
)


def chips() -> list[str] | None:
    """Names of the chips in the order of ``npu-smi info``, such as ``310P3``; None where it cannot be run."""
    try:
        done = subprocess.run(["npu-smi", "info"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A chip takes two rows; the first is "| <number> <name> | <health> | ...".
    return re.findall(r"^\|\s*\d+\s+(\d{3}[A-Z]\w*)\s*\|", done.stdout, re.MULTILINE)


def versions(*packages: str) -> dict[str, str | None]:
    """Of Python, of packages that a result on the NPU depends on, and of CANN; None of what is not there."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    found["CANN"] = cann_version()
    return found


def look(adapter: Plugin, level: str, soc: str, devices: Sequence[int]) -> dict[str, Any]:
    """The answer of :func:`asv.ascend.toolchain.ask`: ``facts`` and ``problems``.

    Args:
        adapter: of the engine.
        level: ``versions``, or ``devices``, which loads the plug-in and tries every device.
        soc: the chip that the configuration names, such as ``Ascend310P3``.
        devices: numbers of those that the configuration names.
    """
    facts: dict[str, Any] = {
        "interpreter": sys.executable,
        "versions": versions(adapter.name, "torch", "numpy", "torch_npu"),
    }
    problems: list[str] = []
    if level == "devices":
        facts["variables"] = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        facts["device_files"] = sorted(glob.glob("/dev/davinci[0-9]*"))
        facts["chips"] = chips()
        problems += other_chip(adapter.name, soc, facts["chips"])
        facts["warnings"] = [explain.CONFLICT] if importlib.util.find_spec("torch_npu") else []
        facts["devices"] = try_devices(adapter, devices, problems)
        if "failed" in facts["devices"].values() and not facts["device_files"]:
            problems.append(NO_DRIVER)
        module = sys.modules.get(adapter.name)
        facts["module"] = getattr(module, "__file__", None)
        facts["stand_in"] = getattr(module, "STAND_IN", None)
    return {"facts": facts, "problems": problems}


def other_chip(plugin: str, soc: str, found: list[str] | None) -> list[str]:
    """The problem of chips that are not the configured one, if there is any."""
    if not found or soc.replace("Ascend", "", 1) in found:
        return []
    return [
        f"engines.{plugin}.soc_version: {soc} is configured, but `npu-smi info` shows "
        f"{', '.join(sorted(set(found)))}; write Ascend{found[0]}"
    ]


def try_devices(adapter: Plugin, devices: Sequence[int], problems: list[str]) -> dict[int, str]:
    """Load the plug-in and copy a number to every device and back.

    Returns:
        ``{device: "ok" or "failed"}``; what failed is appended to ``problems``. Devices after a plug-in that cannot be
        loaded at all are not tried.
    """
    found: dict[int, str] = {}
    for device in devices:
        try:
            torch, module = adapter.start(device)
        except InputError as error:
            problems.append(str(error))
            found[device] = "failed"
            if adapter.name not in sys.modules:  # it cannot be loaded at all
                break
            continue
        try:
            there_and_back = torch.ones(1).to(f"npu:{device}").to("cpu")
            if float(there_and_back) != 1:
                raise RuntimeError(f"1 came back as {float(there_and_back)}")
            found[device] = "ok"
        except Exception as error:
            problems.append(str(explain.device_failed(adapter.name, error, device)))
            found[device] = "failed"
    if "ok" in found.values():
        module.finalize()
    return found
