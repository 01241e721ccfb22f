"""The log-mel spectrogram of `modelzoo`: torchaudio's, but for the last place."""

import numpy as np
import pytest
import soundfile
import torch
from support.scripts import sine

from asv.audio.reading import AudioRules, read_audio
from asv.features.contract import Contract
from asv.features.torchaudio_mel import LogMel, to_network_input
from asv.torchaudio_loader import load_torchaudio


def by_torchaudio(samples, contract):
    transform = load_torchaudio().transforms.MelSpectrogram(
        sample_rate=contract.sample_rate,
        n_fft=contract.n_fft,
        win_length=contract.win_length,
        hop_length=contract.hop_length,
        f_min=contract.f_min,
        f_max=contract.f_max,
        n_mels=contract.n_mels,
        power=1.0,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.log(torch.clamp(transform(samples), min=contract.floor)) / 6 + 1


def signals():
    draw = np.random.default_rng(0)
    noise = draw.standard_normal(40000)
    yield "noise", 0.1 * noise
    yield "sine", sine(2.0)
    yield "of full scale", np.sign(noise)
    yield "as quiet as a 16-bit sample can be", draw.integers(-1, 2, 40000) / 32768
    yield "almost nothing", 1e-22 * noise
    yield "a click", np.eye(1, 40000, 20000)[0]


@pytest.mark.parametrize("contract", [Contract(), Contract(n_fft=512, win_length=480, f_min=50.0, n_mels=64)], ids=str)
@pytest.mark.parametrize(("name", "samples"), [pytest.param(*pair, id=pair[0]) for pair in signals()])
def test_it_is_torchaudios_but_for_the_last_place(name, samples, contract):
    samples = torch.from_numpy(samples.astype(np.float32))
    found = to_network_input(LogMel(contract)(samples))
    expected = by_torchaudio(samples, contract)
    assert found.shape == expected.shape == (contract.n_mels, contract.frames(len(samples)))
    # float32 has 2.4e-7 between 2 and 4; the product with the filters adds up to 1e-6 of a band of many bins.
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=0, atol=5e-7)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_of_16_bits_are_those_of_libsndfile(tmp_path, suffix, channels):
    every = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
    path = tmp_path / f"every{suffix}"
    soundfile.write(path, np.stack([every, every[::-1]][:channels], axis=1), 16000, subtype="PCM_16")
    found = read_audio(path, AudioRules()).samples
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
    np.testing.assert_array_equal(found, expected[:, 0] if channels == 1 else expected.mean(axis=1))
    assert found.dtype == np.float32
