"""A network in int8: what stays in float, what the record says, the same bytes twice, and nothing sent to anybody."""

import hashlib
import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from support import calibration
from support.calibration import SHAPE
from support.families import SMALL, seeded
from support.paths import SCRIPTS
from support.scripts import finished
from support.synthetic import write_traced

from asv import engines, telemetry
from asv.engine_interface import Job
from asv.engines import openvino as engine
from asv.errors import InputError
from asv.inference import artefact
from asv.network import openvino_model
from asv.network.trace import trace
from asv.quantisation import graph, quantise, running
from asv.quantisation.by_nncf import Nncf

telemetry.off()
pytest.importorskip("nncf", reason="NNCF is not installed")


@pytest.fixture(scope="module")
def features():
    return calibration.noise()


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "network.pt"
    write_traced(path)
    return path


def words(folder, network, features):
    """The script's options; it writes into the folder."""
    outputs = ["--output", folder / "network.xml", "--weights", folder / "network.bin"]
    return ["--network", network, *calibration.options(folder, features), *outputs]


def quantise_by_script(folder, network, features):
    return finished("quantise_network.py", *words(folder, network, features))


@pytest.fixture(scope="module")
def made(network, features, tmp_path_factory):
    """Folder of a network that the script has quantised, and the script's output."""
    folder = tmp_path_factory.mktemp("quantised")
    done = quantise_by_script(folder, network, features)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_pooling_and_gates_stay_in_float(made):
    folder, shown = made
    record = json.loads((folder / "network.json").read_text())
    reasons = {layer["name"]: layer["reason"] for layer in record["layers"]}
    kinds = [layer["layer"] for layer in record["layers"] if layer["reason"] == quantise.POOLING]
    assert kinds == ["MatMul 128 x 48", "MatMul 48 x 128", "MatMul 192 x 96"]
    assert sum(reason == quantise.WHOLE for reason in reasons.values()) == 6  # two layers of each block's gates
    assert [layer["precision"] for layer in record["layers"] if layer["reason"] is None] == ["int8"] * 29
    assert sum(layer["work"] for layer in record["layers"]) == pytest.approx(1)
    assert record["met"]
    assert record["mean_cosine"] >= 0.998
    assert "29 of 38 layers in int8" in shown
    assert "float" in shown
    assert "(pooling over frames, or behind it)" in shown


def test_two_quantisations_write_the_same_bytes(made, network, features, tmp_path):
    assert quantise_by_script(tmp_path, network, features).returncode == 0
    for name in ("network.xml", "network.bin", "network.json"):
        first, second = ((folder / name).read_bytes() for folder in (made[0], tmp_path))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), name


def test_other_features_give_another_network(made, network, features, tmp_path):
    assert quantise_by_script(tmp_path, network, features * np.float32(0.5)).returncode == 0
    assert (tmp_path / "network.bin").read_bytes() != (made[0] / "network.bin").read_bytes()  # which has the ranges


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_artefact_tells_what_runs(made, network, features, tmp_path, batch_size):
    job = Job(batch_size, SHAPE, "int8")
    record, cosine = artefact.compile_checked(network, tmp_path, "openvino", job, "", made[0] / "network.xml")
    assert record["precision"] == record["requested_precision"] == "int8"
    assert record["quantisation"]["calibration"]["source"] == "noise"
    assert cosine > 0.9
    session = artefact.load(tmp_path, record, job)
    assert session.facts["precision"] == "int8"
    assert "29 of " in session.facts["layers"]
    assert session.facts["layers"].endswith(("the rest in bf16", "the rest in f32"))
    again = session.run(features[:batch_size]).copy()
    np.testing.assert_array_equal(again, session.run(features[:batch_size]))


def test_each_precision_is_compiled_of_its_own_network(made, network, tmp_path):
    with pytest.raises(InputError, match=r"precision int8 is compiled of what quantise_network\.py makes of it"):
        engine.compile_artefact(network, tmp_path, Job(1, SHAPE, "int8"))
    with pytest.raises(InputError, match="precision bf16 is compiled of the network itself"):
        engine.compile_artefact(made[0] / "network.xml", tmp_path, Job(1, SHAPE, "bf16"))
    assert engines.is_quantised("openvino-int8")
    assert not engines.is_quantised("openvino-bf16")


@pytest.mark.parametrize("family", sorted(SMALL))
@pytest.mark.parametrize("frames", [200, None])
def test_pooling_is_found_in_every_family(family, frames, tmp_path):
    """Behind the last values of single frames: attention, context and what follows, and nothing before it."""
    facts = SMALL[family]
    trace(seeded(family), (facts.n_mels, 200)).save(str(tmp_path / "network.pt"))
    model = openvino_model.any_batch(tmp_path / "network.pt", (facts.n_mels, frames))
    behind, delicate = graph.after_frames(model), graph.delicate(model)
    kept = [layer for name, layer in graph.layers(model).items() if name not in {*behind, *delicate}]
    pooled = [layer.weights for name, layer in graph.layers(model).items() if name in behind]
    aggregated = kept[-1].weights
    assert aggregated[0] == facts.aggregated, "the last convolution of single frames"
    assert len(pooled) == (4 if facts.context else 3)
    assert {facts.attention, facts.embedding} <= {size for weights in pooled for size in weights}
    gates = [layer for name, layer in graph.layers(model).items() if name in delicate and name not in behind]
    assert [facts.squeeze in layer.weights for layer in gates] == [True] * 6


class Statistics(torch.nn.Module):
    """A brought graph: plain statistics over frames behind two convolutions, without attention."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Conv1d(80, 8, 3), torch.nn.Conv1d(8, 8, 3)
        self.last = torch.nn.Linear(16, 4)

    def forward(self, x):
        frames = torch.relu(self.second(torch.relu(self.first(x))))
        return self.last(torch.cat((frames.mean(dim=2), frames.std(dim=2)), dim=1))


class Recurrent(torch.nn.Module):
    """A brought graph whose embedding is the last state of two recurrent layers."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv1d(80, 8, 3)
        self.recurrent, self.last = torch.nn.LSTM(8, 8, 2, batch_first=True), torch.nn.Linear(8, 4)

    def forward(self, x):
        _, (state, _) = self.recurrent(torch.relu(self.first(x)).transpose(1, 2))
        return self.last(state[-1])


class Blind(torch.nn.Module):
    """A brought graph that pools at once: nothing is known of it."""

    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(80, 4)

    def forward(self, x):
        return self.last(x.mean(dim=2))


def brought(module, folder):
    """OpenVINO's model of a brought graph."""
    torch.manual_seed(0)
    with torch.no_grad():
        torch.jit.trace(module.eval(), torch.zeros(1, *SHAPE)).save(str(folder / "brought.pt"))
    return openvino_model.any_batch(folder / "brought.pt", SHAPE)


@pytest.mark.parametrize(
    ("module", "int8"), [(Statistics, [(8, 80, 3), (8, 8, 3)]), (Recurrent, [(8, 80, 3)]), (Blind, [(4, 80)])]
)
def test_brought_graphs(module, int8, tmp_path):
    model = brought(module(), tmp_path)
    behind = graph.after_frames(model)
    found = [layer.weights for name, layer in graph.layers(model).items() if name not in behind]
    assert found == int8


def test_a_sensitive_layer_goes_back_to_float(features, tmp_path):
    """A channel that is a thousand times larger than the others leaves these no steps of eight bits."""
    module = Statistics()
    with torch.no_grad():
        module.first.weight[0] *= 1000
        module.second.weight[:, 0] /= 1000
    model = brought(module, tmp_path)
    toolkit = Nncf(model, features, 1)
    _, plain = quantise.quantise(toolkit, 0.0)
    assert [layer["precision"] for layer in plain["layers"]] == ["int8", "int8", "float"]
    assert [layer["gain"] for layer in plain["layers"]] == [None] * 3
    assert plain["met"]
    wanted = (1 + plain["mean_cosine"]) / 2

    _, better = quantise.quantise(toolkit, wanted)
    first, second, last = better["layers"]
    assert [layer["reason"] for layer in better["layers"]] == [None, quantise.SENSITIVE, quantise.POOLING]
    assert second["gain"] > max(0, first["gain"])
    assert last["gain"] is None
    assert better["met"]
    assert better["mean_cosine"] >= wanted > plain["mean_cosine"] == better["first_mean_cosine"]
    assert better["int8_work"] == first["work"] > quantise.LEAST_WORK
    assert "(sensitive)  gain +" in quantise.table(better)

    _, never = quantise.quantise(toolkit, 1.0)
    assert not never["met"]
    assert never["int8_work"] >= quantise.LEAST_WORK
    assert quantise.summary(never).endswith("BELOW quantisation.min_mean_cosine (1.0)")


def test_work_is_counted(tmp_path):
    layers = list(graph.layers(brought(Statistics(), tmp_path)).values())
    assert [layer.work for layer in layers] == [198 * 8 * 80 * 3, 196 * 8 * 8 * 3, 16 * 4]


def runtime(*layers):
    def fact(text):
        return types.SimpleNamespace(astype=lambda kind: text)

    def operation(facts):
        names = ("layerType", "runtimePrecision", "primitiveType")
        return types.SimpleNamespace(get_rt_info=lambda: dict(zip(names, map(fact, facts))))

    found = [operation(facts) for facts in layers]
    model = types.SimpleNamespace(get_ordered_ops=lambda: found)
    return types.SimpleNamespace(get_runtime_model=lambda: model)


def test_a_cpu_without_integer_instructions_is_told():
    compiled = runtime(
        ("Convolution", "u8", "jit_avx2_I8"), ("Convolution", "f32", "jit_avx2_f32"), ("Relu", "u8", "jit_avx2_I8")
    )
    assert running.told(compiled, "f32") == ("int8", "1 of 2 layers in int8 (1 by jit_avx2), the rest in f32")
    compiled = runtime(("Convolution", "f32", "jit_avx2_f32"))
    assert running.told(compiled, "f32") == ("f32", "none of 1 layers in int8, all in f32")


SPY = """
import json, runpy, sys
seen = []
def hook(event, arguments):
    if event.split(".")[0] in ("socket", "subprocess", "urllib") or event in ("os.fork", "os.posix_spawn", "os.exec"):
        seen.append([event, str(arguments)[:200]])
sys.addaudithook(hook)
sys.argv = sys.argv[1:]
sys.path.insert(0, {scripts!r})
runpy.run_path(sys.argv[0], run_name="__main__")
print("SEEN", json.dumps([event for event in seen if event[0] not in {harmless!r}]))
"""
# Of the standard library and PyTorch when they are imported; nothing is sent by these.
HARMLESS = ["socket.__new__", "socket.gethostname"]


def test_nothing_is_sent(network, features, tmp_path):
    """Neither a connection nor a name that is looked up, nor a process that could do it; and no id is kept at home."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "spy.py").write_text(SPY.format(scripts=str(SCRIPTS), harmless=HARMLESS))
    left_out = ("NNCF_CI", "NNCF_DEV", "CI")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    command = [tmp_path / "spy.py", SCRIPTS / "quantise_network.py", *words(tmp_path, network, features)]
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**environment, "HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.rpartition("SEEN ")[2]) == []
    assert list(home.rglob("*openvino_telemetry*")) == []
    assert not (home / "intel").exists()


def test_weights_are_small_enough_for_any_cpu(made):
    """Two products of 8 and 7 bits fit into 16 bits, where CPUs without VNNI add them; of 8 and 8 bits they do not."""
    import openvino

    model = openvino.Core().read_model(made[0] / "network.xml")
    weights = [operation for operation in model.get_ordered_ops() if operation.get_type_name() == "Constant"]
    integers = [constant.data for constant in weights if constant.get_element_type() == openvino.Type.i8]
    assert len(integers) == 29
    assert max(int(np.abs(array.astype(int)).max()) for array in integers) <= 64


def test_recurrent_layers_stay_in_float(features, tmp_path):
    model = brought(Recurrent(), tmp_path)
    made, outcome = quantise.quantise(Nncf(model, features, 1), 0.0)
    recurrent = [operation for operation in made.get_ordered_ops() if operation.get_type_name() in graph.RECURRENT]
    assert [operation.get_friendly_name() for operation in recurrent] == graph.recurrent(model)
    assert len(recurrent) == 2
    sources = [port.get_source_output().get_node() for operation in recurrent for port in operation.inputs()]
    assert not [source for source in sources if source.get_type_name() in ("FakeQuantize", "Convert")]
    assert [layer["precision"] for layer in outcome["layers"]] == ["int8", "float"]
    assert outcome["mean_cosine"] > 0.999
