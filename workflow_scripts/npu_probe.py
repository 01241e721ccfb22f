"""Tell what an NPU engine's toolchain has and what is missing, from inside it; one line of JSON.

Run by the toolchain's own interpreter, after its environment scripts; npu_doctor.py prints the answer for people.
"""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from importlib import metadata

from asv import cli, engines
from asv.ascend import explain
from asv.ascend.plugin import cann_version
from asv.errors import InputError

VARIABLES = ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "MINDIE_TORCH_HOME", "ASCEND_RT_VISIBLE_DEVICES")


def chips():
    """Names of the chips in the order of ``npu-smi info``, such as ``310P3``; None where it cannot be run."""
    try:
        done = subprocess.run(["npu-smi", "info"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A chip takes two rows; the first is "| <number> <name> | <health> | ...".
    return re.findall(r"^\|\s*\d+\s+(\d{3}[A-Z]\w*)\s*\|", done.stdout, re.MULTILINE)


def versions(plugin):
    """Of all that a result on the NPU depends on."""
    found = {"python": platform.python_version()}
    for package in (plugin, "torch", "numpy", "torch_npu"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    found["CANN"] = cann_version()
    return found


def try_devices(plugin, wanted, problems):
    """Load the plug-in and copy a number to every device and back; returns ``{device: "ok" or "failed"}``."""
    adapter, found = engines.module(plugin).PLUGIN, {}
    for device in wanted:
        try:
            torch, module = adapter.start(device)
        except InputError as error:
            problems.append(str(error))
            found[device] = "failed"
            if plugin not in sys.modules:  # it cannot be loaded at all
                break
            continue
        try:
            there_and_back = torch.ones(1).to(f"npu:{device}").to("cpu")
            if float(there_and_back) != 1:
                raise RuntimeError(f"1 came back as {float(there_and_back)}")
            found[device] = "ok"
        except Exception as error:
            problems.append(str(explain.device_failed(plugin, error, device)))
            found[device] = "failed"
    if "ok" in found.values():
        module.finalize()
    return found


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--plugin", required=True, help="torch_aie or mindietorch")
    parser.add_argument("--level", choices=("versions", "devices"), default="devices", help="how far to go")
    parser.add_argument("--soc", default="Ascend310P3", help="the chip that the configuration names")
    cli.add_devices(parser)
    options = parser.parse_args()
    facts = {"interpreter": sys.executable, "versions": versions(options.plugin)}
    problems = []
    if options.level == "devices":
        facts["variables"] = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        facts["device_files"] = sorted(glob.glob("/dev/davinci[0-9]*"))
        facts["chips"] = chips()
        if facts["chips"] and options.soc.replace("Ascend", "", 1) not in facts["chips"]:
            problems.append(
                f"engines.{options.plugin}.soc_version: {options.soc} is configured, but `npu-smi info` shows "
                f"{', '.join(sorted(set(facts['chips'])))}; write Ascend{facts['chips'][0]}"
            )
        facts["warnings"] = [explain.CONFLICT] if importlib.util.find_spec("torch_npu") else []
        facts["devices"] = try_devices(options.plugin, options.devices, problems)
        if "failed" in facts["devices"].values() and not facts["device_files"]:
            problems.append(
                "there is no /dev/davinci*: the driver is not installed, or the container was started without it "
                "(--device=/dev/davinci0 and the like)"
            )
        module = sys.modules.get(options.plugin)
        facts["module"] = getattr(module, "__file__", None)
        facts["stand_in"] = getattr(module, "STAND_IN", None)
    print(json.dumps({"facts": facts, "problems": problems}))


if __name__ == "__main__":
    cli.run(main)
