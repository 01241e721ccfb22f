"""ONNX Runtime's own settings: providers that are not there, and levels of optimisation."""

import resource

import numpy as np
import onnxruntime
import pytest
from support.synthetic import write_exported, write_traced

from asv import engines, files
from asv.engine_interface import Job
from asv.errors import InputError
from asv.snakefile.config import check

ENGINE = engines.module("onnxruntime")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("onnxruntime")
    write_traced(place / "network.pt")
    write_exported(place / "network.pt").rename(place / ENGINE.ARTEFACT)
    return place


def job(**options):
    return Job(2, (80, 200), "f32", 1, options)


def limited_to(size, function):
    """The function in a process that may write files of so many bytes at most, as where a disk is full."""

    def limited(*arguments, **options):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            return function(*arguments, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def test_a_provider_that_this_build_lacks(folder):
    with pytest.raises(InputError, match=r"providers: no CUDAExecutionProvider: this build of ONNX Runtime has .*CPU"):
        ENGINE.load(folder, job(providers=["CUDAExecutionProvider"]))


def test_a_provider_that_is_dropped_in_silence(folder, monkeypatch):
    """As where a build has a provider and the machine lacks its driver."""
    offered = [*onnxruntime.get_available_providers(), "CUDAExecutionProvider"]
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda path, options, providers: real(path, options, ["CPUExecutionProvider"])
    )
    with pytest.raises(InputError, match="no CUDAExecutionProvider: ONNX Runtime has dropped it"):
        ENGINE.load(folder, job(providers=["CUDAExecutionProvider", "CPUExecutionProvider"]))


def test_the_system_says_why_the_optimised_graph_could_not_be_written(folder, monkeypatch):
    """In int8 the graph that runs is read from what ONNX Runtime writes of it; of a full disk it says `Protobuf`."""
    monkeypatch.setattr(onnxruntime, "InferenceSession", limited_to(100_000, onnxruntime.InferenceSession))
    monkeypatch.setattr(files, "try_to_write", limited_to(100_000, files.try_to_write))
    with pytest.raises(OSError, match="File too large"):
        ENGINE.load(folder, Job(2, (80, 200), "int8", 1))


@pytest.mark.parametrize("level", sorted(ENGINE.LEVELS))
def test_every_level_computes_the_same(folder, level):
    mel = np.random.default_rng(0).standard_normal((2, 80, 200)).astype(np.float32)
    found = ENGINE.load(folder, job(graph_optimization_level=level)).run(mel)
    np.testing.assert_allclose(found, ENGINE.load(folder, job()).run(mel), atol=1e-5)


def test_batches_in_flight_come_back_in_order(folder):
    batches = [np.random.default_rng(seed).standard_normal((2, 80, 200)).astype(np.float32) for seed in range(7)]
    alone = ENGINE.load(folder, job())
    session = ENGINE.load_in_flight(folder, Job(2, (80, 200), "f32", 2))
    assert session.in_flight == 2
    for found, batch in zip(session.run_all(batches), batches):
        np.testing.assert_allclose(found, alone.run(batch), atol=1e-6)
    session.close()


def test_a_damaged_file(folder, tmp_path):
    (tmp_path / "network.onnx").write_bytes((folder / "network.onnx").read_bytes()[:500])
    with pytest.raises(InputError, match=r"onnxruntime refuses .*network\.onnx: "):
        ENGINE.load(tmp_path, job())


def test_settings_are_checked():
    with pytest.raises(InputError, match="graph_optimization_level: 'most' is none of disabled, basic, extended, all"):
        check({"engines": {"onnxruntime": {"graph_optimization_level": "most"}}})
    with pytest.raises(InputError, match=r"engines\.onnxruntime\.providers"):
        check({"engines": {"onnxruntime": {"providers": []}}})
    assert check({"engine": "onnxruntime"})["engines"]["onnxruntime"]["providers"] == ["CPUExecutionProvider"]
