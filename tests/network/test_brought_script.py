"""TorchScript programs that users bring: what is recognised, what is made of them, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from support.graphs import CONTRACT, MELS, NUMBERS, Tdnn, WithLengths, program
from support.scripts import run_script
from torch import nn

from asv import engines
from asv.engine_interface import Job
from asv.errors import InputError
from asv.features.contract_file import read
from asv.files import read_json
from asv.network import first_norm
from asv.network.brought import script
from asv.network.brought.onnx_graph import Wanted


@pytest.fixture
def brought(tmp_path):
    def brought(module, *inputs, scripted=False, mels=MELS, **wanted):
        path = program(tmp_path / "program.pt", module, *inputs, script=scripted)
        return script.bring(path, mels, Wanted(**wanted), "mine.pt")

    return brought


def check(of, module, features=None):
    features = torch.randn(3, MELS, 71) if features is None else features
    with torch.no_grad():
        given = features if module.mels_first else features.transpose(1, 2)
        np.testing.assert_allclose(of.traced(features).numpy(), module(given).numpy(), atol=1e-5)


@pytest.mark.parametrize("mels_first", [True, False])
@pytest.mark.parametrize("frames", [200, None, MELS])
def test_a_trace_of_either_layout_takes_mels_and_frames(mels_first, frames, brought):
    module = Tdnn(mels_first=mels_first)
    given = torch.randn(2, MELS, 50) if mels_first else torch.randn(2, 50, MELS)
    found = brought(module, given, frames=frames)
    check(found, module)
    assert found.facts["layout"] == ("mels_frames" if mels_first else "frames_mels")
    assert found.facts["embedding"] == NUMBERS
    assert found.facts["parameters"] == sum(parameter.numel() for parameter in module.parameters())
    assert found.facts["gflop"] > 0


def test_the_first_norm_is_found_and_is_that_of_the_weights(brought):
    module = Tdnn()
    expected = first_norm.arrays(nn.Sequential(module.conv), module.norm)
    found = brought(module).norm
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    module.frames = lambda features: module.norm(torch.sigmoid(module.conv(features.transpose(1, 2))))
    assert brought(module).norm == {}


@pytest.mark.parametrize("engine", ["openvino", "torchscript"])
def test_engines_take_it_at_another_batch_size_and_any_number_of_frames(engine, brought, tmp_path):
    network, module = tmp_path / "network.torchscript.pt", Tdnn()
    brought(module, frames=None).traced.save(str(network))
    for name, job in {"a": Job(5, (MELS, 123), "f32"), "b": Job(1, (MELS, None), "f32")}.items():
        (tmp_path / name).mkdir()
        engines.module(engine).compile_artefact(network, tmp_path / name, job)
        session = engines.module(engine).load(tmp_path / name, job)
        features = torch.randn(job.batch_size, MELS, 123)
        with torch.no_grad():
            expected = module(features.transpose(1, 2)).numpy()
        np.testing.assert_allclose(session.run(features.numpy()), expected, atol=1e-5)


class Relative(WithLengths):
    relative = True


@pytest.mark.parametrize(
    ("kind", "dtype"), [(WithLengths, torch.int64), (WithLengths, torch.float32), (Relative, None)]
)
def test_lengths_are_filled_in(kind, dtype, brought):
    module = kind()
    lengths = torch.tensor([1.0, 0.5]) if dtype is None else torch.tensor([50, 40], dtype=dtype)
    found = brought(module, torch.randn(2, 50, MELS), lengths)
    features = torch.randn(3, MELS, 71)
    whole = torch.ones(3) if dtype is None else torch.full((3,), 71)
    with torch.no_grad():
        expected = module(features.transpose(1, 2), whole).numpy()
    np.testing.assert_allclose(found.traced(features).numpy(), expected, atol=1e-5)


class Several(Tdnn):
    """A scripted program that gives a tuple."""

    def forward(self, features):
        embedding = self.linear(self.norm(torch.relu(self.conv(features.transpose(1, 2)))).mean(dim=2))
        return torch.relu(embedding), embedding, features


def test_a_scripted_tuple_has_an_output_by_place(brought):
    module = Several()
    found = brought(module, scripted=True, output=1)
    features = torch.randn(3, MELS, 71)
    with torch.no_grad():
        expected = module(features.transpose(1, 2))[1].numpy()
    np.testing.assert_allclose(found.traced(features).numpy(), expected, atol=1e-5)
    with pytest.raises(InputError, match=r"network.output: .*several outputs, 0: \(1, 6\); 1: \(1, 6\); 2: .*place"):
        brought(module, scripted=True)


GIVEN = {
    "a tuple with frames": (lambda embedding: (embedding.unsqueeze(2).repeat(1, 1, 4), embedding), {}),
    "an axis of one": (lambda embedding: embedding.unsqueeze(1), {}),
    "a dictionary": (lambda embedding: {"x": -embedding, "embedding": embedding}, {"output": "embedding"}),
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_a_trace_gives(name, tmp_path):
    give, wanted = GIVEN[name]
    module, path = Tdnn(give=give), tmp_path / "program.pt"
    torch.jit.trace(module, torch.randn(2, 50, MELS), strict=False).save(str(path))
    features = torch.randn(3, MELS, 71)
    with torch.no_grad():
        expected = Tdnn()(features.transpose(1, 2)).numpy()
    traced = script.bring(path, MELS, Wanted(**wanted), "mine.pt").traced
    np.testing.assert_allclose(traced(features).numpy(), expected, atol=1e-5)


class OfFixedFrames(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(MELS * 73, NUMBERS)

    def forward(self, features):
        return self.linear(features.flatten(1))


class OfAnyShape(nn.Module):
    def forward(self, features):
        return torch.stack([features.mean((1, 2)), features.std((1, 2))], dim=1)


class OfOneRow(Tdnn):
    def forward(self, features):
        return self.linear(self.frames(features).mean(dim=2)).reshape(1, NUMBERS)


class OfTwo(Tdnn):
    def forward(self, features, style):
        return self.linear(self.frames(features).mean(dim=2)) + style


class Beside(Tdnn):
    def forward(self, features):
        embedding = self.linear(self.frames(features).mean(dim=2))
        return embedding - embedding.mean(dim=0)


class Hollow(Tdnn):
    def forward(self, features):
        return torch.log(-torch.relu(self.linear(self.frames(features).mean(dim=2))) - 1)


BAD = {
    "fixed frames": (OfFixedFrames(), (torch.randn(2, 73, MELS),), {"layout": "frames_mels"}, r"features.frames: 73"),
    "fixed, whole": (
        OfFixedFrames(),
        (torch.randn(2, 73, MELS),),
        {"layout": "frames_mels", "frames": None},
        r"features.frames: whole: .*set features.frames: 73",
    ),
    "both layouts": (OfAnyShape(), (), {}, r"network.layout: mine.pt runs with mels_frames and with frames_mels; set"),
    "no layout": (
        Tdnn(30),
        (torch.randn(2, 50, 30),),
        {},
        r"features.n_mels, says 24, .* 30 bands \(frames_mels",
    ),
    "the other layout": (
        Tdnn(),
        (),
        {"layout": "mels_frames"},
        r"network.layout: mels_frames, but mine.pt runs with frames_mels",
    ),
    "samples": (nn.Linear(3, NUMBERS), (torch.randn(2, 3),), {}, r"network.contract: mine.pt does not run on"),
    "one row": (OfOneRow(), (torch.randn(1, 50, MELS),), {}, r"mine.pt: the program takes a batch of 1 alone"),
    "another input": (
        OfTwo(),
        (torch.randn(2, 50, MELS), torch.ones(6)),
        {},
        r"network.input: .*second input, 'style'",
    ),
    "beside": (Beside(), (), {}, r"depends on those that are beside it in the batch"),
    "NaN": (Hollow(), (), {}, r"embedding of noise has 6 numbers of 6 that are not finite"),
    "an output of one": (Tdnn(), (), {"output": 1}, r"network.output: 1, but the program gives one tensor"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name, brought):
    module, inputs, wanted, words = BAD[name]
    with pytest.raises(InputError, match=words):
        brought(module.eval(), *inputs, **wanted)


def test_a_file_that_is_no_program(tmp_path):
    path = tmp_path / "program.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"mine.pt: torch cannot load the program"):
        script.bring(path, MELS, Wanted(), "mine.pt")


def test_bands_that_an_lstm_would_read_past_its_weights(tmp_path):
    """A traced LSTM compares no sizes, and oneDNN's reads on behind its weights: both layouts would seem to run."""

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(MELS, NUMBERS, batch_first=True)

        def forward(self, features):
            return self.lstm(features)[1][0][-1]

    path = program(tmp_path / "program.pt", Lstm().eval())
    found = script.bring(path, MELS, Wanted(), "mine.pt")
    assert found.facts["layout"] == "frames_mels"
    assert found.facts["gflop"] is None  # torch does not count it


def test_the_script_warns_in_its_log(tmp_path):
    contract = tmp_path / "contract.yaml"
    contract.write_text(CONTRACT)
    path = program(tmp_path / "program.pt", Tdnn())
    words = ["--family", "torchscript", "--contract", json.dumps(read(contract).to_mapping())]
    outputs = [f"--{name}={tmp_path / name}" for name in ("output", "sidecar", "norm", "reference")]
    code, stderr = run_script("bring_network.py", "--checkpoint", path, *words, *outputs)
    assert code == 0, stderr
    assert "is a TorchScript program and is executed" in stderr
    assert read_json(tmp_path / "sidecar")["channels"] is None
