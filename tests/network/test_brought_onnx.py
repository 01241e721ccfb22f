"""ONNX models that users bring: what is recognised, what is made of them, and what is refused with which words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.graphs import CONTRACT, MELS, NUMBERS, Onnx

from asv.errors import InputError
from asv.features.contract_file import read
from asv.network import first_norm
from asv.network.brought import onnx_model, trial
from asv.network.brought.onnx_graph import Runner, Wanted, bring


@pytest.fixture
def contract(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT)
    return read(path)


@pytest.fixture
def brought(contract, tmp_path):
    def brought(graph, **wanted):
        """Of a graph, or of bytes."""
        path = tmp_path / "network.onnx"
        if isinstance(graph, bytes):
            path.write_bytes(graph)
        else:
            graph.save(path)
        return bring(path, contract, "contract.yaml", Wanted(**wanted), "mine.onnx")

    return brought


def embedding(of, features):
    return Runner(of.content, "it")(features)


def expected(graph, features):
    with torch.no_grad():
        return graph.module(torch.from_numpy(features).transpose(1, 2)).numpy()


AXES = {
    "frames_mels": (("batch", "frames", MELS), False),
    "mels_frames": (("batch", MELS, "frames"), True),
    "batch of 1": ((1, "frames", MELS), False),
    "unnamed axes": ((None, None, MELS), False),
}


@pytest.mark.parametrize("name", AXES)
def test_a_graph_becomes_one_of_mels_and_frames_at_any_batch_size(name, brought):
    axes, mels_first = AXES[name]
    graph = Onnx(axes, mels_first)
    found = brought(graph)
    for batch, frames in ((1, 200), (4, 77)):
        features = trial.noise(batch, MELS, frames)
        np.testing.assert_allclose(embedding(found, features), expected(graph, features), atol=1e-5)
    assert found.facts["layout"] == ("mels_frames" if mels_first else "frames_mels")
    assert (found.facts["embedding"], found.facts["batch"]) == (NUMBERS, None)
    assert found.facts["parameters"] == sum(value.numel() for value in graph.module.state_dict().values()) - 1


def test_what_is_written_is_a_model_by_the_toolkits_own_check(brought):
    graph = Onnx((1, "frames", MELS))
    graph.onnx.checker.check_model(graph.onnx.load_from_string(brought(graph).content), full_check=True)


def test_the_first_norm_is_found_and_is_that_of_the_weights(brought):
    graph = Onnx()
    found, module = brought(graph).norm, graph.module
    expected_arrays = first_norm.arrays(torch.nn.Sequential(module.conv), module.norm)
    assert found.keys() == expected_arrays.keys()
    for name, value in expected_arrays.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_graph_that_begins_otherwise_has_no_first_norm(brought):
    graph = Onnx()
    graph.nodes[2].op_type = "Sigmoid"
    assert brought(graph).norm == {}


@pytest.mark.parametrize("kind", ["INT64", "INT32", "FLOAT"])
def test_lengths_are_filled_in(kind, brought):
    graph = Onnx()
    helper = graph.helper
    number = getattr(graph.kinds, kind)
    graph.inputs.append(graph.value("lengths", ["batch"], number))
    graph.nodes[-1].output[0] = "raw"
    graph.weights.append(graph.onnx.numpy_helper.from_array(np.array([1], np.int64), "one"))
    graph.nodes += [
        helper.make_node("Cast", ["lengths"], ["l"], to=graph.kinds.FLOAT),
        helper.make_node("Unsqueeze", ["l", "one"], ["column"]),
        helper.make_node("Add", ["raw", "column"], ["embedding"]),
    ]
    features = trial.noise(3, MELS, 90)
    np.testing.assert_allclose(embedding(brought(graph), features), expected(graph, features) + 90, atol=1e-4)


def test_a_second_output_and_an_axis_of_one(brought):
    graph = Onnx()
    graph.outputs.append(graph.value("n", ["batch", 8, "frames"]))  # of three axes: no embedding
    assert brought(graph).facts["graph_output"] == "embedding"
    graph.outputs.append(graph.value("m", ["batch", 8]))
    assert brought(graph).facts["graph_output"] == "embedding"  # by its name
    for wanted in ("m", 2, "2"):
        assert brought(graph, output=wanted).facts["embedding"] == 8
    graph.nodes[-2].attribute[1].i = 1  # keepdims
    graph.nodes.pop()
    graph.outputs = [graph.value("m", ["batch", 8, 1])]
    assert embedding(brought(graph), trial.noise(2, MELS, 50)).shape == (2, 8)


def test_a_batch_of_one_that_cannot_be_loosened_stays_one(brought):
    graph = Onnx((1, "frames", MELS))
    graph.weights.append(graph.onnx.numpy_helper.from_array(np.array([1, NUMBERS], np.int64), "shape"))
    graph.nodes[-1].output[0] = "raw"
    graph.nodes.append(graph.helper.make_node("Reshape", ["raw", "shape"], ["embedding"]))
    found = brought(graph)
    assert found.facts["batch"] == 1
    assert onnx_model.parse(found.content, "it").inputs[0].axes == (1, MELS, "frames")
    graph.inputs = [graph.value("features", ["batch", "frames", MELS])]
    with pytest.raises(InputError, match=r"mine.onnx: the graph takes a batch of 1 alone.*export it with the axis of"):
        brought(graph)


def changed(change, axes=("batch", "frames", MELS)):
    graph = Onnx(axes)
    change(graph)
    return graph


def with_input(name, axes, kind="FLOAT"):
    return lambda graph: graph.inputs.append(graph.value(name, axes, getattr(graph.kinds, kind)))


def integer(graph):
    graph.inputs = [graph.value("features", ["batch", "frames", MELS], graph.kinds.INT64)]


def of_samples(graph):
    graph.inputs = [graph.value("wave", ["batch", "samples"])]


def two_outputs(graph):
    graph.outputs = [graph.value("m", ["batch", 8]), graph.value("raw", ["batch", NUMBERS])]
    graph.nodes[-1].output[0] = "raw"


def no_embedding(graph):
    graph.outputs = [graph.value("n", ["batch", 8, "frames"])]


def not_a_number(graph):
    graph.weights[-1].raw_data = np.full(NUMBERS, np.nan, np.float32).tobytes()


def elsewhere(graph):
    weight = graph.weights[0]
    weight.ClearField("raw_data")
    weight.data_location = weight.EXTERNAL
    weight.external_data.add(key="location", value="network.onnx.data")


BAD = {
    "integer input": (integer, {}, r"network.input: features are float32 .*no input.*features is int64"),
    "samples": (of_samples, {}, r"network.input: .*no input.*wave \(float32: batch, samples\).*export a graph"),
    "two inputs": (
        with_input("b", ["n", "t", MELS]),
        {},
        r"network.input: .*2 inputs.*features .*; b .*set network.in",
    ),
    "another input": (with_input("style", ["n", 4]), {"input": "features"}, r"besides features .*style .*without them"),
    "no such input": (
        lambda graph: None,
        {"input": "x"},
        r"network.input: no input is called 'x'; there are: features",
    ),
    "an input of weights": (with_input("style", ["n", 4]), {"input": "style"}, r"network.input: style .*no features"),
    "no such output": (lambda graph: None, {"output": "x"}, r"network.output: no output is called 'x'; there are: emb"),
    "no such place": (
        lambda graph: None,
        {"output": 3},
        r"network.output: no output 3; from 0 on there are: embedding",
    ),
    "two outputs": (two_outputs, {}, r"network.output: .*several outputs.*m \(float32: batch, 8\); raw .*set it"),
    "no embedding": (no_embedding, {}, r"network.output: .*no output of the graph can be that: n \(float32"),
    "frames for an embedding": (no_embedding, {"output": "n"}, None),
    "layout": (
        lambda graph: None,
        {"layout": "mels_frames"},
        r"network.layout: mels_frames with 24 mel bands does not fit",
    ),
    "NaN": (not_a_number, {}, r"mine.onnx: the embedding of noise has 6 numbers of 6 that are not finite"),
    "external data": (
        elsewhere,
        {},
        r"mine.onnx: its weights, such as conv.weight, lie in another file, 'network.onnx",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name, brought):
    change, wanted, words = BAD[name]
    if words is None:  # a Flatten makes numbers of frames: their count is no constant, but that is the user's word
        assert brought(changed(change), **wanted).facts["embedding"] == 8 * 200
        return
    with pytest.raises(InputError, match=words):
        brought(changed(change), **wanted)


def test_three_unknown_axes_ask_for_the_layout(brought):
    graph = Onnx(("a", "b", "c"))
    words = (
        r"network.layout: the input features \(float32: a, b, c\) does not tell which .*24 mel bands; set mels_frames"
    )
    with pytest.raises(InputError, match=words):
        brought(graph)
    assert brought(graph, layout="frames_mels").facts["layout"] == "frames_mels"


def test_axes_that_are_both_the_bands_or_neither(brought):
    with pytest.raises(InputError, match=r"network.layout: both axes of the input .* may be the mel bands; set one"):
        brought(Onnx(("batch", MELS, MELS)), frames=MELS)
    with pytest.raises(InputError, match=r"features.n_mels, says 24, and the input is features \(float32: b, t, 80"):
        brought(Onnx(("b", "t", 80)))


@pytest.mark.parametrize("frames", [200, None])
def test_fixed_frames_name_the_setting(frames, brought):
    graph = Onnx((1, 160, MELS))
    with pytest.raises(
        InputError, match=r"features.frames: (200|whole), and the input of mine.onnx .*features.frames: 160"
    ):
        brought(graph, frames=frames)
    assert brought(graph, frames=160).facts["embedding"] == NUMBERS


def test_too_few_frames_name_a_number_that_runs(brought):
    graph = Onnx()
    conv = graph.nodes[1]
    conv.attribute[1].ints[:] = [0, 0]  # no padding
    with pytest.raises(
        InputError, match=r"features.frames: 3: the graph mine.onnx does not run on 3 frames .*frames: 200"
    ):
        brought(graph, frames=3)


def test_rows_that_depend_on_each_other(brought):
    graph = Onnx()
    graph.nodes[-1].output[0] = "raw"
    graph.nodes += [
        graph.helper.make_node("ReduceMean", ["raw"], ["mean"], axes=[0], keepdims=1),
        graph.helper.make_node("Sub", ["raw", "mean"], ["embedding"]),
    ]
    with pytest.raises(
        InputError, match=r"depends on those that are beside it in the batch; export the network in evaluation"
    ):
        brought(graph)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file(share, brought):
    content = Onnx().model().SerializeToString()
    with pytest.raises(InputError, match=r"mine.onnx: a truncated or damaged ONNX file"):
        brought(content[: int(share * len(content))])


def test_damage_anywhere_is_an_error_in_words(brought):
    """Whatever a byte becomes, the file is refused in words, or taken for one of other numbers."""
    content, draw = Onnx().model().SerializeToString(), np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content)
        for place in draw.integers(0, len(content), 3):
            damaged[place] = draw.integers(0, 256)
        try:
            brought(bytes(damaged))
        except InputError:
            continue
