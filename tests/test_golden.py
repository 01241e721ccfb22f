"""Agreement with the reference implementation, at the tolerances that ``golden/README.md`` gives."""

import zlib

import numpy as np
import pytest
import soundfile
import torch
from torch.utils.flop_counter import FlopCounterMode

from asv.features.contract import Contract
from asv.features.torchaudio_mel import LogMel
from asv.network.ecapa_tdnn import EcapaTdnn
from asv.scoring import cosine, metrics


@pytest.fixture(scope="module")
def log_mel():
    return LogMel(Contract())


def test_mels_of_speech(golden, speech, log_mel):
    wanted = np.load(golden / "log_mel.npz")
    assert len(wanted) == 6
    for path in wanted:
        samples, rate = soundfile.read(speech / "fsdd16k" / path, dtype="float32")
        assert rate == 16000
        difference = np.abs(log_mel(torch.from_numpy(samples)).numpy() - wanted[path])
        assert difference.max() < 1e-3
        assert difference.mean() < 1e-5


def test_mels_of_wide_band_signals(golden, log_mel):
    values = np.load(golden / "log_mel_wide.npz")
    names = [key[: -len("_signal")] for key in values if key.endswith("_signal")]
    assert len(names) == 5
    for name in names:
        mels = log_mel(torch.from_numpy(values[f"{name}_signal"].astype(np.float32) / 32768)).numpy()
        wanted = values[f"{name}_log_mel"]
        assert np.abs(mels - wanted).max() < 5e-3
        assert np.abs(np.exp(mels) - np.exp(wanted)).max() < 1e-5


def test_a_crop_equals_the_frames_of_the_whole(log_mel):
    signal = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, 50_000).astype(np.float32))
    whole = log_mel(signal)
    assert whole.shape == (80, 313)
    for start in (0, 1, 2, 57, 111, 112, 113):
        torch.testing.assert_close(log_mel.crop(signal, start, 200), whole[:, start : start + 200], rtol=0, atol=0)


def recipe(network):
    """The weights behind the golden outputs; see ``golden/README.md``."""
    weights = {}
    for name, value in network.state_dict().items():
        shape, norm = tuple(value.shape), "batchnorm" in name or "batch_norm" in name
        noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        if name.endswith("running_var"):
            noise = np.exp(0.1 * noise)
        elif name.endswith("num_batches_tracked"):
            noise = np.int64(1000)
        elif name.endswith("weight_g"):
            noise = 1 + 0.1 * np.abs(noise)
        elif norm and name.endswith("weight"):
            noise = 1 + 0.1 * noise
        elif name.endswith(("running_mean", "bias")):
            noise = 0.1 * noise
        else:
            noise = noise / np.sqrt(np.prod(shape[1:]))
        weights[name] = torch.from_numpy(np.asarray(noise))
    return weights


@pytest.mark.parametrize(("channels", "speakers", "stride"), [(512, 1211, 32), (64, 40, 4)])
def test_network_outputs(golden, channels, speakers, stride):
    wanted = np.load(golden / "network_outputs.npz")
    network = EcapaTdnn(channels, speakers).eval()
    network.load_state_dict(recipe(network))
    with torch.no_grad():
        embedding, (attention,) = network(torch.from_numpy(wanted["input"]))
    attention = attention.numpy()
    assert embedding.shape == (5, 192)
    assert attention.shape == (5, 200, 3 * channels)
    assert np.abs(embedding.numpy() - wanted[f"c{channels}_embedding"]).max() < 1e-5
    assert np.abs(attention[:, ::20, ::stride] - wanted[f"c{channels}_attention_slice"]).max() < 1e-6
    assert np.abs(attention.mean(axis=2) - wanted[f"c{channels}_attention_mean_over_channels"]).max() < 1e-6


def test_names_and_shapes_of_the_weights(golden):
    rows = [line.split("\t") for line in (golden / "state_dict_c512.tsv").read_text().splitlines()[1:]]
    wanted = {name: shape for name, shape, _ in rows}
    found = EcapaTdnn(512, 1211).state_dict()
    assert {name: "x".join(map(str, value.shape)) or "scalar" for name, value in found.items()} == wanted


def test_centroid_protocol(golden):
    values = np.load(golden / "centroid_scoring.npz")
    scores, targets = cosine.centroid_scores(values["embeddings"], values["speakers"])
    rates = metrics.error_rates(scores.ravel(), targets.ravel())
    assert metrics.roc_auc(rates) == pytest.approx(float(values["roc_auc"]), abs=1e-12)
    hits, correct_rejects = metrics.best_balanced_point(rates)
    assert hits == pytest.approx(float(values["true_positive_rate"]), abs=1e-12)
    assert correct_rejects == pytest.approx(float(values["true_negative_rate"]), abs=1e-12)


def test_work_of_a_crop():
    """6.41 GMAC at C = 512 and 200 frames, as the reference's layers add up to."""
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        EcapaTdnn(512, 1).eval()(torch.zeros(1, 80, 200))
    assert counter.get_total_flops() / 2e9 == pytest.approx(6.41, abs=0.005)
