"""The stand-ins of the road through .om files enforce its contract: every rule is broken here once."""

import os
import stat
import subprocess
import sys
import threading

import numpy as np
import onnx
import pytest
from support import om
from support.paths import STAND_IN

SHAPE = (om.BATCH, *om.SHAPE)
BYTES = 4 * int(np.prod(SHAPE))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    om.write_demo(folder)
    return folder / "network.onnx"


@pytest.fixture
def atc(network, tmp_path, monkeypatch, capfd):
    """A function that runs atc in a folder of its own: status, and what it says."""
    om.set_environment(monkeypatch)
    (tmp_path / "cwd").mkdir()

    def run(*words, **changes):
        from om_stand_in import converter

        monkeypatch.chdir(tmp_path / "cwd")
        status = converter.main([*words, *om.words(network, tmp_path / "out", **changes)])
        return status, capfd.readouterr()

    return run


def change(text):
    """An opset, or an input's type, in a graph."""

    def of_opset(model):
        model.opset_import[0].version = int(text)

    def of_type(model):
        model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64

    def of_padding(model):
        node = next(node for node in model.graph.node if node.op_type == "Conv")
        node.attribute.append(onnx.helper.make_attribute("auto_pad", "SAME_UPPER"))

    return {"int64": of_type, "auto_pad": of_padding}.get(text, of_opset)


def test_what_follows_the_rules_works(atc, tmp_path):
    status, said = atc()
    lines = said.out.splitlines()
    assert (status, said.err) == (0, "")
    assert lines[1:4] == [
        "ATC start working now, please wait for a moment.",
        "...",
        "ATC run success, welcome to the next use.",
    ]
    assert lines[4].startswith("W11001: ")  # after success
    assert stat.S_IMODE((tmp_path / "out.om").stat().st_mode) == 0o600
    header = (tmp_path / "out.om").read_bytes()[:256]
    assert header[:4] == b"IMOD"
    assert int.from_bytes(header[184:192], "little") == (tmp_path / "out.om").stat().st_size - 256
    assert {path.name for path in (tmp_path / "cwd").iterdir()} == {"kernel_meta", "fusion_result.json"}


def test_the_suffix_is_always_appended_and_folders_are_made(atc, tmp_path):
    assert atc(output=str(tmp_path / "new" / "x.om"))[0] == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.om.om"]


@pytest.mark.parametrize(
    "words", [["-deterministic=1"], ["--deterministic", "1"], ["--op-select-implmode=high_precision"]]
)
def test_forms_of_an_option(atc, words):
    assert atc(*words)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no_such_option=1"], "ERROR: unknown command line flag 'no_such_option'"),
        (["model.onnx"], "Non-option parameter: model.onnx"),
    ],
)
def test_the_form_is_complained_of_on_stderr(atc, words, message):
    status, said = atc(*words)
    assert (status, said.err.strip()) == (255, message)


REFUSED = {
    "no framework": ({"framework": None}, "E10007"),
    "an unknown framework": ({"framework": "7"}, "E10007"),
    "no model": ({"model": None}, "E10054"),
    "no output": ({"output": None}, "E10054"),
    "no chip": ({"soc_version": None}, "E10054"),
    "an unknown chip": ({"soc_version": "Ascend310"}, "E10001"),
    "an unknown format": ({"input_format": "NCL"}, "E10001"),
    "an unknown level": ({"log": "verbose"}, "E10010"),
    "an unknown precision": ({"precision_mode_v2": "f32"}, "E10001"),
    "two precisions": ({"precision_mode": "force_fp16"}, "E10056"),
    "tuning that was removed": ({"auto_tune_mode": "RL,GA"}, "E10001"),
    "types without a mode": ({"optypelist_for_implmode": "Sigmoid"}, "E10001"),
    "a mixed list without a mixed mode": ({"modify_mixlist": "list.json"}, "E10001"),
    "a bank without buffers": ({"mdl_bank_path": "/bank", "buffer_optimize": "off_optimize"}, "E10001"),
    "an unknown cache": ({"op_compiler_cache_mode": "on"}, "E10001"),
    "a yes for a 1": ({"deterministic": "yes"}, "E10001"),
    "a path with =": ({"output": "/tmp/bs=4"}, "E10001"),
    "a path with a space": ({"output": "/tmp/a b"}, "E10001"),
    "a folder for an output": ({"output": "/tmp/"}, "E10022"),
    "no such model": ({"model": "/nowhere.onnx"}, "E13001"),
    "no model of ONNX": ({"model": __file__}, "E10041"),
    "an output that cannot be written": ({"output": "/proc/x"}, "E13004"),
    "a shape without a name": ({"input_shape": "4,80,200"}, "E10002"),
    "a shape of words": ({"input_shape": "mel:four,80,200"}, "E10014"),
    "a shape of another name": ({"input_shape": "input:4,80,200"}, "E10016"),
    "a shape of another rank": ({"input_shape": "mel:4,80,200,1"}, "E10049"),
    "a dimension of 0": ({"input_shape": "mel:0,80,200"}, "E10011"),
    "a dimension that stays open": ({"input_shape": None}, "E10001"),
    "other frames than the graph's": ({"input_shape": "mel:4,80,300"}, "E19999"),
    "opset 8": ({"opset": "8"}, "E19010"),
    "opset 19": ({"opset": "19"}, "E19010"),
    "an input of int64": ({"opset": "int64"}, "E14001"),
    "padding that is ignored": ({"opset": "auto_pad"}, "E14001"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_broken_rule_of_atc(atc, network, tmp_path, rule):
    changes, code = dict(REFUSED[rule][0]), REFUSED[rule][1]
    if "opset" in changes:
        changes["model"] = str(om.written(network, tmp_path / "m.onnx", change(changes.pop("opset"))))
    status, said = atc(**changes)
    assert (status, said.err) == (255, "")
    assert "ATC run failed" in said.out
    assert f"\n{code}: " in said.out
    assert not (tmp_path / "out.om").exists()


@pytest.mark.parametrize(("version", "frame"), [("7", "E10007: [--"), ("8", "E10007: [PID: "), ("9", "E10007: PID: ")])
def test_error_lines_of_three_versions(atc, monkeypatch, version, frame):
    monkeypatch.setenv("STAND_IN_ATC", version)
    assert frame in atc(framework=None)[1].out


def test_the_guide_of_later_versions_begins_at_opset_11(atc, network, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN_ATC", "9")
    model = om.written(network, tmp_path / "m.onnx", change("10"))
    assert "E16002" in atc(model=str(model))[1].out


def test_two_jobs_in_one_folder(atc, tmp_path):
    from om_stand_in import converter

    (tmp_path / "cwd").mkdir(exist_ok=True)
    os.chdir(tmp_path / "cwd")
    with converter.working_folder():
        assert "another job works in the same folder" in atc()[1].out


def test_the_program_itself(network, tmp_path):
    program = str(STAND_IN / "bin" / "atc")
    done = subprocess.run([program, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("STAND-IN: ")
    words = om.words(network, tmp_path / "x")
    environment = {**os.environ, "STAND_IN_FAULTS": "no-driver"}
    done = subprocess.run([program, *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 127
    assert "libascend_hal.so" in done.stderr
    environment["LD_LIBRARY_PATH"] = "/toolkit/devlib"
    done = subprocess.run([program, *words], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([program, "--mode=6", f"--om={tmp_path / 'x.om'}"], capture_output=True, text=True)
    assert "atc_version: [8.0.0]" in done.stdout


# What runs the file


@pytest.fixture
def compiled(atc, tmp_path):
    status, said = atc()
    assert status == 0, said
    return tmp_path / "out.om"


def session(monkeypatch, path, device=0, **settings):
    om.set_environment(monkeypatch, **settings)
    from ais_bench.infer.interface import InferSession

    return InferSession(device, str(path))


def zeros(shape=SHAPE, dtype=np.float32):
    return np.zeros(shape, dtype)


def copy_as(path, name):
    """The file under another name, mode kept."""
    other = path.with_name(name)
    other.write_bytes(path.read_bytes())
    other.chmod(0o600)
    return other


def linked(path):
    path.with_name("link.om").symlink_to(path)
    return path.with_name("link.om")


def writable(path):
    path.chmod(0o664)
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])
    return path


PATHS = {
    "a link": (linked, ValueError, "illegal: it is a soft link"),
    "a file that others may write": (writable, ValueError, "illegal: it is group writable"),
    "another suffix": (lambda path: copy_as(path, "x.bin"), ValueError, "illegal: it does not end in .om"),
    "a plus in the path": (lambda path: copy_as(path, "a+b.om"), ValueError, "illegal: it has an illegal char"),
    "no file": (lambda path: path.with_name("no.om"), ValueError, "illegal: there is no such file"),
    "a file that is cut": (cut, RuntimeError, r"\[1\]\[ACL: invalid parameter\]"),
}


@pytest.mark.parametrize("rule", PATHS)
def test_files_that_later_wheels_refuse(compiled, monkeypatch, rule):
    make, kind, message = PATHS[rule]
    with pytest.raises(kind, match=message):
        session(monkeypatch, make(compiled))


def test_the_earliest_wheels_check_no_path(compiled, monkeypatch):
    assert session(monkeypatch, linked(writable(compiled)), WHEEL="2023").infer([zeros()])[0].shape == (4, 192)


@pytest.mark.parametrize("settings", [{"SOC": "Ascend910B4"}, {"CANN": "7.0.0"}, {"FAULTS": "other-opp"}])
def test_files_of_another_chip_or_of_a_newer_cann(compiled, monkeypatch, settings):
    with pytest.raises(RuntimeError, match="invalid parameter"):
        session(monkeypatch, compiled, **settings)


class Special(np.ndarray):
    """A kind of array, as a memory map is one."""


FEEDS = {
    "too few bytes": ("2025", lambda: [zeros((3, 80, 200))], RuntimeError, r"\[-1\]\[ACL: general failure\]"),
    "two inputs": ("2025", lambda: [zeros(), zeros()], RuntimeError, r"\[3\]"),
    "a tuple, late": ("2025", lambda: (zeros(),), ValueError, "must be a list"),
    "a list of lists": ("2025", lambda: [zeros().tolist()], RuntimeError, "type:.*invalid"),
    "a kind of array, early": ("2024", lambda: [zeros().view(Special)], RuntimeError, "type:.*Special.*invalid"),
}


@pytest.mark.parametrize("rule", FEEDS)
def test_inputs_that_are_refused(compiled, monkeypatch, rule):
    wheel, feeds, kind, message = FEEDS[rule]
    with pytest.raises(kind, match=message):
        session(monkeypatch, compiled, WHEEL=wheel).infer(feeds())


def test_inputs_that_are_wrong_and_pass(compiled, monkeypatch):
    """Only bytes count: another type or layout of the right size gives a wrong answer, and no error."""
    batch = np.random.default_rng(0).standard_normal(SHAPE, np.float32)
    late = session(monkeypatch, compiled)
    right = late.infer([batch])[0]
    for wrong in (zeros(dtype=np.int32) + 1, np.ascontiguousarray(batch.swapaxes(1, 2))):
        assert np.abs(late.infer([wrong])[0] - right).max() > 1e-2
    np.testing.assert_array_equal(late.infer([np.asfortranarray(batch)])[0], right)
    early = session(monkeypatch, compiled, WHEEL="2023")
    np.testing.assert_array_equal(early.infer([batch])[0], right)
    assert np.abs(early.infer([np.asfortranarray(batch)])[0] - right).max() > 1e-2
    assert early.infer((zeros(),))[0].shape == (4, 192)


@pytest.mark.parametrize("wheel", ["2023", "2024", "2025"])
def test_what_each_generation_offers(compiled, monkeypatch, wheel):
    opened = session(monkeypatch, compiled, WHEEL=wheel)
    from ais_bench.infer.interface import MemorySummary

    opened.infer([zeros()])
    early = wheel == "2023"
    assert hasattr(opened, "sumary") == early
    assert hasattr(opened, "summary") == hasattr(opened, "free_resource") == (not early)
    assert hasattr(MemorySummary, "get_H2D_time_list") == early
    (entry,) = (opened.sumary() if early else opened.summary()).exec_time_list
    assert (isinstance(entry, float)) == early
    assert early or (len(entry) == 2 and entry[0].dtype == np.float32)
    assert [(d.name, d.shape) for d in opened.get_inputs()] == [("mel", list(SHAPE))]
    (output,) = opened.get_outputs()
    assert output.name.endswith(":0:embedding")


def test_sessions_end_once(compiled, monkeypatch):
    opened = session(monkeypatch, compiled)
    with pytest.raises(ValueError, match="infer_mode"):
        opened.infer([zeros()], mode="dynamic")
    opened.free_resource()
    with pytest.raises(RuntimeError, match=r"\[3\]"):
        opened.infer([zeros()])
    with pytest.raises(RuntimeError, match="free_resource\\(\\) twice"):
        opened.free_resource()
    opened.finalize()
    with pytest.raises(RuntimeError, match="100037"):
        opened.finalize()
    with pytest.raises(RuntimeError, match=r"\[3\]"):
        type(opened)(0, str(compiled))


def test_a_session_that_is_not_freed_is_counted(compiled, monkeypatch):
    opened = session(monkeypatch, compiled)
    from om_stand_in.device import STATE

    opened.finalize()
    assert STATE.leaks == ["session"]


def test_a_device_that_is_not_there(compiled, monkeypatch, capfd):
    with pytest.raises(RuntimeError):
        session(monkeypatch, compiled, device=2)
    assert "acl open device 2 failed: 107001" in capfd.readouterr().out
    with pytest.raises(TypeError):
        session(monkeypatch, compiled, device="0")
    with pytest.raises(ValueError, match="255"):
        session(monkeypatch, compiled, device=256)


def test_two_threads_in_one_session(compiled, monkeypatch):
    opened = session(monkeypatch, compiled)
    opened.session._inside = True  # as while another thread is in it
    with pytest.raises(RuntimeError, match="two threads"):
        opened.infer([zeros()])


def test_one_process_a_device(compiled, monkeypatch, tmp_path):
    code = f"from ais_bench.infer.interface import InferSession; InferSession(0, {str(compiled)!r})"
    session(monkeypatch, compiled, LOCKS=str(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(STAND_IN)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "507033: presumed: another process has device 0" in done.stdout
    code = code.replace("(0,", "(1,")
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_a_fork_has_no_device(compiled, monkeypatch):
    opened = session(monkeypatch, compiled)
    child = os.fork()
    if not child:
        try:
            opened.infer([zeros()])
        except Exception as error:
            os._exit(3 if "forked after init" in str(error) else 4)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


# pyACL


@pytest.fixture
def acl(compiled, monkeypatch):
    """pyACL with a model, its file and what a caller holds."""
    om.set_environment(monkeypatch)
    import acl

    acl.path = str(compiled)
    return acl


def begun(acl):
    assert acl.init() == acl.rt.set_device(0) == 0
    context, status = acl.rt.create_context(0)
    assert status == 0
    return context


def loaded(acl):
    begun(acl)
    model, status = acl.mdl.load_from_file(acl.path)
    assert status == 0
    return model


def dataset(acl, *sizes):
    made = acl.mdl.create_dataset()
    for size in sizes:
        acl.mdl.add_dataset_buffer(made, acl.create_data_buffer(acl.rt.malloc(size, 0)[0], size))
    return made


def in_thread(call):
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def second_context(acl):
    model = loaded(acl)
    acl.rt.create_context(0)
    return acl.mdl.execute(model, dataset(acl, BYTES), dataset(acl, 4 * 4 * 192))


def threaded(acl):
    begun(acl)
    return in_thread(lambda: acl.rt.malloc(4, 0))[1]


def copied(acl, size, source, kind=1):
    """A copy of so many bytes into memory of four."""
    return acl.rt.memcpy(acl.rt.malloc(4, 0)[0], size, source, size, kind)


CODES = {
    "set_device before init": (100001, lambda acl: acl.rt.set_device(0)),
    "finalize before init": (100001, lambda acl: acl.finalize()),
    "init twice": (100002, lambda acl: (acl.init(), acl.init())[1]),
    "finalize twice": (100037, lambda acl: (acl.init(), acl.finalize(), acl.finalize())[2]),
    "a device that is not there": (107001, lambda acl: (acl.init(), acl.rt.set_device(5))[1]),
    "a context before a device": (107001, lambda acl: (acl.init(), acl.rt.create_context(0))[1][1]),
    "memory without a context": (107002, lambda acl: acl.rt.malloc(4, 0)[1]),
    "a model without a context": (107002, lambda acl: acl.mdl.load_from_file(acl.path)[1]),
    "another thread without the context": (107002, threaded),
    "another context than the model's": (107002, second_context),
    "no such file": (145002, lambda acl: (begun(acl), acl.mdl.load_from_file("/no.om"))[1][1]),
    "memory of no size": (100000, lambda acl: (begun(acl), acl.rt.malloc(0, 0))[1][1]),
    "a model that is none": (145003, lambda acl: (loaded(acl), acl.mdl.execute(1, 2, 3))[1]),
    "buffers of another size": (
        100017,
        lambda acl: acl.mdl.execute(loaded(acl), dataset(acl, BYTES - 4), dataset(acl, 4 * 4 * 192)),
    ),
    "a copy larger than its room": (
        100000,
        lambda acl: (begun(acl), acl.rt.memcpy(acl.rt.malloc(4, 0)[0], 4, acl.rt.malloc_host(8)[0], 8, 1))[1],
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", CODES)
def test_a_broken_rule_of_acl_is_a_code(acl, rule):
    code, call = CODES[rule]
    assert call(acl) == code


def freed(acl):
    pointer = acl.rt.malloc(4, 0)[0]
    acl.rt.free(pointer)
    return pointer


WORSE = {
    "the wrong bounds": (lambda acl: copied(acl, 8, acl.rt.malloc_host(8)[0]), "bounds"),
    "freed memory": (lambda acl: acl.rt.memcpy(freed(acl), 4, acl.rt.malloc_host(4)[0], 4, 1), "no longer"),
    "the wrong way": (lambda acl: copied(acl, 4, acl.rt.malloc_host(4)[0], 2), "is no"),
    "freed twice": (lambda acl: acl.rt.free(freed(acl)), "no longer"),
    "bytes that are gone": (
        lambda acl: copied(acl, 4, acl.util.bytes_to_ptr(bytes(bytearray(4)))),
        "an object that is gone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", WORSE)
def test_what_would_use_memory_of_others_raises(acl, rule):
    call, message = WORSE[rule]
    begun(acl)
    with pytest.raises(RuntimeError, match=message):
        call(acl)


def test_what_is_not_given_back_is_counted(acl):
    from om_stand_in.device import STATE

    loaded(acl)
    acl.rt.malloc(4, 0)
    acl.rt.reset_device(0)
    assert acl.finalize() == 0
    assert STATE.leaks == ["context", "model", "device memory"]


def test_the_earlier_names_of_the_conversions(acl, monkeypatch):
    assert not hasattr(acl.util, "numpy_to_ptr")
    om.set_environment(monkeypatch, WHEEL="2023")
    import acl

    assert not hasattr(acl.util, "bytes_to_ptr")


def test_they_say_what_they_are(acl):
    from importlib import metadata

    from ais_bench.infer.interface import InferSession

    assert "no NPU" in acl.STAND_IN == InferSession.STAND_IN
    assert metadata.version("aclruntime") == metadata.version("ais_bench") == "0.0.2+standin"
