"""Whether features belong to a network, by the statistics that its training left in it."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.paths import REPO, SHARED
from torch import nn

from asv.demo import corpus
from asv.features.contract import Contract
from asv.features.front_end import FrontEnd
from asv.network import families, feature_fit, first_norm
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EcapaTdnn

OWN = families.module("modelzoo").CONTRACT
GROSS = {
    "no logarithm": replace(OWN, log="none", floor=0.0),
    "the mean removed": replace(OWN, subtract_mean=True),
    "neither gain nor offset": replace(OWN, gain=1.0, offset=0.0),
    **{name: families.module(name).CONTRACT for name in families.names() if name != "modelzoo"},
}


def norm_of(network, family="modelzoo"):
    arrays = first_norm.arrays(*families.module(family).first_norm(network))
    return feature_fit.FirstNorm(**{**arrays, "reflect": bool(arrays["reflect"])})


@pytest.fixture(scope="module")
def norm(tmp_path_factory):
    """The shipped demo checkpoint's."""
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.pt"
    with zipfile.ZipFile(REPO / "demo" / "checkpoint.zip") as archive:
        path.write_bytes(archive.read("checkpoint/checkpoint.pt"))
    return norm_of(load_network(path, "modelzoo")[0])


def quiet(signal):
    return signal * np.float32(0.01)  # 40 dB


def narrow(signal):
    """As through a telephone: 300 to 3400 Hz."""
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / 16000)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, len(signal)).astype(np.float32)


def noisy(signal):
    """With as much white noise as speech."""
    noise = np.random.default_rng(0).standard_normal(len(signal))
    return (signal + noise * np.sqrt(np.mean(signal**2))).astype(np.float32)


def as_it_is(signal):
    return signal


@pytest.fixture(scope="module")
def voices():
    utterances = corpus.utterances(list(corpus.EVALUATION), 1)[::8]
    return [corpus.speak(utterance).astype(np.float32) / 32768 for utterance in utterances]


@pytest.fixture(scope="module")
def recordings():
    paths = sorted((SHARED / "speech" / "fsdd16k").rglob("*.wav"))
    if not paths:
        pytest.skip("no real speech beside this checkout: ../shared/speech/fsdd16k")
    return [soundfile.read(path, dtype="float32")[0] for path in paths[:: len(paths) // 32][:32]]


@pytest.mark.parametrize("speech", ["voices", "recordings"])
@pytest.mark.parametrize("change", [as_it_is, quiet, narrow, noisy])
def test_right_features_are_no_alarm(norm, speech, change, request):
    found = feature_fit.judge(norm, OWN, [change(signal) for signal in request.getfixturevalue(speech)])
    assert found["verdict"] == "fits", found
    assert "look like those" in feature_fit.sentence(found)


@pytest.mark.parametrize("speech", ["voices", "recordings"])
@pytest.mark.parametrize("change", [as_it_is, narrow])
def test_gross_faults_are_found(norm, speech, change, request):
    """In speech that is very quiet or noisy one of them may pass: docs/networks.md."""
    signals = [change(signal) for signal in request.getfixturevalue(speech)]
    verdicts = {name: feature_fit.judge(norm, contract, signals) for name, contract in GROSS.items()}
    assert {name for name, found in verdicts.items() if found["verdict"] != "misfit"} == set()


def test_whose_features_fit_better_is_said(norm, voices):
    found = feature_fit.judge(norm, families.module("wespeaker").CONTRACT, voices)
    assert found["better"] == "those of the family modelzoo"
    assert found["better_distance"] < 0.1 < found["distance"]
    assert "do NOT look like" in feature_fit.sentence(found)
    assert "those of the family modelzoo fit better" in feature_fit.sentence(found)


def test_an_untrained_network_has_nothing_to_compare(voices):
    found = feature_fit.judge(norm_of(EcapaTdnn(8, 2).eval()), OWN, voices)
    assert found["verdict"] == "untrained"
    assert "never trained" in feature_fit.sentence(found)


@pytest.mark.parametrize(("norm_is_there", "contract", "count"), [(False, OWN, 3), (True, Contract(n_mels=40), 3)])
def test_what_cannot_be_checked(norm, voices, norm_is_there, contract, count):
    found = feature_fit.judge(norm if norm_is_there else None, contract, voices[:count])
    assert (found["verdict"], found["utterances"]) == ("unknown", count)
    assert "cannot be checked" in feature_fit.sentence(found)
    assert feature_fit.judge(norm, OWN, [])["verdict"] == "unknown"


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_the_layer_is_pytorchs(padding):
    torch.manual_seed(0)
    convolution = nn.Conv1d(80, 300, 5, padding=2, padding_mode=padding)
    layers, norm = nn.Sequential(convolution, nn.ReLU()), nn.BatchNorm1d(300)
    features = torch.randn(3, 80, 50)
    with torch.no_grad():
        norm.running_mean.copy_(torch.randn(300))
        wanted = layers(features).permute(1, 0, 2).reshape(300, -1)
    arrays = first_norm.arrays(layers, norm)
    ours = feature_fit.FirstNorm(**{**arrays, "reflect": bool(arrays["reflect"])})
    np.testing.assert_allclose(ours.outputs(features.numpy()), wanted.numpy(), atol=1e-5)
    assert ours.thinned().weight.shape == (feature_fit.CHANNELS, 80, 5)


def test_the_distance_is_a_divergence_of_normals():
    """Of a channel that passes one band on: KL of N(2, 1) from N(0, 4), in closed form."""
    draw = np.random.default_rng(1).normal(2, 1, (4, 1, 100_000)).astype(np.float32) + 20
    ones = np.ones((1, 1, 1), np.float32)
    one = feature_fit.FirstNorm(ones, np.zeros(1, np.float32), np.float32([20]), np.float32([4]), False)
    assert feature_fit.distance(one, draw) == pytest.approx((np.log(4) + (1 + 4) / 4 - 1) / 2, abs=0.01)


def test_statistics_are_kept_in_a_file(tmp_path, norm):
    path = Path(tmp_path) / "norm.npz"
    np.savez(path, **vars(norm))
    found = feature_fit.read(path)
    assert all(np.array_equal(getattr(found, name), value) for name, value in vars(norm).items())
    np.savez(path)
    assert feature_fit.read(path) is None


def test_signals_shorter_than_the_crop_are_repeated():
    features = feature_fit.features_of(OWN, [np.ones(500, np.float32), np.zeros(100_000, np.float32)])
    assert features.shape == (2, 80, feature_fit.FRAMES)
    assert FrontEnd(OWN).contract == OWN
