"""Small graphs of speaker networks as ONNX models and TorchScript programs, for tests of brought graphs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

MELS, NUMBERS = 24, 6
# All that a contract file must say of features of 24 bands.
CONTRACT = """\
sample_rate: 16000
edges: reflect
window: hann
window_periodic: true
win_length: 400
n_fft: 400
hop_length: 160
power: 2
mel: slaney
mel_area_norm: true
n_mels: 24
f_min: 0
f_max: 8000
log: ln
floor: 1e-6
floor_rule: clamp
cut: frames
"""


class Tdnn(nn.Module):
    """Convolution, ReLU, batch norm, mean over time, linear: float32 (batch, frames, mels) to (batch, NUMBERS)."""

    def __init__(self, mels=MELS, mels_first=False, give=lambda embedding: embedding):
        super().__init__()
        torch.manual_seed(0)
        self.mels_first, self.give = mels_first, give
        self.conv, self.norm = nn.Conv1d(mels, 8, 5, padding=2), nn.BatchNorm1d(8)
        self.linear = nn.Linear(8, NUMBERS)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)
        self.eval()

    def frames(self, features):
        bands = features if self.mels_first else features.transpose(1, 2)
        return self.norm(torch.relu(self.conv(bands)))

    def forward(self, features):
        return self.give(self.linear(self.frames(features).mean(dim=2)))


class WithLengths(Tdnn):
    """The same, averaged over so many frames of each row; ``relative``: over that share of them."""

    relative = False

    def forward(self, features, lengths):
        frames = self.frames(features)
        last = lengths * frames.shape[2] if self.relative else lengths
        heard = (torch.arange(frames.shape[2]).unsqueeze(0) < last.unsqueeze(1)).float().unsqueeze(1)
        return self.linear((frames * heard).sum(dim=2) / heard.sum(dim=2))


def program(path, module, *inputs, script=False):
    """Save a module as TorchScript, traced on these inputs unless it is scripted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.jit.script(module) if script else torch.jit.trace(module, inputs or (torch.randn(2, 50, MELS),))
        made.save(str(path))
    return path


class Onnx:
    """An ONNX model in the making: Conv, Relu, BatchNormalization, ReduceMean, Gemm, and what a test changes of it."""

    def __init__(self, axes=("batch", "frames", MELS), mels_first=False):
        self.onnx = pytest.importorskip("onnx", reason="onnx is not installed: requirements-dev.txt")
        self.helper, self.kinds = self.onnx.helper, self.onnx.TensorProto
        helper, module = self.helper, Tdnn()
        self.module = module
        values = {name: value.detach().numpy() for name, value in module.state_dict().items()}
        self.weights = [
            self.onnx.numpy_helper.from_array(values[name].astype(np.float32), name)
            for name in values
            if not name.endswith("num_batches_tracked")
        ]
        norm = [f"norm.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        bands = "features" if mels_first else "bands"
        self.nodes = [] if mels_first else [helper.make_node("Transpose", ["features"], ["bands"], perm=[0, 2, 1])]
        self.nodes += [
            helper.make_node("Conv", [bands, "conv.weight", "conv.bias"], ["c"], kernel_shape=[5], pads=[2, 2]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("BatchNormalization", ["r", *norm], ["n"]),
            helper.make_node("ReduceMean", ["n"], ["m"], axes=[2], keepdims=0),
            helper.make_node("Gemm", ["m", "linear.weight", "linear.bias"], ["embedding"], transB=1),
        ]
        self.inputs = [self.value("features", axes)]
        self.outputs = [self.value("embedding", ["batch", NUMBERS])]
        self.metadata = {}

    def value(self, name, axes, kind=None):
        return self.helper.make_tensor_value_info(name, kind or self.kinds.FLOAT, axes)

    def model(self):
        graph = self.helper.make_graph(self.nodes, "graph", self.inputs, self.outputs, self.weights)
        made = self.helper.make_model(graph, opset_imports=[self.helper.make_opsetid("", 17)], ir_version=8)
        self.helper.set_model_props(made, self.metadata)
        return made

    def save(self, path):
        self.onnx.save(self.model(), str(path))
        return path
