"""What the road through .om files has of its toolchain and what is missing, seen from inside it."""

from __future__ import annotations

import contextlib
import glob
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import atc, om_acl, om_explain, om_file, om_session, probe

PACKAGES = ("numpy", "aclruntime", "ais_bench")  # whose versions a result depends on
VARIABLES = ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "ASCEND_RT_VISIBLE_DEVICES", "TUNE_BANK_PATH")
# What atc imports into the python3 on the path while it compiles.
IMPORTED = ("decorator", "attr", "psutil", "scipy", "cloudpickle", "tornado", "sympy", "cffi", "google.protobuf")
# Printed by that python3: those that are missing, and NumPy's version.
MODULES = """
import importlib.util
missing = []
for name in {names!r}:
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    if found is None:
        missing.append(name)
try:
    import numpy
    if int(numpy.__version__.split('.')[0]) > 1:
        missing.append('numpy<2')
except ImportError:
    missing.append('numpy<2')
print(' '.join(missing))
"""
BANK = "TUNE_BANK_PATH is set; atc does not see it here: name the bank in engines.ascend_om.mdl_bank_path"
# What a wheel of ais_bench may offer, newer names first; its version is the same for all of them.
OFFERED = ("free_resource", "summary", "sumary", "reset_summaryinfo", "reset_sumaryinfo", "finalize")


def look(level: str, soc: str, devices: Sequence[int], backend: str) -> dict[str, Any]:
    """The answer of :func:`asv.ascend.toolchain.ask`: ``facts`` and ``problems``.

    Args:
        level: as there.
        soc: the chip that the configuration names, such as ``Ascend310P3``.
        devices: numbers of those that the configuration names.
        backend: ``auto``, or the interface to use.
    """
    facts: dict[str, Any] = {"interpreter": sys.executable, "versions": probe.versions(*PACKAGES), "warnings": []}
    problems: list[str] = []
    if level == "versions":
        return {"facts": facts, "problems": problems}
    facts["variables"] = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    problems += om_file.path_faults(Path.cwd())
    if level != "run":
        _look_at_compiler(facts, problems)
    if level != "compile":
        _look_at_devices(facts, problems, soc, devices, backend)
    return {"facts": facts, "problems": problems}


def _look_at_compiler(facts: dict[str, Any], problems: list[str]) -> None:
    status, said = atc.ask("--help")
    facts["atc"] = "runs" if status == 0 else om_explain.last_line(said)
    facts["stand_in"] = atc.stand_in(said)
    if status:
        problems.append(str(om_explain.atc_failed(status, said, "")))
    if missing := missing_modules():
        facts["warnings"].append(f"atc's python3 has no {', '.join(missing)}; {om_explain.MODULES}")
    if "TUNE_BANK_PATH" in os.environ:
        facts["warnings"].append(BANK)


def missing_modules() -> list[str]:
    """Modules that the python3 on the path lacks, and that atc may import while it compiles."""
    command = ["python3", "-c", MODULES.format(names=IMPORTED)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=atc.SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ["interpreter that answers"]
    return done.stdout.split()


def _look_at_devices(
    facts: dict[str, Any], problems: list[str], soc: str, devices: Sequence[int], backend: str
) -> None:
    facts["device_files"] = sorted(glob.glob("/dev/davinci[0-9]*"))
    facts["chips"] = probe.chips()
    problems += probe.other_chip("ascend_om", soc, facts["chips"])
    try:
        name, module = om_session.choose(backend)
    except InputError as error:
        problems.append(str(error))
        return
    facts["module"] = f"{name}: {getattr(module, '__file__', None)}"
    facts["stand_in"] = facts.get("stand_in") or getattr(getattr(module, "InferSession", module), "STAND_IN", None)
    if name == "ais_bench":
        _look_at_wheel(facts, problems, module)
    facts["devices"] = try_devices(devices, facts["warnings"], problems)
    if "failed" in facts["devices"].values() and not facts["device_files"]:
        problems.append(probe.NO_DRIVER)


def _look_at_wheel(facts: dict[str, Any], problems: list[str], module: Any) -> None:
    session, memory = module.InferSession, getattr(module, "MemorySummary", None)
    offered = [name for name in OFFERED if hasattr(session, name)]
    copies = [name for name in ("get_h2d_time_list", "get_H2D_time_list") if hasattr(memory, name)]
    facts["module"] += f" ({', '.join([*offered, *copies])})"
    if "finalize" not in offered:
        problems.append(
            "ascend_om: this ais_bench cannot give a device back (no finalize); build a newer wheel, or set "
            "engines.ascend_om.backend: acl"
        )
    if not copies or not {"summary", "sumary"} & set(offered):
        facts["warnings"].append("this ais_bench does not tell the parts of a batch's time; backend: acl does")


def try_devices(devices: Sequence[int], warnings: list[str], problems: list[str]) -> dict[int, str]:
    """Take memory of every device through pyACL, which CANN brings, whatever interface is used later.

    Returns:
        ``{device: "ok", "failed" or "not tried"}``; what failed is appended to ``problems``.
    """
    try:
        acl = om_acl.start()
    except Exception as error:
        warnings.append(f"the devices were not tried, for want of pyACL: {error}")
        return dict.fromkeys(devices, "not tried")
    found: dict[int, str] = {}
    held = om_acl.Resources()
    try:
        held.begin(acl)
        for device in devices:
            try:
                om_acl.try_device(acl, device)
                found[device] = "ok"
            except Exception as error:
                problems.append(f"device {device}: {om_explain.failed('load', error, Path())}")
                found[device] = "failed"
    except om_acl.AclError as error:
        problems.append(str(om_explain.failed("load", error, Path())))
        found = dict.fromkeys(devices, "failed")
    finally:
        with contextlib.suppress(om_acl.AclError):
            held.close()
    return found
