"""The exported network: valid ONNX of any batch size, equal to the trace, and it says what features it wants."""

import io
import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from support.families import SMALL, seeded
from support.paths import SCRIPTS
from support.synthetic import write_traced

from asv import engines, files, vectors
from asv.engine_interface import Job
from asv.errors import InputError
from asv.features.contract import Contract
from asv.inference import artefact
from asv.network import families, onnx_export
from asv.network.brought import onnx_model, own_contract
from asv.network.ecapa_tdnn import EcapaTdnn
from asv.network.trace import trace

SIDECAR = {"family": "modelzoo", "checkpoint_sha256": "ab" * 32, "embedding": 192, "training_set": None}


def session_of(content):
    run, _ = onnx_export.runner(content)
    return run


def torchscript_of(graph):
    def run(mel):
        with torch.no_grad():
            return graph(torch.from_numpy(mel)).numpy()

    return run


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A small network of the workflow's own, and its path."""
    path = tmp_path_factory.mktemp("network") / "network.pt"
    write_traced(path)
    return torch.jit.load(str(path)).eval(), path


@pytest.fixture(scope="module")
def content(traced):
    words = onnx_export.metadata(SIDECAR, families.module("modelzoo").CONTRACT)
    return onnx_export.finished(onnx_export.exported(traced[1], 80, 200, 192, 13), words)


def test_names_axes_opset_and_metadata(content):
    model = onnx.load_from_string(content)
    assert [(found.domain, found.version) for found in model.opset_import] == [("", 13)]
    (taken,), (given,) = model.graph.input, model.graph.output
    axes = [[axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in (taken, given)]
    assert (taken.name, given.name) == ("mel", "embedding")
    assert axes == [["batch", 80, 200], ["batch", 192]]
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert found["family"] == "modelzoo"
    assert found["embedding_size"] == "192"
    assert found["checkpoint_sha256"] == SIDECAR["checkpoint_sha256"]
    assert found["licence"].startswith("not known")
    assert "training_set" not in found
    assert Contract.from_mapping(json.loads(found["feature_contract"]), "here") == families.module("modelzoo").CONTRACT


def test_a_known_checkpoint_has_its_licence():
    (known, *_) = families.module("speechbrain").PUBLISHED
    sidecar = {"family": "speechbrain", "checkpoint_sha256": known.sha256, "embedding": 192, "training_set": "some"}
    words = onnx_export.metadata(sidecar, families.module("speechbrain").CONTRACT)
    assert (words["licence"], words["training_set"]) == ("Apache-2.0", "some")


@pytest.mark.parametrize("family", sorted(families.names()))
@pytest.mark.parametrize(("opset", "frames"), [(13, 200), (13, None), (17, 200)])
def test_every_family(family, opset, frames, tmp_path):
    """Whatever its middle, ends and pooling are: the same numbers by ONNX Runtime, at any batch size."""
    facts = replace(SMALL[family], channels=32, aggregated=96)
    network = seeded(family, facts)
    graph = trace(network, (facts.n_mels, 200))
    path = tmp_path / "network.pt"
    graph.save(str(path))
    model = onnx_export.exported(path, facts.n_mels, frames, facts.embedding, opset)
    first = torchscript_of(lambda mel: graph(mel)[0] if family == "modelzoo" else graph(mel))
    content = onnx_export.finished(model, {})
    assert onnx_export.check(content, first, facts.n_mels, frames) <= onnx_export.TOLERANCE
    (tmp_path / "network.onnx").write_bytes(content)
    job, place = Job(4, (facts.n_mels, 57 if frames is None else frames), "f32"), tmp_path / "artefact"
    place.mkdir()
    engine = engines.module("onnxruntime")
    engine.compile_artefact(tmp_path / "network.onnx", place, job)
    mel = np.random.default_rng(1).standard_normal(job.batch_shape).astype(np.float32)
    assert vectors.cosines(engine.load(place, job).run(mel), first(mel)).min() >= 0.99999


def test_of_several_outputs_only_the_embedding_is_exported(tmp_path):
    torch.manual_seed(0)
    graph = trace(EcapaTdnn(channels=16, speakers=4).eval(), (80, 200))
    graph.save(str(tmp_path / "network.pt"))
    model = onnx_export.exported(tmp_path / "network.pt", 80, 200, 192, 13)
    assert [value.name for value in model.graph.output] == ["embedding"]


def changed(content, change):
    model = onnx.load_from_string(content)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    change({shapes[node.input[1]]: node for node in model.graph.node if node.op_type == "Conv"})
    return model.SerializeToString()


def attribute(node, name):
    return next(found for found in node.attribute if found.name == name)


def undilated(nodes):
    """What a known rewriting of this network for the Ascend chip does to it."""
    for node in nodes.values():
        attribute(node, "dilations").ints[:] = [1]
        attribute(node, "pads").ints[:] = [attribute(node, "kernel_shape").ints[0] // 2] * 2


def padded(nodes):
    """The same rewriting leaves the last convolution, of kernel 1, padded by 1: two frames more are pooled."""
    attribute(nodes[(48, 48, 1)], "pads").ints[:] = [1, 1]


@pytest.mark.parametrize("change", [undilated, padded])
def test_an_exporter_that_changes_the_network_is_caught(traced, content, change):
    run, reference = session_of(changed(content, change)), torchscript_of(traced[0])
    mel = np.random.default_rng(0).standard_normal((3, 80, 200)).astype(np.float32)
    if change is undilated:
        assert vectors.cosines(run(mel), reference(mel)).min() > 0.9  # near enough to be overlooked
    with pytest.raises(InputError, match="differs from the traced one by"):
        onnx_export.check(changed(content, change), reference, 80, 200)


def test_values_that_are_no_numbers_are_caught(traced, content):
    with pytest.raises(InputError, match="by nan"):
        onnx_export.check(content, lambda mel: np.full((len(mel), 192), np.nan, np.float32), 80, 200)


def test_an_opset_that_lacks_an_operation_is_named(tmp_path):
    class Odd(torch.nn.Module):
        def forward(self, mel):
            return torch.linalg.matrix_exp(mel[:, :4, :4]).mean(2)

    torch.jit.trace(Odd(), torch.zeros(1, 80, 200)).save(str(tmp_path / "network.pt"))
    with pytest.raises(InputError, match=r"^onnx\.opset: 13: the network cannot be exported: .*matrix_exp"):
        onnx_export.exported(tmp_path / "network.pt", 80, 200, 4, 13)


def brought(path, taken="features", given="vector", inner="mel"):
    """A graph with names of its own, one of which is that of our input, and a branch that uses its input."""
    branch = helper.make_graph(
        [helper.make_node("Identity", [taken], ["same"])],
        "branch",
        [],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, None)],
    )
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("yes", TensorProto.BOOL, [], [True])),
        helper.make_node("If", ["yes"], [inner], then_branch=branch, else_branch=branch),
        helper.make_node("ReduceMean", [inner], [given], axes=[2], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(taken, TensorProto.FLOAT, ["batch", 24, "frames"])],
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["batch", 24])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_operatorsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"framework": "wespeaker"})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("names", [{}, {"inner": "embedding"}, {"taken": "mel", "given": "embedding", "inner": "x"}])
def test_a_brought_graph_gets_our_names(tmp_path, names):
    path = brought(tmp_path / "network.onnx", **names)
    model = onnx_export.renamed(path)
    assert (model.graph.input[0].name, model.graph.output[0].name) == ("mel", "embedding")
    content = onnx_export.finished(model, {"family": "onnx"})
    assert onnx_export.check(content, onnx_export.runner(path)[0], 24, None) == 0
    assert [entry.key for entry in model.metadata_props] == ["family"]


def test_the_contract_in_a_file_is_read_back(content, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    metadata, contract = onnx_model.metadata(path), families.module("modelzoo").CONTRACT
    assert own_contract.read(metadata, path) == contract
    assert own_contract.read({}, path) is None
    own_contract.check(metadata, contract, path, "mine.yaml")
    with pytest.raises(InputError, match=r"mine\.yaml disagrees with the metadata of .*network\.onnx: power 2, not 1"):
        own_contract.check(metadata, replace(contract, power=2), path, "mine.yaml")


@pytest.mark.parametrize("text", ["[[[", "null", '{"power": 7}'])
def test_a_damaged_contract_in_a_file(text):
    with pytest.raises(InputError, match="feature_contract"):
        own_contract.read({"feature_contract": text}, "network.onnx")


def run_script(traced, tmp_path, name):
    files.write_json(tmp_path / "network.json", SIDECAR)
    contract = json.dumps(families.module("modelzoo").CONTRACT.to_mapping())
    command = [sys.executable, SCRIPTS / "export_onnx.py", "--network", traced[1], "--frames", "200", "--opset", "13"]
    words = [*command, "--sidecar", tmp_path / "network.json", "--contract", contract, "--output", tmp_path / name]
    return subprocess.run(list(map(str, words)), capture_output=True, text=True)


def test_two_exports_have_the_same_bytes(traced, tmp_path):
    for name in ("one.onnx", "two.onnx"):
        done = run_script(traced, tmp_path, name)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"[\d,]+ bytes, opset 13; it differs from the network by \d\.\de-\d\d\n", done.stdout)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_an_engine_that_wants_onnx_says_so(traced, tmp_path):
    with pytest.raises(InputError, match=r"onnxruntime cannot read network\.pt; export it \(export_onnx\.py\)"):
        artefact.compile_checked(traced[1], tmp_path, "onnxruntime", Job(4, (80, 200), "f32"), "0")


def test_a_compiled_artefact_is_compared_with_the_trace(traced, content, tmp_path):
    (tmp_path / "network.onnx").write_bytes(content)
    job, (good, bad) = Job(4, (80, 200), "f32"), (tmp_path / "good", tmp_path / "bad")
    for place in (good, bad):
        place.mkdir()
    record, cosine = artefact.compile_checked(traced[1], good, "onnxruntime", job, "0", tmp_path / "network.onnx")
    assert (record["engine"], record["precision"]) == ("onnxruntime", "f32")
    assert cosine > 0.99999
    (tmp_path / "network.onnx").write_bytes(changed(content, undilated))
    with pytest.raises(InputError, match="disagrees with the reference"):
        artefact.compile_checked(traced[1], bad, "onnxruntime", job, "0", tmp_path / "network.onnx")


def test_a_truncated_file_is_refused(content):
    with pytest.raises(InputError, match="ONNX Runtime refuses the network"):
        onnx_export.runner(io.BytesIO(content).read(1000))
