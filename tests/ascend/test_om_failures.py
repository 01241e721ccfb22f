"""The failures that a user meets on the road through .om files: each ends in a message with its remedy."""

import contextlib
import os
import sys

import numpy as np
import pytest
from support import om

from asv import engines
from asv.ascend import om_explain
from asv.errors import InputError


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    om.write_demo(folder)
    return folder


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """A function that sets up the stand-ins with faults, and returns a folder for an artefact."""
    (tmp_path / "artefact").mkdir()

    def set_up(faults="", **settings):
        om.set_environment(monkeypatch, FAULTS=faults, **settings)
        return tmp_path / "artefact"

    return set_up


def compile_network(networks, folder, network="network.onnx", **options):
    return engines.module("ascend_om").compile_artefact(networks / network, folder, om.job(**options))


def run(folder, batches=1, **options):
    with contextlib.closing(engines.module("ascend_om").load(folder, om.job(**options))) as session:
        for _ in range(batches):
            session.run(np.zeros((om.BATCH, *om.SHAPE), np.float32))


FAULTS_OF_ATC = {
    "no-driver": ["libascend_hal.so", "devlib", "LD_LIBRARY_PATH", "leave it out where an NPU is to run"],
    "killed": ["signal SIGKILL", "memory"],
    "nothing-written": ["left no .om file where one file was expected"],
    "two-files": ["left compiled.om, compiled_linux_x86_64.om where one"],
    "truncated": ["not whole: its header tells of", "disk full"],
    "open-to-all": ["others may write to it", "chmod 600"],
    "atc-EC0010": ["No module named 'decorator'", "pip install decorator attrs", "'numpy<2'", "python3 that it finds"],
    "atc-E40000": ["No module named 'te'", "pip install"],
    "atc-E40002": ["3.7 to 3.11"],
    "atc-E10041": ["delete results/network.onnx"],
    "atc-E10501": ["another onnx.opset", "~/ascend/log/"],
    "atc-E13004": ["disk full, or mounted read-only"],
    "atc-E19999": ["source one set_env.sh alone"],
    "atc-EZ3003": ["no kernel for an operator", "mixed_float16"],
    "atc-EZ9999": ["an error inside atc", "~/ascend/log/"],
    "atc-E80001": ["ops package of the chip, Ascend310P3"],
}


@pytest.mark.parametrize("version", ["7", "8", "9"])
@pytest.mark.parametrize("fault", FAULTS_OF_ATC)
def test_a_failure_of_atc_names_its_remedy(networks, stand_in, fault, version):
    folder = stand_in(fault, ATC=version)
    with pytest.raises(InputError) as caught:
        compile_network(networks, folder)
    for part in ("ascend_om: ", *FAULTS_OF_ATC[fault]):
        assert part in str(caught.value)
    assert fault == "open-to-all" or list(folder.iterdir()) == []


@pytest.mark.parametrize(("version", "code"), [("7", "E19010"), ("8", "E19010"), ("9", "E16002")])
def test_too_new_an_opset(networks, stand_in, version, code):
    folder = stand_in(ATC=version)

    def newer(model):
        model.opset_import[0].version = 19

    om.written(networks / "network.onnx", networks / "newer.onnx", newer)
    with pytest.raises(InputError, match=f"{code}.*\n.*set onnx.opset to 11, 12 or 13"):
        compile_network(networks, folder, "newer.onnx")


def test_a_chip_that_atc_does_not_know(networks, stand_in):
    folder = stand_in()
    with pytest.raises(InputError, match=r"E10001.*\n.*Ascend310 is refused: `npu-smi info`"):
        compile_network(networks, folder, soc_version="Ascend310")


def test_an_option_that_atc_does_not_know(networks, stand_in, monkeypatch, tmp_path):
    """As an older one than the options that are set: it says so on stderr."""
    folder = stand_in()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "atc").write_text("#!/bin/sh\necho \"ERROR: unknown command line flag 'x'\" >&2\nexit 255\n")
    (tmp_path / "bin" / "atc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(InputError, match=r"unknown command line flag 'x'\n.*leave those of engines.ascend_om at"):
        compile_network(networks, folder)


def test_atc_that_is_not_there(networks, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"atc cannot be run: No such file.*\n.*set_env\.sh in engines"):
        compile_network(networks, tmp_path)


OPTIONS, SHAPE, READ, WRITE = "at their defaults", "name or shape", "cannot read the ONNX file", "cannot write"
# Codes of atc's error guide, and what the remedy speaks of.
CODES = {
    **dict.fromkeys(("E10001", "E10003", "E10004", "E10005", "E10006", "E10007", "E10010", "E10013"), OPTIONS),
    **dict.fromkeys(("E10054", "E10056"), OPTIONS),
    **dict.fromkeys(("E10002", "E10011", "E10014", "E10016", "E10017", "E10049"), SHAPE),
    **dict.fromkeys(("E10021", "E10022"), "output's name"),
    **dict.fromkeys(("E10041", "E13001", "E16001", "E16004", "E16005"), READ),
    **dict.fromkeys(("E13000", "E13004", "E13015"), WRITE),
    **dict.fromkeys(("E10501", "E14001", "E89999", "EZ3003"), "no kernel"),
    **dict.fromkeys(("E16002", "E19010"), "onnx.opset"),
    **dict.fromkeys(("E19999", "EZ9999"), "inside atc"),
    **dict.fromkeys(("E40000", "EC0010"), "pip install"),
    "E13026": "refuses the path",
    "E40002": "version that CANN does not take",
    "E80001": "kernel could not be compiled",
}


@pytest.mark.parametrize("line", ["{}: text", "{}: [PID: 1] 2026-01-01 text", "{}: PID: 1 2026-01-01 text"])
@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_atc_has_a_remedy(code, line):
    output = f"W11001: a warning\nATC run failed\n{line.format(code)}"
    message = str(om_explain.atc_failed(255, output, "Ascend310P3"))
    assert CODES[code] in message
    assert "W11001" not in message


FAULTS_OF_RUN = {
    ("device-absent", "acl"): ["107001", "npu-smi info", "engines.ascend_om.devices", "/dev/davinci"],
    ("device-absent", "ais_bench"): ["runtime failure", "npu-smi info", "engines.ascend_om.devices"],
    ("device-busy", "acl"): ["507033", "who holds them", "ASCEND_RT_VISIBLE_DEVICES"],
    ("device-busy", "ais_bench"): ["who holds them"],
    ("devlib", "acl"): ["100039", "take devlib out of LD_LIBRARY_PATH"],
    ("begun", "acl"): ["100002", "torch_npu"],
    ("other-opp", "acl"): ["500002", "newer CANN than runs here", "run again"],
    ("other-opp", "ais_bench"): ["invalid parameter", "newer CANN than runs here", "soc_version"],
    ("out-of-memory", "acl"): ["207018", "out of memory", "smaller batch size"],
    ("aicore", "acl"): ["507015", "failed while it computed", "SIGTERM", "only what is missing"],
    ("aicore", "ais_bench"): ["runtime failure", "failed while it computed"],
    ("part-of-a-card", "acl"): ["507009", "whole card"],
    ("no-cann", "acl"): ["libascend_hal.so", "set_env.sh"],
    ("no-cann", "ais_bench"): ["libascendcl.so", "set_env.sh"],
    ("no-acl", "acl"): ["acl is not installed in", "set_env.sh"],
    ("no-ais-bench", "ais_bench"): ["ais_bench is not installed in", "PyPI"],
}


@pytest.mark.parametrize(("fault", "backend"), FAULTS_OF_RUN)
def test_a_failure_on_the_device_names_its_remedy(networks, stand_in, fault, backend):
    compile_network(networks, stand_in())
    folder = stand_in(fault)
    with pytest.raises(InputError) as caught:
        run(folder, backend=backend)
    for part in ("ascend_om: ", *FAULTS_OF_RUN[fault, backend]):
        assert part in str(caught.value)


def test_without_either_interface_both_remedies_are_told(networks, stand_in):
    compile_network(networks, stand_in())
    folder = stand_in("no-acl,no-ais-bench")
    with pytest.raises(InputError, match=r"(?s)ais_bench is not installed in.*acl is not installed in"):
        run(folder)


@pytest.mark.parametrize("backend", ["ais_bench", "acl"])
@pytest.mark.parametrize("settings", [{"SOC": "Ascend910B4"}, {"CANN": "7.0.0"}])
def test_a_model_for_another_chip_or_of_a_newer_cann(networks, stand_in, backend, settings):
    folder = stand_in(**settings)
    compile_network(networks, folder)
    with pytest.raises(InputError, match=r"compiled by a newer CANN than runs here, or for another chip"):
        run(folder, backend=backend)


@pytest.mark.parametrize("backend", ["ais_bench", "acl"])
def test_a_lost_device_shows_its_remedy_although_it_cannot_be_given_back(networks, stand_in, capsys, backend):
    """As compile_engine.py, infer.py and benchmark_engine.py close a session: whatever happened."""
    folder = stand_in("device-lost")
    compile_network(networks, folder)
    with pytest.raises(InputError, match=r"failed while it computed.*only what is missing"):
        run(folder, 3, backend=backend)
    assert "the device was not given back" in capsys.readouterr().err
    state = sys.modules["om_stand_in.device"].STATE
    assert "finalize" in state.events  # closing goes on after what failed
    assert state.leaks == []


def test_after_a_failure_a_session_computes_no_more(networks, stand_in):
    folder = stand_in("aicore")
    compile_network(networks, folder)
    batch = np.zeros((om.BATCH, *om.SHAPE), np.float32)
    with contextlib.closing(engines.module("ascend_om").load(folder, om.job())) as session:
        with pytest.raises(InputError, match="failed while it computed"):
            session.run(batch)
        with pytest.raises(InputError, match="failed in an earlier batch"):
            session.run(batch)


LOADING, COMPUTING = "newer CANN than runs here", "never by SIGKILL"
# Words of wheels and codes of ACL, and what the remedy speaks of; those that no stand-in is made to say, too.
WORDS = {
    "The path:/a/x.om is illegal: it is a soft link": "cp -L",
    "The path:/a/x.om is illegal: group writable": "chmod 600",
    "The path:/a b/x.om is illegal: illegal char": "A-Z a-z 0-9",
    "The path:/a/x.om is illegal: its owner is another user": "belong to this user",
    "type:<class 'numpy.memmap'> invalid": "please report it",
    "[-1][ACL: general failure] ": "not what the model was compiled for",
    "check i:0 name:mel in size:1 needsize:2 not match": "not what the model was compiled for",
    "EL0003: open device failed": "busy or not permitted",
    "E19999: the opp version of the model does not match": LOADING,
    "EZ9999: inner error": COMPUTING,
}
NUMBERS = {
    "begun or ended twice": (100001, 100002, 100037),
    "busy or not permitted": (107001, 107002, 507033),
    "out of memory": (200000, 207001, 207018, 245002),
    LOADING: (100000, 100003, 100011, 100012, 100013, 100014, 145002, 145003, 500001, 500002, 500003, 545001),
    "not what the model was compiled for": (100017,),
    COMPUTING: (507010, 507011, 507014, 507015, 507018),
    "whole card": (507009,),
    "take devlib out": (100039,),
}
WORDS |= {f"a call: error {number}": remedy for remedy, numbers in NUMBERS.items() for number in numbers}


@pytest.mark.parametrize("words", WORDS)
def test_every_code_of_acl_has_a_remedy(words, tmp_path):
    assert WORDS[words] in str(om_explain.failed("run", RuntimeError(words), tmp_path))


def test_a_wheel_with_other_names(tmp_path):
    error = AttributeError("'InferSession' object has no attribute 'get_inputs'")
    assert "backend to the other one" in str(om_explain.failed("load", error, tmp_path))
