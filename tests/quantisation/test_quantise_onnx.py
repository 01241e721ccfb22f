"""A network in int8 for ONNX Runtime: which layers, the same bytes twice, what runs, and sensitive layers."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from support import calibration
from support.calibration import SHAPE
from support.families import SMALL, seeded
from support.scripts import finished

from asv import telemetry, vectors
from asv.engine_interface import Job
from asv.engines import onnxruntime as engine
from asv.errors import InputError
from asv.inference import artefact
from asv.network import onnx_export, openvino_model
from asv.network.trace import trace
from asv.quantisation import by_onnx_runtime, graph, quantise, running_onnx

telemetry.off()
onnx = pytest.importorskip("onnx", reason="ONNX is not installed")


@pytest.fixture(scope="module")
def features():
    return calibration.noise()


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The network of the default family, traced and exported."""
    folder = tmp_path_factory.mktemp("network")
    traced = folder / "network.pt"
    trace(seeded("modelzoo"), SHAPE).save(str(traced))
    model = onnx_export.exported(traced, *SHAPE, 192, 13)
    (folder / "network.onnx").write_bytes(onnx_export.finished(model, {}))
    return folder / "network.onnx"


def quantise_by_script(folder, network, features):
    words = ["--network", network, *calibration.options(folder, features), "--output", folder / "network.onnx"]
    return finished("quantise_onnx.py", *words)


@pytest.fixture(scope="module")
def made(network, features, tmp_path_factory):
    """Folder of a network that the script has quantised."""
    folder = tmp_path_factory.mktemp("quantised")
    done = quantise_by_script(folder, network, features)
    assert done.returncode == 0, done.stderr
    assert "29 of 38 layers in int8" in done.stdout
    return folder


def test_pooling_and_gates_stay_in_float(made):
    record = json.loads((made / "network.json").read_text())
    kinds = [layer["layer"] for layer in record["layers"] if layer["reason"] == quantise.POOLING]
    assert len(kinds) == 3
    assert [layer["precision"] for layer in record["layers"] if layer["reason"] is None] == ["int8"] * 29
    assert sum(layer["reason"] == quantise.WHOLE for layer in record["layers"]) == 6
    assert record["met"]
    assert record["mean_cosine"] >= 0.998
    assert set(record["versions"]) == {"onnx", "onnxruntime", "openvino"}


def test_two_quantisations_write_the_same_bytes(made, network, features, tmp_path):
    assert quantise_by_script(tmp_path, network, features).returncode == 0
    for name in ("network.onnx", "network.json"):
        first, second = ((folder / name).read_bytes() for folder in (made, tmp_path))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), name


def test_other_features_give_another_network(made, network, features, tmp_path):
    assert quantise_by_script(tmp_path, network, features * np.float32(0.5)).returncode == 0
    assert (tmp_path / "network.onnx").read_bytes() != (made / "network.onnx").read_bytes()


def test_weights_are_small_enough_for_any_cpu(made):
    """Two products of 8 and 7 bits fit into 16 bits, where CPUs without VNNI add them; of 8 and 8 bits they do not."""
    found = onnx.load(made / "network.onnx").graph
    weights = [onnx.numpy_helper.to_array(tensor) for tensor in found.initializer]
    integers = [array for array in weights if array.dtype == np.int8 and array.ndim > 1]
    assert len(integers) == 29
    assert max(int(np.abs(array.astype(int)).max()) for array in integers) == 64


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_artefact_tells_what_runs(made, network, features, tmp_path, batch_size):
    job = Job(batch_size, SHAPE, "int8")
    record, cosine = artefact.compile_checked(
        network.with_suffix(".pt"), tmp_path, "onnxruntime", job, "", made / "network.onnx"
    )
    assert record["precision"] == record["requested_precision"] == "int8"
    assert record["quantisation"]["calibration"]["source"] == "noise"
    assert cosine > 0.98
    session = artefact.load(tmp_path, record, job)
    assert session.facts["precision"] == "int8"
    assert session.facts["layers"] == "29 of 38 layers in int8 (29 by QLinearConv), the rest in f32"
    again = session.run(features[:batch_size]).copy()
    np.testing.assert_array_equal(again, session.run(features[:batch_size]))
    in_flight = engine.load_in_flight(tmp_path, Job(batch_size, SHAPE, "int8", threads=2))
    assert in_flight.facts == {**session.facts, "threads": 2}
    np.testing.assert_allclose(in_flight.run_all([features[:batch_size]])[0], again, rtol=1e-4, atol=1e-4)
    in_flight.close()


def test_what_is_not_optimised_runs_in_float_and_says_so(made, network, tmp_path):
    """Without optimisation ONNX Runtime computes in float between its quantisers."""
    job = Job(1, SHAPE, "int8", options={"graph_optimization_level": "disabled"})
    engine.compile_artefact(made / "network.onnx", tmp_path, job)
    facts = engine.load(tmp_path, job).facts
    assert facts["precision"] == "f32"
    assert facts["layers"] == "none of 38 layers in int8, all in f32"


def test_int8_is_compiled_of_what_was_quantised(network, tmp_path):
    (tmp_path / "network.onnx").write_bytes(network.read_bytes())
    (tmp_path / "network.json").write_text("{}")
    with pytest.raises(InputError, match=r"precision int8 is compiled of what quantise_onnx\.py makes of the network"):
        engine.compile_artefact(tmp_path / "network.onnx", tmp_path / "out", Job(1, SHAPE, "int8"))


def exported(module, folder):
    """A brought graph as ONNX, its nodes without names, as some exporters leave them."""
    torch.manual_seed(0)
    path = folder / "brought.onnx"
    with torch.no_grad():
        names = {"input_names": ["mel"], "output_names": ["embedding"], "dynamic_axes": {"mel": {0: "batch"}}}
        torch.onnx.export(module.eval(), torch.zeros(1, *SHAPE), path, opset_version=13, dynamo=False, **names)
    model = onnx.load(path)
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, path)
    return path


class Brought(torch.nn.Module):
    """Convolutions, a recurrent layer if asked for, and statistics over frames."""

    def __init__(self, recurrent):
        super().__init__()
        self.first, self.second = torch.nn.Conv1d(80, 8, 3), torch.nn.Conv1d(8, 8, 3)
        self.recurrent = torch.nn.LSTM(8, 8, batch_first=True) if recurrent else None
        self.last = torch.nn.Linear(8 if recurrent else 16, 4)

    def forward(self, x):
        frames = torch.relu(self.second(torch.relu(self.first(x))))
        if self.recurrent is not None:
            return self.last(self.recurrent(frames.transpose(1, 2))[1][0][-1])
        return self.last(torch.cat((frames.mean(dim=2), frames.std(dim=2)), dim=1))


def toolkit_of(network, features):
    named = by_onnx_runtime.named(network)
    path = network.with_name("named.onnx")
    path.write_bytes(named.SerializeToString())
    return by_onnx_runtime.OnnxRuntime(named, openvino_model.any_batch(path, features.shape[1:]), features, 1)


@pytest.mark.parametrize("recurrent", [False, True])
def test_brought_graphs(recurrent, features, tmp_path):
    toolkit = toolkit_of(exported(Brought(recurrent), tmp_path), features)
    made, outcome = quantise.quantise(toolkit, 0.0)
    precisions = {layer["layer"]: layer["precision"] for layer in outcome["layers"]}
    assert precisions["Convolution 8 x 80 x 3"] == precisions["Convolution 8 x 8 x 3"] == "int8"
    assert precisions[next(name for name in precisions if name.startswith("MatMul"))] == "float"
    cosines = vectors.cosines(toolkit.embeddings(made), toolkit.embeddings(toolkit.original))
    assert cosines.mean() == pytest.approx(outcome["mean_cosine"])
    assert cosines.mean() > 0.98


def test_a_sensitive_layer_goes_back_to_float(features, tmp_path):
    """An outcome a thousand times larger than a layer's others leaves these no steps of eight bits."""
    torch.manual_seed(0)
    module = Brought(recurrent=False)
    with torch.no_grad():
        module.second.weight[0] *= 1000
        module.last.weight[:, [0, 8]] /= 1000  # its mean and its deviation over frames
    toolkit = toolkit_of(exported(module, tmp_path), features)
    _, plain = quantise.quantise(toolkit, 0.0)
    assert [layer["precision"] for layer in plain["layers"]] == ["int8", "int8", "float"]
    assert [layer["gain"] for layer in plain["layers"]] == [None] * 3
    wanted = (1 + plain["mean_cosine"]) / 2
    made, better = quantise.quantise(toolkit, wanted)
    first, second, _ = better["layers"]
    assert [layer["reason"] for layer in better["layers"]] == [None, quantise.SENSITIVE, quantise.POOLING]
    assert second["gain"] > max(0, first["gain"])
    assert better["met"]
    assert better["mean_cosine"] >= wanted > plain["mean_cosine"] == better["first_mean_cosine"]
    assert toolkit.integers(made) == {first["name"]}


@pytest.mark.parametrize("family", sorted(SMALL))
def test_every_familys_convolutions_of_frames_are_quantised(family, features, tmp_path):
    facts = SMALL[family]
    traced = tmp_path / "network.pt"
    trace(seeded(family), (facts.n_mels, 200)).save(str(traced))
    model = onnx_export.exported(traced, facts.n_mels, 200, facts.embedding, 13)
    (tmp_path / "network.onnx").write_bytes(onnx_export.finished(model, {}))
    crops = np.random.default_rng(3).uniform(-1, 1, (12, facts.n_mels, 200)).astype(np.float32)
    toolkit = toolkit_of(tmp_path / "network.onnx", crops)
    made, outcome = quantise.quantise(toolkit, 0.0)
    kept = {*graph.after_frames(toolkit.model), *graph.delicate(toolkit.model)}
    assert toolkit.integers(made) == {layer["name"] for layer in outcome["layers"]} - kept
    assert outcome["mean_cosine"] > 0.98


def test_no_layer_that_can_be_quantised_leaves_the_network_as_it_is(network, features, tmp_path):
    toolkit = toolkit_of(shutil.copy(network, tmp_path / "network.onnx"), features)
    made = toolkit.quantise(list(graph.layers(toolkit.model)))
    assert made == toolkit.original
    assert toolkit.integers(made) == set()
    assert running_onnx.told(network) == ("f32", "none of 38 layers in int8, all in f32")
