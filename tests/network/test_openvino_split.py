"""A convolution per part computes what one convolution and a split do; anything else is left as it is."""

import numpy as np
import openvino
import pytest
import torch
from openvino import opset13
from torch import nn
from torch.nn import functional

from asv.network import openvino_model, openvino_split
from asv.network.openvino_split import NARROWEST, split_convolutions

MELS, FRAMES = 8, 30
DRAW = np.random.default_rng(0)


def run(model, batch):
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [found.copy() for found in compiled([batch]).values()]


def counted(model, kind):
    return sum(operation.get_type_name() == kind for operation in model.get_ops())


def values(*shape):
    return opset13.constant(DRAW.standard_normal(shape).astype(np.float32))


def graph(parts=2, width=NARROWEST, axis=1, between=None, more=lambda wide: [], split=opset13.split):
    """A convolution with its bias and what is between, split into parts, each with an outcome of its own."""
    features = opset13.parameter([-1, MELS, FRAMES], np.float32)
    total = parts * width
    wide = opset13.convolution(features, values(total, MELS, 3), [1], [2], [2], [2])
    wide = opset13.relu(opset13.add(wide, values(1, total, 1)))
    wide = between(wide, total) if between else opset13.multiply(wide, values(1, total, 1))
    if split is opset13.split:
        pieces = opset13.split(wide, axis, parts)
    else:
        pieces = opset13.variadic_split(wide, axis, opset13.constant(np.full(parts, width)))
    outcomes = [opset13.reduce_mean(piece, opset13.constant(2)) for piece in pieces.outputs()]
    return openvino.Model([*outcomes, *more(wide)], [features])


def assert_same_outcome(model, count):
    batch = DRAW.standard_normal((3, MELS, FRAMES)).astype(np.float32)
    before, convolutions = run(model, batch), counted(model, "Convolution")
    assert split_convolutions(model) == count
    if not count:
        assert counted(model, "Convolution") == convolutions
    for found, expected in zip(run(model, batch), before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("split", [opset13.split, opset13.variadic_split])
@pytest.mark.parametrize("axis", [1, -2])
def test_parts_of_channels(split, axis):
    model = graph(3, axis=axis, split=split)
    assert_same_outcome(model, 1)
    assert counted(model, "Convolution") == 3
    assert counted(model, "Split") + counted(model, "VariadicSplit") == 0
    names = [operation.get_friendly_name() for operation in model.get_ops()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "between",
    [
        lambda wide, total: opset13.subtract(wide, values(1, total, 1)),
        lambda wide, total: opset13.multiply(wide, values(total, 1)),
        lambda wide, total: opset13.add(wide, values(1, 1, 1)),
        lambda wide, total: opset13.add(wide, opset13.constant(np.float32(2))),
        lambda wide, total: wide,
    ],
    ids=["subtract", "two axes", "one value", "scalar", "nothing"],
)
def test_what_is_done_to_each_channel(between):
    assert_same_outcome(graph(between=between), 1)


@pytest.mark.parametrize(
    "model",
    [
        lambda: graph(width=NARROWEST // 2),
        lambda: graph(axis=2, parts=2),
        lambda: graph(more=lambda wide: [opset13.reduce_mean(wide, opset13.constant([1, 2]))]),
        lambda: graph(more=lambda wide: [opset13.shape_of(wide)]),
        lambda: graph(between=lambda wide, total: opset13.add(wide, wide)),
        lambda: graph(between=lambda wide, total: opset13.softmax(wide, 1)),
        lambda: graph(between=lambda wide, total: opset13.multiply(wide, opset13.reduce_mean(wide, 2, True))),
    ],
    ids=["narrow", "frames", "used as a whole", "its shape is used", "with itself", "softmax", "a gate"],
)
def test_what_is_left_as_it_is(model):
    assert_same_outcome(model(), 0)


@pytest.mark.parametrize("shape", [(1, 2 * NARROWEST, 1, 1), (2 * NARROWEST, 1, 1), (1, 1, 1, FRAMES), ()], ids=str)
def test_of_pictures(shape):
    """Convolutions over bands and frames, as of ERes2Net: channels are the third axis from the end."""
    features = opset13.parameter([-1, MELS, FRAMES], np.float32)
    picture = opset13.unsqueeze(features, opset13.constant(1))
    wide = opset13.convolution(picture, values(2 * NARROWEST, 1, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
    wide = opset13.relu(opset13.add(wide, values(*shape)))
    outcomes = [opset13.reduce_mean(part, opset13.constant([2, 3])) for part in opset13.split(wide, 1, 2).outputs()]
    assert_same_outcome(openvino.Model(outcomes, [features]), 1)


def test_a_constant_that_adds_an_axis():
    """The second axis is then the batch's, whatever its size."""
    features = opset13.parameter([2 * NARROWEST, MELS, FRAMES], np.float32)
    wide = opset13.convolution(features, values(16, MELS, 1), [1], [0], [0], [1])
    parts = opset13.split(opset13.add(wide, values(1, 1, 1, 1)), 1, 2)
    assert split_convolutions(openvino.Model(parts.outputs(), [features])) == 0


class WideRes2(nn.Module):
    """A Res2 block as modelzoo's, of three chunks, and an embedding that is no number of the frames."""

    def __init__(self):
        super().__init__()
        self.expand, self.norm = nn.Conv1d(MELS, 3 * NARROWEST, 1), nn.BatchNorm1d(3 * NARROWEST)
        self.inner = nn.ModuleList(nn.Conv1d(NARROWEST, NARROWEST, 3, padding=2, dilation=2) for _ in range(2))
        self.collapse = nn.Conv1d(3 * NARROWEST, 16, 1)
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)
            self.norm.bias.normal_()

    def forward(self, mel):
        first, *rest = self.norm(functional.relu(self.expand(mel))).chunk(3, dim=1)
        chunks = [first]
        for chunk, layer in zip(rest, self.inner):
            chunks.append(functional.relu(layer(chunk + chunks[-1])))
        return self.collapse(torch.cat(chunks, dim=1)).mean(dim=2)


@pytest.mark.parametrize("frames", [FRAMES, None])
def test_a_traced_network(tmp_path, monkeypatch, frames):
    """Sizes of the chunks are computed from shapes there, whatever the batch."""
    torch.manual_seed(0)
    network = WideRes2().eval()
    path = tmp_path / "network.pt"
    with torch.no_grad():
        torch.jit.trace(network, torch.zeros(1, MELS, FRAMES)).save(str(path))
        batch = torch.randn(5, MELS, FRAMES)
        expected = network(batch).numpy()
    made = openvino_model.any_batch(path, (MELS, frames))
    assert counted(made, "Convolution") == 3 + 2 + 1
    assert counted(made, "VariadicSplit") == 0
    np.testing.assert_allclose(run(made, batch.numpy())[0], expected, atol=1e-5)
    monkeypatch.setattr(openvino_split, "NARROWEST", NARROWEST + 1)
    assert counted(openvino_model.any_batch(path, (MELS, frames)), "Convolution") == 1 + 2 + 1
