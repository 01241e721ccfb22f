"""The CPUs that this process may use: its affinity, and the CPU quota of its control groups (cgroups, version 1 and 2).

A quota is CPU time per wall time, in cores. A process that has used it up waits until the next period begins (100 ms as
a rule): it is throttled. Quotas are set on a group or on any group above it, and the smallest one counts. The layout is
documented in the kernel's admin-guide/cgroup-v2.rst (``cpu.max``, ``cpu.stat``), scheduler/sched-bwc.rst (version 1),
proc_pid_cgroup(5) and proc_pid_mountinfo(5).
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import time
from pathlib import Path, PurePosixPath

ROOT = Path("/")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "neon", "asimd", "bf16")  # that matter to inference


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, list[str]]:
    """Model, and which of :data:`FLAGS` it has, where the system tells."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in pairs}
    flags = facts.get("flags", facts.get("Features", "")).split()
    return facts.get("model name", platform.machine()), [flag for flag in FLAGS if flag in flags]


def allowed() -> int:
    """Number of CPUs that this process may be scheduled on."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


def usable(root: Path = ROOT) -> int:
    """Number of threads that this process can keep busy: its CPUs, but no more than its quota, rounded up."""
    limit = quota(root)
    return allowed() if limit is None else max(1, min(allowed(), math.ceil(limit)))


def quota(root: Path = ROOT) -> float | None:
    """The smallest CPU quota of this process's control groups, in cores; None without one, or without groups.

    Args:
        root: the folder that has ``proc`` and the mounted groups; another one in tests.
    """
    return min((limit for _, limit in _limited(root)), default=None)


class Throttling:
    """How much the CPU quota held this process up during the blocks ``with throttling:``, all of them together."""

    def __init__(self, root: Path = ROOT) -> None:
        self._folders = [folder for folder, _ in _limited(root)]
        self._start: tuple[float, list[tuple[int, float]]] | None = None  # time, and _throttled of each folder
        self.periods = 0  # of the quota's, in which the group was throttled
        self.waited = 0.0  # seconds, summed over CPUs
        self.seconds = 0.0  # of the blocks

    def __enter__(self) -> Throttling:
        self._start = time.monotonic(), [_throttled(folder) for folder in self._folders]
        return self

    def __exit__(self, *exception: object) -> None:
        then, before = self._start  # type: ignore[misc]  # it was entered
        after = [_throttled(folder) for folder in self._folders]
        self.seconds += time.monotonic() - then
        # Groups within each other have quotas of their own: what held the process up most is reported.
        grown = [(max(0, b[0] - a[0]), max(0.0, b[1] - a[1])) for a, b in zip(before, after)]
        self.periods += max((periods for periods, _ in grown), default=0)
        self.waited += max((waited for _, waited in grown), default=0.0)

    def share(self, threads: int) -> float | None:
        """Part of the time that each of some busy threads was held up, 0 to 1; None where there is no quota."""
        if not self._folders:
            return None
        return min(1.0, self.waited / (threads * self.seconds)) if self.seconds else 0.0


def _limited(root):
    """Folders of this process's groups that have a CPU quota, with the quota in cores."""
    found = ((folder, _limit(folder)) for folder in _groups(root))
    return [(folder, limit) for folder, limit in found if limit is not None]


def _read(path):
    """A small file of the kernel's, or nothing where it is not there or must not be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _limit(folder):
    """Quota of one group in cores, or None."""
    words = _read(folder / "cpu.max").split() or [
        *_read(folder / "cpu.cfs_quota_us").split(),
        *_read(folder / "cpu.cfs_period_us").split(),
    ]
    try:
        limit, period = map(int, words)
    except ValueError:  # "max", or no such file
        return None
    return limit / period if limit > 0 and period > 0 else None


def _throttled(folder):
    """Periods in which a group was throttled so far, and for how many seconds, summed over CPUs."""
    facts = dict(line.split() for line in _read(folder / "cpu.stat").splitlines() if len(line.split()) == 2)
    with contextlib.suppress(ValueError):
        seconds = int(facts.get("throttled_usec", 0)) / 1e6 + int(facts.get("throttled_time", 0)) / 1e9
        return int(facts.get("nr_throttled", 0)), seconds
    return 0, 0.0


def _groups(root):
    """Folders of the groups that may limit this process's CPU time: its own and those above it, as far as they show."""
    found = {}  # for its order
    for kind, place in _places(root):
        mounts = [(within, top) for of, within, top in _mounts(root) if of == kind]
        ours = [(top / place.relative_to(within), top) for within, top in mounts if _is_inside(place, within)]
        # In a container the place may be given as seen from outside, while the mount shows the container's own group.
        for folder, top in ours or [(top, top) for _, top in mounts]:
            chain = [folder, *folder.parents]
            found.update(dict.fromkeys(chain[: chain.index(top) + 1]))
    return [root / folder.relative_to("/") for folder in found]


def _is_inside(place, within):
    return ".." not in place.parts and (place == within or within in place.parents)


def _places(root):
    """This process's groups: pairs of the file system's type and the path within it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, place = [*line.split(":", 2), "", ""][:3]
        if place.startswith("/") and (number == "0" or "cpu" in controllers.split(",")):
            yield ("cgroup2" if number == "0" else "cgroup"), PurePosixPath(place)


def _mounts(root):
    """Mounted groups: the file system's type, which group the mount shows, and where."""
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, *_, options) = before.split(), after.split() or ["", ""]
        if kind == "cgroup2" or (kind == "cgroup" and "cpu" in options.split(",")):
            yield kind, *(PurePosixPath(_unescaped(field)) for field in fields[3:5])


def _unescaped(field):
    """Spaces and the like are written as octal numbers in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
