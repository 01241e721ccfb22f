"""The network as OpenVINO's model, converted once: it runs as what is converted for one batch size does."""

import resource

import numpy as np
import pytest
from support.scripts import run_script
from support.synthetic import write_traced

from asv.engine_interface import Job
from asv.engines import openvino as engine
from asv.network import openvino_model


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "network.pt"
    write_traced(path)
    return path


def outputs(network, folder, job, batch):
    folder.mkdir()
    engine.compile_artefact(network, folder, job)
    return engine.load(folder, job).run(batch).copy()


@pytest.mark.parametrize(("batch_size", "frames", "given"), [(1, 200, 200), (7, 200, 200), (1, None, 123)])
def test_the_converted_network_gives_the_same_numbers(network, tmp_path, batch_size, frames, given):
    converted = tmp_path / "openvino.xml"
    openvino_model.write(openvino_model.any_batch(network, (80, frames)), converted, tmp_path / "openvino.bin")
    job = Job(batch_size, (80, frames), "f32")
    batch = np.random.default_rng(0).standard_normal((batch_size, 80, given), np.float32)
    direct = outputs(network, tmp_path / "direct", job, batch)
    np.testing.assert_array_equal(outputs(converted, tmp_path / "converted", job, batch), direct)


def test_two_conversions_write_the_same_bytes(network, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        outputs = ["--output", tmp_path / name / "network.xml", "--weights", tmp_path / name / "network.bin"]
        code, stderr = run_script("convert_network.py", "--network", network, *outputs)
        assert code == 0, stderr
    for name in ("network.xml", "network.bin"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_conversion_that_fails_leaves_nothing(network, tmp_path, monkeypatch):
    def save(model, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openvino_model, "save", save)
    model = openvino_model.any_batch(network, (80, 200))
    with pytest.raises(OSError, match="No space left"):
        openvino_model.write(model, tmp_path / "network.xml", tmp_path / "network.bin")
    assert list(tmp_path.iterdir()) == []


def test_the_system_says_why_a_model_could_not_be_written(network, tmp_path):
    """OpenVINO itself keeps it back: a full disk is a `basic_ios::clear: iostream error`."""
    outputs = ["--output", tmp_path / "network.xml", "--weights", tmp_path / "network.bin"]
    too_large = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))}
    code, stderr = run_script("convert_network.py", "--network", network, *outputs, **too_large)
    assert code == 1
    assert "File too large" in stderr
    assert list(tmp_path.iterdir()) == []


def test_other_failures_keep_their_words(network, tmp_path, monkeypatch):
    def save_model(*_, **__):
        raise RuntimeError("another failure")

    monkeypatch.setattr("openvino.save_model", save_model)
    with pytest.raises(RuntimeError, match="another failure"):
        openvino_model.save(openvino_model.any_batch(network, (80, 200)), tmp_path / "network.xml")
    assert list(tmp_path.iterdir()) == []
