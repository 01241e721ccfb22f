"""CPU quotas: read from every layout of control groups, obeyed, and seen when they stop a measurement."""

import json
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.paths import SCRIPTS

from asv import cli, cpus
from asv.benchmark import table

V1 = "33 25 0:29 {shown} {at} rw,relatime shared:9 - cgroup cgroup rw,{controllers}"
V2 = "30 23 0:26 {shown} {at} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
FAST = "100000"


def machine(root, groups, mounts, files):
    """A fake machine: /proc/self/cgroup and mountinfo, and files of the groups by path; returns its root."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("".join(f"{line}\n" for line in groups))
    (root / "proc/self/mountinfo").write_text(
        "".join(f"{line}\n" for line in ["1 0 8:1 / / rw - ext4 /dev/x rw", *mounts])
    )
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def v1(at, quota, period=FAST):
    return {f"{at}/cpu.cfs_quota_us": f"{quota}\n", f"{at}/cpu.cfs_period_us": f"{period}\n"}


def v1_mount(shown="/", at="/sys/fs/cgroup/cpu,cpuacct", controllers="cpu,cpuacct"):
    return V1.format(shown=shown, at=at, controllers=controllers)


def v2_mount(shown="/", at="/sys/fs/cgroup"):
    return V2.format(shown=shown, at=at)


CPU, UNIFIED = "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup"
LAYOUTS = {
    "no groups at all": ([], [], {}, None),
    "version 2, none set": (["0::/a"], [v2_mount()], {f"{UNIFIED}/a/cpu.max": "max 100000\n"}, None),
    "version 2, own group": (["0::/a"], [v2_mount()], {f"{UNIFIED}/a/cpu.max": "50000 100000\n"}, 0.5),
    "version 2, a group above": (
        ["0::/a/b/c"],
        [v2_mount()],
        {f"{UNIFIED}/a/cpu.max": "150000 100000", f"{UNIFIED}/a/b/cpu.max": "max 100000"},
        1.5,
    ),
    "version 2, the least of nested ones": (
        ["0::/a/b"],
        [v2_mount()],
        {f"{UNIFIED}/a/cpu.max": "200000 100000", f"{UNIFIED}/a/b/cpu.max": "400000 100000"},
        2.0,
    ),
    "version 2, a sibling's does not count": (["0::/a"], [v2_mount()], {f"{UNIFIED}/b/cpu.max": "1000 100000"}, None),
    "version 2, a container with a namespace": (["0::/"], [v2_mount()], {f"{UNIFIED}/cpu.max": "20000 10000"}, 2.0),
    "version 2, a container that tells its place from outside": (
        ["0::/system.slice/docker-1.scope"],
        [v2_mount("/system.slice/docker-1.scope")],
        {f"{UNIFIED}/cpu.max": "50000 100000"},
        0.5,
    ),
    "version 2, a place outside the namespace": (
        ["0::/../other"],
        [v2_mount()],
        {f"{UNIFIED}/cpu.max": "50000 100000", "sys/fs/other/cpu.max": "1 100000"},
        0.5,
    ),
    "version 2, the place is not what the mount shows": (
        ["0::/kubepods/pod1/c1"],
        [v2_mount("/kubepods/pod2")],
        {f"{UNIFIED}/cpu.max": "70000 100000"},
        0.7,
    ),
    "version 2, a mount of a group above": (
        ["0::/slurm/job_1/step_0"],
        [v2_mount("/slurm", "/mnt/my\\040groups")],
        {"mnt/my groups/job_1/cpu.max": "300000 100000"},
        3.0,
    ),
    "version 1, own group": (["4:cpu,cpuacct:/a"], [v1_mount()], v1(f"{CPU}/a", 50000), 0.5),
    "version 1, none set": (["4:cpu,cpuacct:/a"], [v1_mount()], v1(f"{CPU}/a", -1), None),
    "version 1, a group above": (
        ["4:cpuacct,cpu:/a/b"],
        [v1_mount()],
        v1(f"{CPU}/a", 250000) | v1(f"{CPU}/a/b", -1),
        2.5,
    ),
    "version 1, docker without a namespace": (
        ["4:cpu,cpuacct:/docker/1", "0::/system.slice/containerd.service"],
        [v1_mount("/docker/1"), v2_mount(at="/sys/fs/cgroup/unified")],
        v1(CPU, 60000),
        0.6,
    ),
    "version 1, another controller's is not the CPU's": (
        ["5:memory:/a", "4:cpuset:/a"],
        [v1_mount(at="/sys/fs/cgroup/cpuset", controllers="cpuset")],
        v1("sys/fs/cgroup/cpuset/a", 10000),
        None,
    ),
    "both versions, the least counts": (
        ["4:cpu:/a", "0::/a"],
        [v1_mount(controllers="cpu"), v2_mount(at="/sys/fs/cgroup/unified")],
        {**v1(f"{CPU}/a", 300000), f"{UNIFIED}/unified/a/cpu.max": "200000 100000"},
        2.0,
    ),
    "damaged files": (
        ["0::/a", "nonsense", "", "7:cpu"],
        [v2_mount(), "short", v1_mount()],
        {f"{UNIFIED}/a/cpu.max": "many few", f"{CPU}/cpu.cfs_quota_us": "", f"{CPU}/cpu.cfs_period_us": "0"},
        None,
    ),
    "a period of nothing": (["0::/"], [v2_mount()], {f"{UNIFIED}/cpu.max": "5 0"}, None),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_quota_of_a_layout(tmp_path, layout):
    groups, mounts, files, wanted = LAYOUTS[layout]
    assert cpus.quota(machine(tmp_path, groups, mounts, files)) == wanted


@pytest.mark.parametrize(
    ("quota", "allowed", "threads"),
    [(None, 8, 8), (0.5, 8, 1), (1.0, 8, 1), (1.01, 8, 2), (2.5, 8, 3), (16.0, 8, 8), (0.001, 1, 1)],
)
def test_threads_exceed_neither_quota_nor_affinity(monkeypatch, quota, allowed, threads):
    monkeypatch.setattr(cpus, "quota", lambda root: quota)
    monkeypatch.setattr(cpus, "allowed", lambda: allowed)
    assert cpus.usable() == threads
    assert cli.usable_threads(1000) == threads
    assert cli.usable_threads(1) == 1


@pytest.mark.parametrize(("name", "unit"), [("throttled_usec", 10**6), ("throttled_time", 10**9)])
def test_throttling_is_what_grew_within_the_blocks(tmp_path, monkeypatch, name, unit):
    files = {f"{UNIFIED}/a/cpu.max": "50000 100000", f"{UNIFIED}/cpu.max": "max 100000"}
    root, now = machine(tmp_path, ["0::/a"], [v2_mount()], files), [100.0]
    monkeypatch.setattr(cpus.time, "monotonic", lambda: now[0])

    def told(periods, seconds):
        text = f"nr_periods 999\nnr_throttled {periods}\n{name} {round(seconds * unit)}\nnr_bursts 0\n"
        (root / UNIFIED / "a/cpu.stat").write_text(text)

    told(5, 3.0)
    throttling = cpus.Throttling(root)
    assert throttling.share(2) == 0
    for before, after in (((5, 3.0), (7, 3.5)), ((20, 9.0), (21, 9.5))):
        told(*before)  # what grows between blocks does not count
        with throttling:
            now[0] += 2
            told(*after)
    assert throttling.periods == 3
    assert throttling.share(1) == pytest.approx(1 / 4)
    assert throttling.share(2) == pytest.approx(1 / 8)
    with throttling:
        told(1000, 500.0)
    assert throttling.share(1) == 1


def test_without_a_quota_nothing_is_throttled(tmp_path):
    throttling = cpus.Throttling(machine(tmp_path, ["0::/"], [v2_mount()], {f"{UNIFIED}/cpu.stat": "nr_throttled 4\n"}))
    with throttling:
        pass
    assert (throttling.periods, throttling.share(1)) == (0, None)


def test_a_throttled_row_says_so():
    row = table.unsupported_row("openvino-f32", 4, "x") | {"faults": []}
    assert table.throttled(row) is None
    row |= {"cpu_quota": 0.5, "throttled_share": 0.4871, "throttled_periods": 0}
    assert table.throttled(row) is None
    row["throttled_periods"] = 9
    remark = "throttled 48.7% of the time by a CPU quota of 0.5 cores"
    assert table.printed(row)[-1].endswith(remark)
    assert remark in table.tsv_cells(row)


# A real group


@contextmanager
def real_group(quota, period=100_000):
    """A control group with a CPU quota, as its ``cgroup.procs``; skips where none can be made."""
    name = f"asv-test-{uuid.uuid4().hex[:8]}"
    for parent, files in (
        (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota}),
        (Path("/sys/fs/cgroup"), {"cpu.max": f"{quota} {period}"}),
    ):
        group = parent / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for file, value in files.items():
                (group / file).write_text(str(value))
            if parent.name == "cpu" or (group / "cpu.max").is_file():
                yield group / "cgroup.procs"
                return
        except OSError:
            continue
        finally:
            group.rmdir()
    pytest.skip("no control group can be made here: root and a writable cgroup with the CPU controller are needed")


BUSY = """
import json, os, sys, time
from pathlib import Path
Path(sys.argv[1]).write_text(str(os.getpid()))
from asv import cli, cpus
throttling = cpus.Throttling()
with throttling:
    ended = time.monotonic() + 1
    while time.monotonic() < ended:
        pass
print(json.dumps([cpus.quota(), cli.usable_threads(99), throttling.periods, throttling.share(1)]))
"""


def test_a_real_quota():
    with real_group(30_000) as processes:
        done = subprocess.run(
            [sys.executable, "-c", BUSY, str(processes)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        )
    assert done.returncode == 0, done.stderr
    quota, threads, periods, share = json.loads(done.stdout)
    assert (quota, threads) == (0.3, 1)
    assert periods >= 3
    assert 0.3 < share <= 1
