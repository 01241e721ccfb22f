"""The road through .om files against its stand-ins: right results, every mutation caught."""

import contextlib
import os
import stat

import numpy as np
import pytest
import torch
from support import om
from support.mutants import mutant

from asv import engines
from asv.ascend import atc, om_acl, om_ais_bench, om_file, om_session
from asv.ascend import om as road
from asv.errors import InputError
from asv.inference import artefact, reference_outputs
from asv.inference import embed as inference

PAIRS = [(backend, wheel) for backend in ("ais_bench", "acl") for wheel in ("2023", "2024", "2025")]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    om.write_demo(folder)
    pairs = reference_outputs.compute(folder / "network.pt", om.job().shape)
    reference_outputs.write(folder / "reference.npz", pairs)
    return folder


@pytest.fixture(scope="module")
def features():
    """Seven rows: the last batch is not full."""
    return np.random.default_rng(1).uniform(-1, 2, (7, *om.SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def reference(networks, features):
    with torch.inference_mode():
        return torch.jit.load(str(networks / "network.pt"))(torch.from_numpy(features)).numpy()


def state():
    from om_stand_in.device import STATE

    return STATE


def compiled(networks, folder, network="network.onnx", **options):
    """The record of an artefact, compiled as compile_engine.py does."""
    folder.mkdir(exist_ok=True)
    job = om.job(**options)
    reference = networks / "reference.npz"
    return artefact.compile_checked(
        networks / "network.pt", folder, "ascend_om", job, "0", networks / network, reference
    )[0]


def embed(networks, features, folder, **options):
    """Embeddings, as infer.py computes them: the last batch filled up, none of them contiguous."""
    record, job = compiled(networks, folder, **options), om.job(**options)
    with contextlib.closing(artefact.load(folder, record, job)) as session:
        embeddings, _ = inference.embed(Fortran(session), features, om.BATCH)
    return embeddings


class Fortran:
    """A session that is given batches that are not contiguous: the interface does not forbid it."""

    def __init__(self, session):
        self.session = session

    def run(self, batch):
        return self.session.run(np.asfortranarray(batch))


def require_right(found, reference):
    """Close to the reference, and really not float32; and all was given back."""
    assert found.dtype == np.float32
    assert 1e-6 < np.abs(found - reference).max() < 1.5e-3
    assert state().leaks == [], "leaks"
    assert {"finalize", "close"} <= set(state().events)


@pytest.mark.parametrize(("backend", "wheel"), PAIRS)
def test_float16_is_close_to_the_reference(networks, features, reference, tmp_path, monkeypatch, backend, wheel):
    om.set_environment(monkeypatch, WHEEL=wheel)
    require_right(embed(networks, features, tmp_path / "artefact", backend=backend), reference)
    files = {path.name for path in (tmp_path / "artefact").iterdir()}
    assert files == {"ecapa_tdnn_bs4.om", "artefact.json", "reference.npz"}
    assert stat.S_IMODE((tmp_path / "artefact/ecapa_tdnn_bs4.om").stat().st_mode) == 0o600
    ends = {("ais_bench", "2023"): ["finalize", "close"], ("acl", wheel): ["close", "finalize"]}
    expected = ends.get((backend, wheel), ["free", "finalize", "close"])
    assert state().events[-len(expected) :] == expected


@pytest.mark.parametrize("precision", ["mixed_float16", "cube_fp16in_fp32out"])
def test_the_other_precisions(networks, features, reference, tmp_path, monkeypatch, precision):
    om.set_environment(monkeypatch)
    require_right(embed(networks, features, tmp_path, precision=precision), reference)


def test_the_record_and_the_session_say_what_ran(networks, features, tmp_path, monkeypatch):
    om.set_environment(monkeypatch)
    record = compiled(networks, tmp_path, device=1)
    assert (record["cann"], record["atc"]) == ("8.0.0+standin", "8.0.0")
    assert "no NPU" in record["stand_in"]
    with contextlib.closing(artefact.load(tmp_path, record, om.job(device=1))) as session:
        assert session.facts["backend"] == "ais_bench"
        assert session.facts["cann"] == "8.0.0+standin"
        assert "no NPU" in session.facts["stand_in"]
        before = features[: om.BATCH].copy()
        mapped = tmp_path / "batch.npy"
        np.save(mapped, before)
        found = session.run(np.load(mapped, mmap_mode="r"))  # earlier wheels take plain arrays alone
        np.testing.assert_array_equal(session.run(before), found)


@pytest.mark.parametrize(("backend", "wheel"), PAIRS)
def test_the_parts_of_a_batch_are_timed(networks, features, tmp_path, monkeypatch, backend, wheel):
    om.set_environment(monkeypatch, WHEEL=wheel)
    compiled(networks, tmp_path)
    with contextlib.closing(engines.module("ascend_om").load(tmp_path, om.job(backend=backend))) as session:
        for _ in range(3):
            session.run(features[: om.BATCH])
            assert set(session.seconds) == {"to_device", "compute", "from_device"}
            assert all(0 < seconds < 1 for seconds in session.seconds.values())
            assert session.seconds["compute"] > session.seconds["to_device"]


def test_a_wheel_that_tells_no_times_has_no_parts(networks, features, tmp_path, monkeypatch):
    om.set_environment(monkeypatch)
    from ais_bench.infer import interface

    monkeypatch.delattr(interface, "MemorySummary")
    compiled(networks, tmp_path)
    with contextlib.closing(engines.module("ascend_om").load(tmp_path, om.job())) as session:
        session.run(features[: om.BATCH])
        assert session.seconds == {}


def test_auto_takes_pyacl_where_ais_bench_is_not(networks, features, reference, tmp_path, monkeypatch):
    om.set_environment(monkeypatch, FAULTS="no-ais-bench")
    require_right(embed(networks, features, tmp_path), reference)
    assert "init" in state().events


def test_a_file_with_the_systems_name_is_taken(networks, features, reference, tmp_path, monkeypatch):
    om.set_environment(monkeypatch, FAULTS="with-system")
    require_right(embed(networks, features, tmp_path), reference)


def test_pyacl_runs_in_another_thread(networks, features, reference, tmp_path, monkeypatch):
    import threading

    om.set_environment(monkeypatch)
    compiled(networks, tmp_path)
    found = []
    with contextlib.closing(engines.module("ascend_om").load(tmp_path, om.job(backend="acl"))) as session:
        thread = threading.Thread(target=lambda: found.append(session.run(features[: om.BATCH])))
        thread.start()
        thread.join()
    assert np.abs(found[0] - reference[: om.BATCH]).max() < 1.5e-3


# The command line


def test_defaults_are_left_to_atc(tmp_path):
    words = atc.command(om.job(), tmp_path)
    assert [word.split("=")[0] for word in words] == [
        "atc",
        "--framework",
        "--model",
        "--output",
        "--input_format",
        "--input_shape",
        "--soc_version",
        "--precision_mode_v2",
        "--log",
    ]
    assert "--input_shape=mel:4,80,200" in words
    assert "--log=error" in words


def test_other_options_are_handed_over_and_taken(networks, features, reference, tmp_path, monkeypatch):
    options = {
        "op_select_implmode": "high_precision",
        "optypelist_for_implmode": ["Sigmoid", "Sqrt"],
        "keep_dtype": ["OpType::Sqrt"],
        "buffer_optimize": "off_optimize",
        "op_compiler_cache_mode": "enable",
        "deterministic": True,
        "op_bank_path": str(tmp_path / "bank"),
        "host_env_cpu": "aarch64",
    }
    words = atc.command(om.job(**options), tmp_path)
    assert words[9:] == [
        "--op_select_implmode=high_precision",
        "--buffer_optimize=off_optimize",
        "--op_compiler_cache_mode=enable",
        "--optypelist_for_implmode=Sigmoid,Sqrt",
        f"--keep_dtype={tmp_path}/keep_dtype.cfg",
        "--deterministic=1",
        "--host_env_os=linux",
        "--host_env_cpu=aarch64",
        f"--op_bank_path={tmp_path}/bank",
    ]
    om.set_environment(monkeypatch)
    require_right(embed(networks, features, tmp_path / "artefact", **options), reference)


def test_a_list_of_types_names_the_mode_even_by_default(tmp_path):
    words = atc.command(om.job(optypelist_for_implmode=["Sqrt"]), tmp_path)
    assert "--op_select_implmode=high_performance" in words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mdl_bank_path": "/b", "buffer_optimize": "off_optimize"}, "mdl_bank_path: atc refuses it with"),
        (
            {"optypelist_for_implmode": ["Sqrt"], "op_select_implmode": "high_precision_for_all"},
            "write op_select_implmode: high_precision",
        ),
        ({"op_bank_path": "/my bank"}, "op_bank_path: '/my bank': atc takes no paths but"),
    ],
)
def test_options_that_exclude_each_other(networks, tmp_path, monkeypatch, options, message):
    from asv.snakefile.config import check

    om.set_environment(monkeypatch)
    (fault,) = engines.option_faults("ascend_om", options)
    assert message in fault
    with pytest.raises(InputError, match=r"engines\.ascend_om") as caught:
        check({"engines": {"ascend_om": options}})
    assert message in str(caught.value)
    with pytest.raises(InputError, match=r"engines\.ascend_om"):
        compiled(networks, tmp_path, **options)


def test_a_stray_bank_changes_nothing_and_threads_are_atcs(networks, tmp_path, monkeypatch):
    seen = {}
    run = atc.subprocess.run

    def spy(words, **keywords):
        seen.update(keywords)
        return run(words, **keywords)

    om.set_environment(monkeypatch)
    monkeypatch.setenv("TUNE_BANK_PATH", "/somewhere")
    monkeypatch.setattr(atc.subprocess, "run", spy)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / atc.NETWORK).write_bytes((networks / "network.onnx").read_bytes())
    atc.run(om.job(), tmp_path / "own")
    assert "TUNE_BANK_PATH" not in seen["env"]
    assert seen["env"]["TE_PARALLEL_COMPILER"] == "1"
    assert (seen["umask"], seen["cwd"]) == (0o077, tmp_path / "own")


def test_atc_works_in_a_folder_of_its_own(networks, tmp_path, monkeypatch):
    """Whatever the current folder and whatever lies there; and the network may be a link."""
    om.set_environment(monkeypatch)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "link.onnx").symlink_to(networks / "network.onnx")
    (tmp_path / "artefact").mkdir()
    engines.module("ascend_om").compile_artefact(tmp_path / "link.onnx", tmp_path / "artefact", om.job())
    assert list((tmp_path / "here").iterdir()) == []
    assert [path.name for path in (tmp_path / "artefact").iterdir()] == ["ecapa_tdnn_bs4.om"]


@pytest.mark.parametrize("name", ["bs=4", "with space", "a+b", "~home", "a@b", "模型", "x" * 5000])
def test_paths_that_the_tools_refuse_are_found_before_work_starts(networks, tmp_path, monkeypatch, name):
    monkeypatch.setattr(atc, "run", lambda *_: pytest.fail("work was started"))
    with pytest.raises(InputError, match="--directory"):
        engines.module("ascend_om").compile_artefact(networks / "network.onnx", tmp_path / name, om.job())


def test_whole_utterances_are_refused(networks, tmp_path):
    job = om.Job(1, (80, None), "fp16")
    with pytest.raises(InputError, match=r"one shape; set features\.frames"):
        engines.module("ascend_om").compile_artefact(networks / "network.onnx", tmp_path, job)


# Batches, and the file, are checked by the adapter


WRONG = {
    "int32": lambda x: x.astype(np.int32),
    "float64": lambda x: x.astype(np.float64),
    "bands and frames swapped": lambda x: np.ascontiguousarray(x.swapaxes(1, 2)),
    "another shape of the same size": lambda x: x.reshape(8, 40, 200),
    "a row less": lambda x: x[:3],
}


def is_refused(session, batch):
    try:
        session.run(batch)
    except InputError as error:
        return "its bytes alone would not have told" in str(error)
    return False


def require_refused(session, features):
    taken = [name for name, change in WRONG.items() if not is_refused(session, change(features[: om.BATCH]))]
    assert taken == []


@pytest.mark.parametrize("backend", ["ais_bench", "acl"])
def test_batches_of_another_type_or_shape_are_refused(networks, features, tmp_path, monkeypatch, backend):
    om.set_environment(monkeypatch)
    compiled(networks, tmp_path)
    with contextlib.closing(engines.module("ascend_om").load(tmp_path, om.job(backend=backend))) as session:
        require_refused(session, features)
        assert "execute" not in state().events


def damaged(path):
    path.write_bytes(path.read_bytes()[:-7])


def replaced(path):
    path.write_bytes(b"PK" * 1000)


def linked(path):
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


FILES = {
    "cut": (damaged, "not whole: its header tells of"),
    "another file": (replaced, "does not begin with IMOD"),
    "gone": (os.unlink, "No such file.*delete"),
    "a link": (linked, "symbolic link.*cp -L"),
    "open to all": (lambda path: path.chmod(0o666), "chmod 600"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_as_it_was_is_named(networks, tmp_path, monkeypatch, name):
    om.set_environment(monkeypatch)
    compiled(networks, tmp_path)
    change, message = FILES[name]
    change(tmp_path / "ecapa_tdnn_bs4.om")
    with pytest.raises(InputError, match=message):
        engines.module("ascend_om").load(tmp_path, om.job())
    assert "open" not in state().events


def test_the_owner_counts(tmp_path, monkeypatch):
    (tmp_path / "x.om").touch(0o600)
    monkeypatch.setattr(om_file.os, "getuid", lambda: 12345)
    monkeypatch.setattr(om_file.os, "getgid", lambda: 12345)
    monkeypatch.setattr(om_file.os, "getgroups", lambda: [12345])
    assert ["belongs to another user" in fault for fault in om_file.access_faults(tmp_path / "x.om")] == [True]


def test_a_model_of_another_job_is_refused(networks, tmp_path, monkeypatch):
    om.set_environment(monkeypatch)
    compiled(networks, tmp_path)
    (tmp_path / "ecapa_tdnn_bs4.om").rename(tmp_path / "ecapa_tdnn_bs8.om")
    with pytest.raises(InputError, match=r"not one float32 batch \(8, 80, 200\)"):
        engines.module("ascend_om").load(tmp_path, om.job(batch=8))
    assert state().events[-1] == "close"


@pytest.mark.parametrize("backend", ["ais_bench", "acl"])
def test_outputs_of_float16_are_refused(networks, tmp_path, monkeypatch, backend):
    om.set_environment(monkeypatch, FAULTS="half-outputs")
    compiled(networks, tmp_path)
    with pytest.raises(InputError, match="not float32"):
        engines.module("ascend_om").load(tmp_path, om.job(backend=backend))
    assert state().leaks == []


# Mutations


COMPARED = "disagrees with the reference"
# Module, piece, its replacement, interface, wheel, and what notices.
MUTATIONS = {
    "no check of the type": (om_session, "batch.dtype != np.float32 or ", "", "ais_bench", "2025", "int32"),
    "no check of the shape": (om_session, " or batch.shape != self._shape", "", "ais_bench", "2025", "swapped"),
    "no copy of a batch that is not contiguous": (
        om_session,
        'np.array(batch, np.float32, order="C", subok=False)',
        "batch",
        "ais_bench",
        "2023",
        "max",
    ),
    "bands and frames swapped": (
        om_session,
        "self._model.run(plain)",
        "self._model.run(np.ascontiguousarray(plain.swapaxes(1, 2)))",
        "ais_bench",
        "2025",
        COMPARED,
    ),
    "the same on pyACL": (
        om_session,
        "self._model.run(plain)",
        "self._model.run(np.ascontiguousarray(plain.swapaxes(1, 2)))",
        "acl",
        "2025",
        COMPARED,
    ),
    "the model is not freed": (om_ais_bench, "if free is not None:", "if False:", "ais_bench", "2025", "leaks"),
    "the device is not given back": (om_ais_bench, "session.finalize()", "pass", "ais_bench", "2025", "finalize"),
    "a tuple of inputs": (om_ais_bench, "infer([batch])", "infer((batch,))", "ais_bench", "2025", "must be a list"),
    "nothing is given back": (om_acl, "self._held.close()", "pass", "acl", "2025", "finalize"),
    "resources are not noted": (
        om_acl,
        'self.later(f"giving back what {what} made", give_back, resource)',
        "pass",
        "acl",
        "2025",
        "leaks",
    ),
    "no finalize": (om_acl, 'self.later("acl.finalize", acl.finalize)', "pass", "acl", "2025", "finalize"),
    "no reset": (
        om_acl,
        'self.later("acl.rt.reset_device", acl.rt.reset_device, device)',
        "pass",
        "acl",
        "2025",
        "finalize",
    ),
    "the wrong way to the device": (om_acl, "TO_DEVICE, FROM_DEVICE = 1, 2", "TO_DEVICE, FROM_DEVICE = 2, 1", "acl",
        "2025", "is no"),
    "bytes that are gone": (om_acl, "acl.util.bytes_to_ptr(owner)", "acl.util.bytes_to_ptr(batch.tobytes())", "acl",
        "2025", "an object that is gone"),
    "room for half": (om_acl, "memcpy(self._given[0], size,", "memcpy(self._given[0], size // 2,", "acl", "2025",
        "error 100000"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_adapter_is_caught(networks, features, reference, tmp_path, monkeypatch, name):
    module, old, new, backend, wheel, message = MUTATIONS[name]
    om.set_environment(monkeypatch, WHEEL=wheel)
    changed = mutant(module, old, new)
    if module is om_session:
        monkeypatch.setattr(road, "om_session", changed)
    else:
        monkeypatch.setattr(om_session, "BACKENDS", {**om_session.BACKENDS, backend: changed})

    def everything():
        require_right(embed(networks, features, tmp_path / "artefact", backend=backend), reference)
        om.set_environment(monkeypatch, WHEEL=wheel)
        with contextlib.closing(road.OmRoad().load(tmp_path / "artefact", om.job(backend=backend))) as session:
            require_refused(session, features)

    with pytest.raises((AssertionError, InputError), match=message):
        everything()


def test_what_is_mutated_passes_as_it_is(networks, features, reference, tmp_path, monkeypatch):
    """The same steps without a mutation."""
    om.set_environment(monkeypatch)
    require_right(embed(networks, features, tmp_path / "artefact"), reference)
    om.set_environment(monkeypatch)
    with contextlib.closing(road.OmRoad().load(tmp_path / "artefact", om.job())) as session:
        require_refused(session, features)


@pytest.mark.parametrize("change", [om.without_dilations, om.with_padded_last])
def test_another_graph_is_caught_before_the_first_embedding(networks, tmp_path, monkeypatch, change):
    """What a public conversion for this chip does to the network; by the cosine alone it would pass."""
    om.set_environment(monkeypatch)
    om.written(networks / "network.onnx", networks / "changed.onnx", change)
    record = compiled(networks, tmp_path, "changed.onnx")
    with pytest.raises(InputError, match="Another graph runs"):
        artefact.load(tmp_path, record, om.job())
    assert {"finalize", "close"} <= set(state().events)  # and the device is given back


def test_folders_of_a_mutated_compilation_are_noticed(networks, tmp_path, monkeypatch):
    om.set_environment(monkeypatch)
    monkeypatch.setattr(road, "atc", mutant(atc, "            cwd=folder,\n", ""))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "artefact").mkdir()
    road.OmRoad().compile_artefact(networks / "network.onnx", tmp_path / "artefact", om.job())
    assert (tmp_path / "kernel_meta").exists()  # which test_atc_works_in_a_folder_of_its_own would not pass over
