"""The toolchain of the road through .om files, as its probe, the doctor and the start of a run see it."""

import importlib
import sys

import pytest
from support import om
from support.paths import STAND_IN

from asv.ascend import doctor, om_probe, toolchain
from asv.errors import InputError
from asv.snakefile import npus
from asv.snakefile.config import check


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """A function that sets up the stand-ins with faults, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda faults="", **settings: om.set_environment(monkeypatch, FAULTS=faults, **settings)


def look(level="devices", devices=(0,), backend="auto"):
    return om_probe.look(level, "Ascend310P3", devices, backend)


def settings(**changes):
    return {**check({})["engines"]["ascend_om"], **changes}


def test_the_probe_tells_what_there_is(stand_in):
    stand_in()
    answer = look(devices=[7, 0, 1])
    facts = answer["facts"]
    assert facts["versions"]["CANN"] == "8.0.0+standin"
    assert facts["versions"]["aclruntime"] == "0.0.2+standin"
    assert facts["atc"] == "runs"
    assert facts["module"].startswith("ais_bench: ")
    assert "free_resource, summary" in facts["module"]
    assert facts["devices"] == {7: "failed", 0: "ok", 1: "ok"}
    assert "no NPU" in facts["stand_in"]
    assert "device 7: ascend_om: load failed" in answer["problems"][0]
    assert sys.modules["om_stand_in.device"].STATE.leaks == []


@pytest.mark.parametrize(
    ("level", "faults", "found"),
    [
        ("compile", "no-driver", "devlib"),
        ("compile", "no-acl,no-ais-bench,device-absent", None),
        ("run", "no-driver", None),
        ("run", "no-acl,no-ais-bench", "acl is not installed"),
        ("run", "device-busy", "who holds them"),
        ("run", "devlib", "take devlib out"),
        ("versions", "no-driver,no-acl,no-ais-bench", None),
    ],
)
def test_compiling_and_running_want_their_own(stand_in, level, faults, found):
    stand_in(faults)
    problems = look(level)["problems"]
    assert (found in problems[0]) if found else problems == []


@pytest.mark.parametrize(
    ("engine", "stages", "level"),
    [
        ("ascend_om", {"compile_engine"}, "compile"),
        ("ascend_om", {"infer", "benchmark_engine"}, "run"),
        ("ascend_om", {"compile_engine", "infer"}, "devices"),
        ("torch_aie", {"compile_engine"}, "devices"),
        ("torch_aie", {"infer"}, "devices"),
    ],
)
def test_what_a_run_needs_follows_from_its_jobs(monkeypatch, engine, stages, level):
    asked = []
    monkeypatch.setattr(toolchain, "ask", lambda *arguments: asked.append(arguments) or {"problems": []})
    npus.require(check({}), {f"{engine}-fp16": stages, "openvino-f32": {"infer"}}, "python", False)
    assert [(name, how) for name, _, _, how in asked] == [(engine, level)]


def test_without_pyacl_the_devices_are_not_tried(stand_in):
    stand_in("no-acl")
    answer = look("run")
    assert answer["facts"]["devices"] == {0: "not tried"}
    assert answer["problems"] == []
    assert any("want of pyACL" in warning for warning in answer["facts"]["warnings"])


def test_wheels_are_judged_by_what_they_offer(stand_in, monkeypatch):
    stand_in(WHEEL="2023")
    interface = importlib.import_module("ais_bench.infer.interface")
    facts = look("run", backend="ais_bench")["facts"]
    assert "(sumary, reset_sumaryinfo, finalize, get_H2D_time_list)" in facts["module"]
    monkeypatch.delattr(interface, "MemorySummary")
    monkeypatch.delattr(interface.InferSession, "finalize")
    answer = look("run", [], "ais_bench")
    assert "cannot give a device back" in answer["problems"][0]
    assert any("does not tell the parts" in warning for warning in answer["facts"]["warnings"])


def test_the_folder_of_the_run_must_be_plain(stand_in, monkeypatch, tmp_path):
    stand_in()
    (tmp_path / "a b").mkdir()
    monkeypatch.chdir(tmp_path / "a b")
    (problem,) = look("compile")["problems"]
    assert "take no paths with ' '" in problem


def test_modules_and_a_bank_are_warned_of(stand_in, monkeypatch, tmp_path):
    stand_in()
    monkeypatch.setenv("TUNE_BANK_PATH", "/bank")
    program = tmp_path / "python3"
    program.write_text("#!/bin/sh\necho decorator 'numpy<2'\n")
    program.chmod(0o755)
    monkeypatch.setattr(om_probe.atc, "ask", lambda *_: (0, "help"))
    monkeypatch.setenv("PATH", str(tmp_path))
    modules, bank = look("compile")["facts"]["warnings"]
    assert "atc's python3 has no decorator, numpy<2; install" in modules
    assert "TUNE_BANK_PATH is set" in bank


def test_the_real_python3_is_asked_for_its_modules():
    assert "psutil" in om_probe.IMPORTED
    assert set(om_probe.missing_modules()) <= {*om_probe.IMPORTED, "numpy<2"}


def test_an_older_python_is_refused_by_name(tmp_path):
    program = tmp_path / "python"
    fake = "import sys; sys.version_info = (3, 8, 0); exec(sys.argv[1])"
    program.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -c "{fake}" "$@"\n')
    program.chmod(0o755)
    (problem,) = toolchain.ask("ascend_om", settings(python=str(program)), "python", "versions")["problems"]
    assert "Python 3.8 is too old, 3.9 to 3.12 are needed" in problem


def test_the_toolchain_is_asked_as_the_workflow_does(tmp_path, monkeypatch):
    """In another process, after scripts were sourced; and the doctor's picture says what atc does."""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "set_env.sh"
    script.write_text(f"export PYTHONPATH={STAND_IN} PATH={STAND_IN}/bin:$PATH\n")
    lines, ready = doctor.picture("ascend_om", settings(env_scripts=[str(script)]), sys.executable)
    assert ready, lines
    assert "  atc           runs" in lines
    assert any("STAND-IN" in line for line in lines)
    with pytest.raises(InputError, match=r"ascend_om cannot run here.*\n.*atc: command not found\n.*set_env\.sh"):
        toolchain.require("ascend_om", settings(), sys.executable, "compile")
