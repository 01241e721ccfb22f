"""The toolchain of an NPU engine: its interpreter, after its environment scripts were sourced.

It may be another Python than Snakemake's, so it is asked by running ``npu_probe.py`` in it. An engine's settings are
those of ``engines.<name>`` in config.yaml.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError

PROBE = Path(__file__).resolve().parents[2] / "npu_probe.py"
OLDEST = (3, 9)
# What the interpreter is given: its version is judged before anything is imported that an older one could not read.
START = f"""
import runpy, sys
if sys.version_info[:2] < {OLDEST}:
    sys.exit("Python %d.%d is too old, 3.9 to 3.12 are needed: name another" % sys.version_info[:2])
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SECONDS = 300  # that a probe may take: a plug-in loads hundreds of libraries


def check(name: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """What of an engine's toolchain is not there, of what can be seen without running it; messages."""
    python, place = settings["python"], f"engines.{name}"
    if python and os.sep in python and not os.access(python, os.X_OK):
        yield f"{place}.python: no program {python!r} (seen from {os.getcwd()})"
    for path in settings["env_scripts"]:
        if not os.access(path, os.R_OK):
            yield f"{place}.env_scripts: no file {path!r} (seen from {os.getcwd()}); CANN's are called set_env.sh"


def command(python: str, env_scripts: Iterable[str]) -> str:
    """Shell words (bash) that source the scripts and end in the interpreter.

    CANN's scripts read variables that are not set and end with any status, which Snakemake's strict mode would not
    forgive.
    """
    sourced = "".join(f". {shlex.quote(os.path.abspath(path))}; " for path in env_scripts)
    return (f"set +eu; {sourced}set -eu; " if sourced else "") + shlex.quote(python)


def ask(name: str, settings: Mapping[str, Any], python: str, level: str) -> dict[str, Any]:
    """What ``npu_probe.py`` tells of a toolchain: its ``facts`` and ``problems``.

    Args:
        name: of the engine.
        settings: of the engine.
        python: the interpreter, where the settings name none.
        level: ``versions``, quick; ``devices``, all that compiling and running need, every device included; or one of
            both alone, ``compile`` and ``run``, of an engine whose compiler needs no device.

    Returns:
        dict with ``facts`` (a dictionary) and ``problems`` (messages that name the remedy; empty if all is there).
    """
    if problems := list(check(name, settings)):
        return {"facts": {}, "problems": problems}
    devices = shlex.join(map(str, settings["devices"]))
    words = (
        f"{shlex.quote(str(PROBE))} --plugin {name} --level {level} --devices {devices} --soc {settings['soc_version']}"
        f" --backend {settings.get('backend', 'auto')}"
    )
    interpreter = settings["python"] or python
    line = f"{command(interpreter, settings['env_scripts'])} -c {shlex.quote(START)} {words}"
    try:
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {
            "facts": {},
            "problems": [f"{name}: no answer within {SECONDS} s; is a device hung? See `npu-smi info`"],
        }
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        end = f"signal {signal.Signals(-done.returncode).name}" if done.returncode < 0 else f"code {done.returncode}"
        problem = f"engines.{name}.python: {settings['python'] or python} ended with {end} when it was tried: {last}"
        return {"facts": {}, "problems": [problem]}


def require(name: str, settings: Mapping[str, Any], python: str, level: str = "devices") -> None:
    """Raise an :class:`InputError` that lists all that is missing for jobs; ``level`` as in :func:`ask`."""
    if problems := ask(name, settings, python, level)["problems"]:
        listing = "".join(f"\n  {problem}" for problem in problems)
        raise InputError(f"{name} cannot run here (`snakemake npu_doctor` shows the whole picture):{listing}")
