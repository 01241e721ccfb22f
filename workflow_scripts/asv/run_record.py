"""Where, when and from which checkout something ran: kept apart from results, which two runs write alike."""

from __future__ import annotations

import datetime
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from . import cpus

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 10  # seconds for git, whose checkout may lie on a slow disk


class Machine(TypedDict):
    """A machine that jobs ran on."""

    host: str
    cpu: str
    cores: int  # that the process was allowed
    system: str


class Checkout(TypedDict):
    """Which version of the workflow ran; None where the folder is no checkout of git."""

    commit: str | None
    changed: bool | None  # whether files differ from the commit's


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def machine() -> Machine:
    """The machine that this process runs on."""
    return {
        "host": platform.node(),
        "cpu": cpus.processor()[0],
        "cores": cpus.allowed(),
        "system": platform.platform(terse=True),
    }


def _git(*words):
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), *words], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout.strip()


def checkout() -> Checkout:
    """The commit that the workflow is at."""
    try:
        top = Path(_git("rev-parse", "--show-toplevel")).resolve()
        if top != CHECKOUT:  # unpacked into another project's checkout
            return {"commit": None, "changed": None}
        return {"commit": _git("rev-parse", "HEAD"), "changed": bool(_git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "changed": None}


def of_answer(runs: Sequence[Mapping[str, Any]], sentence: str) -> dict[str, Any]:
    """What ``eer_bs<N>.run.json`` says: the machines and times of inference, the checkout, and a whole sentence.

    Args:
        runs: of infer.py, one per shard: a :class:`Machine`, ``began`` and ``ended``.
        sentence: what was measured, without a place and a date.
    """
    machines = []
    for run in runs:
        found = {name: run[name] for name in ("host", "cpu", "cores", "system")}
        if found not in machines:
            machines.append(found)
    began, ended, version = min(run["began"] for run in runs), max(run["ended"] for run in runs), checkout()
    where = ", ".join(f"{found['host']} ({found['cpu']}, {found['cores']} cores)" for found in machines)
    commit = version["commit"] and f"{version['commit'][:12]}{' with changes' if version['changed'] else ''}"
    return {
        "sentence": f"{sentence} Run on {where}, {ended[:10]}; workflow at {commit or 'an unknown commit'}.",
        "machines": machines,
        "inference_began": began,
        "inference_ended": ended,
        "answer_written": now(),
        "workflow": version,
    }
