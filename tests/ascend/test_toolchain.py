"""The NPU engines' toolchain: what is said of an interpreter, a chip or a device that is not as it should be."""

import os
import stat
import sys
import tempfile

import pytest
from support.paths import STAND_IN
from support.scripts import run_script

from asv.ascend import devices, doctor, toolchain
from asv.ascend.plugin import cann_version
from asv.errors import InputError
from asv.snakefile.config import check


def settings(**changes):
    return {**check({})["engines"]["torch_aie"], **changes}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"python": "/nowhere/python"}, ["engines.torch_aie.python", "no program", "/nowhere/python"]),
        ({"env_scripts": ["/nowhere/set_env.sh"]}, ["engines.torch_aie.env_scripts", "/nowhere/set_env.sh"]),
    ],
)
def test_a_toolchain_that_is_not_there(changes, parts):
    [problem] = toolchain.ask("torch_aie", settings(**changes), "python", "devices")["problems"]
    for part in parts:
        assert part in problem


def program(folder, text):
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("echo no such library >&2; exit 3", ["ended with code 3", "no such library"]),
        ("kill -SEGV $$", ["ended with signal SIGSEGV"]),
        ("exit 0", ["ended with code 0", "no message"]),
    ],
)
def test_an_interpreter_that_dies_is_named(tmp_path, text, parts):
    chosen = settings(python=program(tmp_path, text))
    [problem] = toolchain.ask("torch_aie", chosen, "python", "devices")["problems"]
    for part in ("engines.torch_aie.python", *parts):
        assert part in problem
    with pytest.raises(InputError, match="npu_doctor"):
        toolchain.require("torch_aie", chosen, "python")


SMI = """\
| NPU     Name                  | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
| 8       310P3                 | OK              | NA           43                0     / 0             |
| 0       0                     | 0000:03:00.0    | 0            1624 / 21534                            |
"""


def test_another_chip_than_the_configured_one_is_named(tmp_path, monkeypatch):
    smi = tmp_path / "npu-smi"
    smi.write_text(f"#!/bin/sh\ncat <<'END'\n{SMI}END\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    answer = toolchain.ask("torch_aie", settings(), sys.executable, "devices")
    assert answer["facts"]["chips"] == ["310P3"]
    assert answer["problems"] == []
    [problem] = toolchain.ask("torch_aie", settings(soc_version="Ascend910B4"), sys.executable, "devices")["problems"]
    assert "`npu-smi info` shows 310P3; write Ascend310P3" in problem


def test_a_soc_is_checked_with_the_configuration():
    with pytest.raises(InputError, match=r"soc_version: '310P3' is not a SoC such as Ascend310P3.*npu-smi info"):
        check({"engines": {"torch_aie": {"soc_version": "310P3"}}})


def test_the_locks_are_not_in_a_jobs_own_temporary_folder(monkeypatch, tmp_path):
    """Else jobs of a cluster that sets TMPDIR for each would all take the first device."""
    before = devices.lock_path(0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert devices.lock_path(0) == before
    assert tmp_path not in before.parents


def test_a_device_is_held_by_one_job_at_a_time(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(devices, "lock_path", lambda device: tmp_path / str(device))
    monkeypatch.setattr(devices, "POLL", 0.01)
    with devices.hold([0, 1]) as first, devices.hold([0, 1]) as second:
        assert (first, second) == (0, 1)
        waited = []
        monkeypatch.setattr(devices.time, "sleep", lambda seconds: (waited.append(seconds), held.close()))
        held = devices.hold([2])
        held.__enter__()
        held.close = lambda: held.__exit__(None, None, None)
        with devices.hold([2]) as third:
            assert third == 2
        assert waited == [0.01]
        assert "waiting for one of the devices 2" in capsys.readouterr().out
    with devices.hold([0, 1]) as again:
        assert again == 0
    with devices.hold([]) as none:
        assert none is None


def test_a_device_is_the_chip_that_the_scheduler_lets_see(monkeypatch):
    assert devices.chip(1) == "1"
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "4, 6")
    assert [devices.chip(device) for device in (0, 1, 2)] == ["4", "6", "2"]


def test_the_version_of_cann(monkeypatch, tmp_path):
    assert cann_version() is None
    (tmp_path / "aarch64-linux").mkdir()
    (tmp_path / "aarch64-linux/ascend_toolkit_install.info").write_text("package_name=toolkit\nversion=7.0.0\n")
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(tmp_path))
    assert cann_version() == "7.0.0"


def test_the_probe_explains_itself():
    assert run_script("npu_probe.py", "--plugin", "torch_aie", "--level", "versions")[0] == 0


def test_the_doctors_picture_of_a_toolchain_that_did_not_answer():
    answer = {"facts": {}, "problems": ["torch_aie: no answer", "another"]}
    title, *rows = doctor.lines("torch_aie", settings(), "python", answer)
    assert title == "torch_aie: 2 problems"
    assert "  interpreter   python (Snakemake's own; engines.torch_aie.python chooses another)" in rows
    assert [row for row in rows if doctor.NOT_ANSWERED in row] == [
        f"  {name:<13} {doctor.NOT_ANSWERED}" for name in ("versions", "plug-in", "devices")
    ]
    assert rows[-2:] == ["  MISSING: torch_aie: no answer", "  MISSING: another"]


def test_the_doctors_picture_of_one_that_is_ready():
    facts = {
        "versions": {"torch": "2.0.1", "CANN": None},
        "chips": ["310P3"],
        "devices": {"0": "ok"},
        "warnings": ["w"],
    }
    facts |= {"interpreter": "/npu/python", "module": "/npu/torch_aie.py", "stand_in": "no NPU"}
    chosen = settings(python="/npu/python", env_scripts=["set_env.sh"])
    lines = list(doctor.lines("torch_aie", chosen, "python", {"facts": facts, "problems": []}))
    assert lines[0] == "torch_aie: ready"
    for line in (
        "  interpreter   /npu/python",
        "  environment   set_env.sh",
        "  versions      torch 2.0.1, CANN missing",
        "  npu-smi       1 chips: 310P3",
        "  devices       0 ok",
        "  SoC           Ascend310P3 (engines.torch_aie.soc_version)",
        "  STAND-IN: no NPU",
        "  WARNING: w",
    ):
        assert line in lines
    assert not any("MISSING" in line for line in lines)


def test_the_doctor_asks_each_toolchain_and_ends_with_1_where_something_is_missing(monkeypatch):
    answers = {"torch_aie": [], "mindietorch": ["no such wheel"]}
    monkeypatch.setattr(toolchain, "ask", lambda name, *_: {"facts": {}, "problems": answers[name]})
    assert [doctor.picture(name, settings(), "python")[1] for name in answers] == [True, False]
