"""Every artefact is compared with what the reference has made of a few inputs, whatever the batch size."""

import numpy as np
import pytest
import torch
from support.graphs import MELS, Onnx, Tdnn
from support.scripts import run_script
from support.synthetic import write_traced

from asv import files
from asv.engine_interface import Job
from asv.errors import InputError
from asv.inference import artefact, artefact_check, reference_outputs
from asv.network.trace import trace

SHAPE = (80, 200)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "network.pt"
    write_traced(path)
    return path


@pytest.fixture(scope="module")
def pairs(network):
    return reference_outputs.compute(network, SHAPE)


class Changed:
    """A session whose embeddings of some rows of a batch are changed."""

    def __init__(self, network, change, rows=slice(None)):
        self.network, self.change, self.rows = torch.jit.load(str(network)), change, rows

    def run(self, batch):
        with torch.no_grad():
            found = self.network(torch.from_numpy(batch)).numpy()
        found[self.rows] = self.change(found[self.rows])
        return found


def test_they_are_what_the_network_gives(network, pairs):
    [(inputs, embeddings)] = pairs
    assert inputs.shape == (reference_outputs.ROWS, *SHAPE)
    with torch.no_grad():
        np.testing.assert_allclose(
            torch.jit.load(str(network))(torch.from_numpy(inputs)).numpy(), embeddings, atol=1e-6
        )
    assert len({row.tobytes() for row in inputs}) == reference_outputs.ROWS, "different inputs"


def test_any_number_of_frames_is_tried_with_two(network):
    found = reference_outputs.compute(network, (80, None))
    assert [pair.inputs.shape[2] for pair in found] == list(reference_outputs.LENGTHS)


def test_noise_is_as_it_is_asked_for():
    [inputs] = reference_outputs.noise(SHAPE, mean=3.0, deviation=0.5)
    assert inputs.dtype == np.float32
    assert (inputs.mean(), inputs.std()) == pytest.approx((3.0, 0.5), abs=0.01)
    np.testing.assert_array_equal(inputs, reference_outputs.noise(SHAPE, 3.0, 0.5)[0])


def test_they_come_back_from_their_file_and_have_the_same_bytes(network, tmp_path):
    pairs = reference_outputs.compute(network, (80, None))
    for name in ("one.npz", "two"):
        reference_outputs.write(tmp_path / name, pairs)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two").read_bytes()
    for written, read in zip(pairs, reference_outputs.read(tmp_path / "two"), strict=True):
        np.testing.assert_array_equal(written.inputs, read.inputs)
        np.testing.assert_array_equal(written.embeddings, read.embeddings)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 9])
def test_one_file_serves_every_batch_size(network, pairs, batch_size):
    session = Changed(network, lambda rows: rows)
    assert artefact_check.compiled(session, pairs, Job(batch_size, SHAPE, "f32")) > 0.99999


@pytest.mark.parametrize(("batch_size", "row"), [(1, 0), (3, 2), (9, 0), (9, 8)])
@pytest.mark.parametrize("change", [np.negative, lambda rows: rows * np.float32("nan"), lambda rows: rows + 1e-3])
def test_a_fault_in_any_row_of_a_batch_is_found(network, pairs, batch_size, row, change):
    session = Changed(network, change, slice(row, row + 1))
    with pytest.raises(InputError, match="the artefact disagrees with the reference"):
        artefact_check.compiled(session, pairs, Job(batch_size, SHAPE, "f32"))


@pytest.mark.parametrize("batch_size", [4, 8, 64])
def test_rows_in_the_places_of_others_are_found(network, pairs, batch_size):
    session = Changed(network, lambda rows: np.roll(rows, batch_size // 2, axis=0))
    with pytest.raises(InputError, match="the artefact disagrees with the reference"):
        artefact_check.compiled(session, pairs, Job(batch_size, SHAPE, "f32"))


def test_embeddings_of_another_size_are_refused(network, pairs):
    class Short:
        def run(self, batch):
            return np.ones((len(batch), 7), np.float32)

    with pytest.raises(InputError, match=r"embeddings of \(7,\) numbers, and the reference of \(192,\)"):
        artefact_check.compiled(Short(), pairs, Job(4, SHAPE, "f32"))


class Damaged(torch.nn.Module):
    def forward(self, mel):
        return mel.mean(2) / 0


def test_a_network_that_gives_no_numbers_is_refused(tmp_path):
    trace(Damaged(), SHAPE).save(str(tmp_path / "network.pt"))
    with pytest.raises(InputError, match=r"400 numbers of 400 that are not finite \(NaN or infinite\): its weights"):
        reference_outputs.compute(tmp_path / "network.pt", SHAPE)


class Fixed(torch.nn.Module):
    """A network of one number of frames."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(80 * 200, 5)

    def forward(self, mel):
        return self.linear(mel.reshape(-1, 80 * 200))


def test_a_network_that_cannot_run_the_frames_is_refused(tmp_path):
    trace(Fixed(), SHAPE).save(str(tmp_path / "network.pt"))
    with pytest.raises(InputError, match=r"features\.frames, accuracy_by_length\.frames: the network cannot run 123 f"):
        reference_outputs.compute(tmp_path / "network.pt", (80, 123))


def test_the_network_itself_is_not_compared_with_its_own_outputs(network, pairs, tmp_path):
    """Nothing could be found, and it would need PyTorch; what is not that very file is compared."""
    reference_outputs.write(tmp_path / "reference.npz", [pair._replace(embeddings=-pair.embeddings) for pair in pairs])
    for name, engine in (("itself", "torchscript"), ("other", "openvino")):
        (tmp_path / name).mkdir()
        words = (network, tmp_path / name, engine, Job(4, SHAPE, "f32"), "")
        if engine == "torchscript":
            assert artefact.compile_checked(*words, reference=tmp_path / "reference.npz")[1] == 1.0
        else:
            with pytest.raises(InputError, match="the artefact disagrees with the reference"):
                artefact.compile_checked(*words, reference=tmp_path / "reference.npz")


def test_compiling_needs_no_torch(network, pairs, tmp_path, monkeypatch):
    """The converted network and the reference's outputs are all that OpenVINO is compiled of."""
    reference_outputs.write(tmp_path / "reference.npz", pairs)
    converted = ["--output", tmp_path / "openvino.xml", "--weights", tmp_path / "openvino.bin"]
    code, stderr = run_script("convert_network.py", "--network", network, *converted)
    assert code == 0, stderr
    (tmp_path / "torch.py").write_text("raise SystemExit('torch is imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for engine in ("openvino-f32", "torchscript-f32"):
        exported = ["--exported", tmp_path / "openvino.xml"] if engine == "openvino-f32" else []
        words = ["--network", network, *exported, "--reference", tmp_path / "reference.npz", "--batch-size", "3"]
        words += ["--engine", engine, "--output", tmp_path / engine]
        code, stderr = run_script("compile_engine.py", *words)
        assert code == 0, stderr
        assert files.read_json(tmp_path / engine / "artefact.json")["input"] == [3, *SHAPE]


def test_for_int8_the_noise_is_like_the_calibrations_features(network, tmp_path):
    features = np.random.default_rng(5).normal(2, 3, (20, *SHAPE)).astype(np.float32)
    np.save(tmp_path / "calibration.npy", features)
    words = ["--network", network, "--calibration", tmp_path / "calibration.npy", "--output", tmp_path / "r.npz"]
    code, stderr = run_script("reference_outputs.py", *words)
    assert code == 0, stderr
    [pair] = reference_outputs.read(tmp_path / "r.npz")
    assert (pair.inputs.mean(), pair.inputs.std()) == pytest.approx((features.mean(), features.std()), abs=0.05)


@pytest.mark.parametrize("batch_size", [1, 3, 5])
def test_a_graph_of_a_fixed_batch_is_run_with_that(tmp_path, batch_size):
    """As a brought ONNX model may be; its reference is OpenVINO."""
    path = Onnx((batch_size, MELS, 50), mels_first=True).save(tmp_path / "network.onnx")
    [(inputs, embeddings)] = reference_outputs.compute(path, (MELS, 50), batch_size)
    assert len(inputs) == len(embeddings) == reference_outputs.ROWS
    with torch.no_grad():
        expected = Tdnn(mels_first=True)(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)
