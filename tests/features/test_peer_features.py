"""Features of the toolkits: golden values made by their own code, torchaudio, and whether one wrong field is seen.

Golden values: ``networks/README.md`` beside those of the reference. Units there are those of the features.
"""

import types

import numpy as np
import pytest
import soundfile
from support.peer_contracts import NEMO, PEERS, RESEMBLYZER, SPEECHBRAIN, TAORUIJIE, THREE_D_SPEAKER, WESPEAKER
from support.peers import peer

from asv.errors import InputError
from asv.features import contract_fields
from asv.features.contract import Contract
from asv.features.front_end import FrontEnd

# Largest and mean difference that the golden README suggests.
TOLERANCES = {
    "speechbrain": (5e-3, 1e-4),
    "wespeaker": (2e-3, 2e-5),
    "3dspeaker": (2e-3, 2e-5),
    "taoruijie": (2e-3, 2e-5),
    "nemo": (1e-3, 1e-4),
}


def golden_features(golden, speech, family):
    """Yield ``(key, samples, expected (mels, frames), (start, frames) or None)``."""
    values = np.load(golden / "networks" / f"features_{family}.npz")
    for key in sorted(set(values) - {"synthetic_signal", "crop", "cut"}):
        name, place = key, None
        if key.endswith("_crop"):  # of the samples
            name, (start, length) = key[: -len("_crop")], map(int, values["crop"])
            place = start // 160, PEERS[family].frames(length)
            assert (place[0] * 160, PEERS[family].samples(place[1])) == (start, length)
        elif key.endswith("_cut"):  # of the frames
            name, place = key[: -len("_cut")], tuple(map(int, values["cut"]))
        if name == "synthetic":
            samples = values["synthetic_signal"].astype(np.float32) / 32768
        else:
            samples, _ = soundfile.read(speech / "fsdd16k" / name, dtype="float32")
        yield key, samples, values[key].T, place


@pytest.mark.parametrize("family", TOLERANCES)
def test_golden_features(golden, speech, family):
    front = FrontEnd(PEERS[family])
    largest, mean = TOLERANCES[family]
    count = 0
    for key, samples, expected, place in golden_features(golden, speech, family):
        found = front.crop(samples, *place) if place else front.whole(samples)
        assert found.shape == expected.shape, key
        difference = np.abs(found - expected)
        assert difference.max() < largest, key
        assert difference.mean() < mean, key
        count += 1
    assert count == {"speechbrain": 6, "nemo": 4}.get(family, 5)


def test_golden_features_of_the_reference(golden, speech):
    front = FrontEnd(PEERS["modelzoo"].overridden(gain=1.0, offset=0.0))
    values = np.load(golden / "log_mel.npz")
    for path in values:
        samples, _ = soundfile.read(speech / "fsdd16k" / path, dtype="float32")
        difference = np.abs(front.whole(samples) - values[path])
        assert difference.max() < 1e-3
        assert difference.mean() < 1e-5
    values = np.load(golden / "log_mel_wide.npz")
    for name in (key[: -len("_signal")] for key in values if key.endswith("_signal")):
        mels, expected = front.whole(values[f"{name}_signal"].astype(np.float32) / 32768), values[f"{name}_log_mel"]
        assert np.abs(mels - expected).max() < 5e-3
        assert np.abs(np.exp(mels) - np.exp(expected)).max() < 1e-5


@pytest.mark.parametrize(
    ("family", "window", "matrix"),
    [
        ("nemo", "preprocessor.featurizer.window", "preprocessor.featurizer.fb"),
        (
            "taoruijie",
            "speaker_encoder.torchfbank.1.spectrogram.window",
            "speaker_encoder.torchfbank.1.mel_scale.fb",
        ),
    ],
)
def test_windows_and_matrices_that_checkpoints_carry(golden, family, window, matrix):
    values = np.load(golden / "networks" / f"front_end_{family}.npz")
    front = FrontEnd(PEERS[family])
    np.testing.assert_allclose(front.window, values[window], rtol=0, atol=5e-7)
    expected = values[matrix].squeeze()
    expected = expected if expected.shape == front.mel_matrix.shape else expected.T
    np.testing.assert_allclose(front.mel_matrix, expected, rtol=0, atol=1e-4 * expected.max())


# What the golden README says is seen on its synthetic signal: family, wrong fields, smallest difference.
SEEN = [
    ("speechbrain", {"window": "hann"}, 0.15),
    ("speechbrain", {"window_periodic": False}, 0.15),
    ("speechbrain", {"n_fft": 512}, 0.15),
    ("speechbrain", {"mel": "htk"}, 0.15),
    ("speechbrain", {"mel": "slaney"}, 0.15),
    ("speechbrain", {"f_min": 20.0}, 0.15),
    ("speechbrain", {"f_max": 7600.0}, 0.15),
    ("speechbrain", {"edges": "reflect"}, 0.15),
    ("speechbrain", {"power": 1}, 0.15),
    ("speechbrain", {"log": "ln", "top_db": None}, 0.15),
    ("speechbrain", {"top_db": None}, 0.15),
    ("speechbrain", {"subtract_mean": False}, 0.15),
    ("wespeaker", {"window": "povey"}, 0.15),
    ("wespeaker", {"window_periodic": True}, 0.15),
    ("wespeaker", {"n_fft": 400}, 0.15),
    ("wespeaker", {"mel": "htk"}, 0.017),
    ("wespeaker", {"mel": "slaney"}, 0.15),
    ("wespeaker", {"f_min": 0.0}, 0.15),
    ("wespeaker", {"f_max": 7600.0}, 0.15),
    ("wespeaker", {"power": 1}, 0.15),
    ("wespeaker", {"preemphasis": 0.0, "preemphasis_over": "none"}, 0.15),
    ("wespeaker", {"preemphasis_over": "signal_reflected"}, 0.15),
    ("wespeaker", {"remove_dc": False}, 0.15),
    ("wespeaker", {"scale": 1.0}, 0.15),
    ("wespeaker", {"subtract_mean": False}, 0.15),
    ("3dspeaker", {"window": "hamming"}, 0.15),
    ("3dspeaker", {"window": "hann"}, 0.15),
    ("3dspeaker", {"scale": 32768.0}, 0.15),
    ("3dspeaker", {"remove_dc": False}, 0.15),
    ("taoruijie", {"window": "hann"}, 0.15),
    ("taoruijie", {"window_periodic": False}, 0.15),
    ("taoruijie", {"n_fft": 400}, 0.15),
    ("taoruijie", {"mel": "kaldi"}, 0.016),
    ("taoruijie", {"mel": "slaney"}, 0.15),
    ("taoruijie", {"mel_area_norm": True}, 0.15),
    ("taoruijie", {"f_min": 0.0}, 0.15),
    ("taoruijie", {"f_max": 8000.0}, 0.15),
    ("taoruijie", {"edges": "zeros"}, 0.15),
    ("taoruijie", {"power": 1}, 0.15),
    ("taoruijie", {"preemphasis": 0.0, "preemphasis_over": "none"}, 0.15),
    ("taoruijie", {"preemphasis_over": "frame"}, 0.15),
    ("taoruijie", {"floor_rule": "clamp"}, 0.15),
    ("taoruijie", {"subtract_mean": False}, 0.15),
    ("nemo", {"window": "hamming"}, 0.15),
    ("nemo", {"window_periodic": True}, 0.045),
    ("nemo", {"n_fft": 400}, 0.15),
    ("nemo", {"mel": "htk"}, 0.15),
    ("nemo", {"f_max": 7600.0}, 0.15),
    ("nemo", {"edges": "reflect"}, 0.15),
    ("nemo", {"power": 1}, 0.15),
    ("nemo", {"preemphasis": 0.0, "preemphasis_over": "none"}, 0.15),
    ("nemo", {"preemphasis_over": "frame"}, 0.15),
    ("nemo", {"deviation": "biased"}, 0.005),
    ("nemo", {"deviation": "none", "deviation_eps": 0.0}, 0.15),
]


@pytest.mark.parametrize(("family", "wrong", "smallest"), SEEN)
def test_golden_values_tell_one_wrong_field(golden, family, wrong, smallest):
    values = np.load(golden / "networks" / f"features_{family}.npz")
    samples, expected = values["synthetic_signal"].astype(np.float32) / 32768, values["synthetic"].T
    found = FrontEnd(Contract(**{**PEERS[family].to_mapping(), **wrong})).whole(samples)
    frames = min(found.shape[1], expected.shape[1])
    assert np.abs(found[:, :frames] - expected[:, :frames]).max() > smallest


def varied():
    """float32 ``(40000,)``: loud, soft and silent stretches over all bands, with an offset."""
    dice = np.random.default_rng(7)
    time = np.arange(40_000) / 16_000
    signal = 0.003 * dice.standard_normal(40_000) + 0.05 * np.sin(2 * np.pi * (100 + 1500 * time) * time)
    signal += 0.02 * sum(np.sin(2 * np.pi * tone * time) for tone in (50, 433, 1200, 3700, 7700))
    signal *= 10 ** (-np.linspace(0, 3, 40_000))
    signal += 0.002
    signal[20_000:23_000] = 0
    return signal.astype(np.float32)


OTHERS = {
    "sample_rate": 22050,
    "volume": -10.0,
    "scale": 2.0,
    "preemphasis": 0.9,
    "win_length": 320,
    "n_fft": 1024,
    "hop_length": 128,
    "n_mels": 30,
    "f_min": 40.0,
    "f_max": 7000.0,
    "floor": 1e-3,
    "top_db": 40.0,
    "deviation_eps": 0.1,
    "gain": 0.5,
    "offset": 0.5,
}
# Other values that change nothing in a family's features of this signal. speechbrain: the mean takes out what scales
# all samples, and 80 dB below the greatest level is above the floor. Kaldi's frames lie within a crop of the samples as
# well, and at 16 bits the floor shows in silence alone, where both rules give it. A deviation takes out the logarithm's
# base.
UNSEEN = {
    "speechbrain": {"scale 2.0", "volume -10.0"},
    "wespeaker": {"cut wave", "floor_rule add"},
    "3dspeaker": {"cut wave"},
    "nemo": {"log db"},
    "voxceleb_trainer": {"log db", "deviation biased"},
}


def other_values(contract, name):
    """Other valid contracts that differ in one field."""
    values = contract.to_mapping()
    others = [value for value in contract_fields.CHOICES.get(name, ()) if value != values[name]]
    if name in contract_fields.SWITCHES:
        others = [not values[name]]
    elif name == "power":
        others = [3 - values[name]]
    elif name in OTHERS:
        others = [OTHERS[name]]
    for other in others:
        try:
            yield Contract(**{**values, name: other})
        except InputError:
            assert name in contract_fields.CHOICES or name in contract_fields.SWITCHES or name in LINKED


LINKED = ("preemphasis", "floor", "top_db", "deviation_eps")  # have a meaning beside certain other values alone


def is_seen(front, other, samples):
    """Whether the features of the whole signal or of a crop differ by more than one in 10,000 of the largest."""
    for frames in (0, 150):
        found, expected = (
            this.crop(samples, 60, frames) if frames else this.whole(samples) for this in (front, FrontEnd(other))
        )
        if found.shape != expected.shape or np.abs(found - expected).max() > 1e-4 * np.abs(expected).max():
            return True
    return False


@pytest.mark.parametrize("family", PEERS)
def test_every_field_is_seen_in_the_features(family):
    assert set(OTHERS) | {"power"} == set(contract_fields.NUMBERS)
    contract, samples = PEERS[family], varied()
    front, unseen = FrontEnd(contract), set()
    for name in contract_fields.FIELDS:
        for other in other_values(contract, name):
            assert other.key() != contract.key()
            if not is_seen(front, other, samples):
                unseen.add(f"{name} {other.to_mapping()[name]}")
    assert unseen == UNSEEN.get(family, set())


def test_every_field_is_tried_in_some_family():
    tried = {
        name for contract in PEERS.values() for name in contract_fields.FIELDS for _ in other_values(contract, name)
    }
    assert tried == set(contract_fields.FIELDS)


def toolkit():
    torch = pytest.importorskip("torch")
    from asv.torchaudio_loader import load_torchaudio

    torchaudio = load_torchaudio()
    import torchaudio.compliance.kaldi as kaldi

    return types.SimpleNamespace(torch=torch, transforms=torchaudio.transforms, kaldi=kaldi)


def assert_near(found, expected, largest, mean):
    difference = np.abs(found - expected)
    assert found.shape == expected.shape
    assert difference.max() < largest
    assert difference.mean() < mean


@pytest.mark.parametrize(("contract", "window"), [(WESPEAKER, "hamming"), (THREE_D_SPEAKER, "povey")])
def test_kaldi_as_torchaudio_has_it(contract, window):
    kit = toolkit()
    samples = varied()
    expected = kit.kaldi.fbank(
        kit.torch.from_numpy(samples)[None] * contract.scale,
        num_mel_bins=80,
        window_type=window,
        sample_frequency=16000,
    )
    expected = (expected - expected.mean(0)).numpy().T
    assert_near(FrontEnd(contract).whole(samples), expected, 2e-3, 2e-5)


@pytest.mark.parametrize("contract", [WESPEAKER, THREE_D_SPEAKER])
def test_kaldi_native_fbank(contract):
    knf = pytest.importorskip("kaldi_native_fbank", reason="kaldi-native-fbank is not installed")
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = contract.window
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = 8000
    computer = knf.OnlineFbank(options)
    samples = varied()
    computer.accept_waveform(16000, (samples * contract.scale).tolist())
    computer.input_finished()
    expected = np.array([computer.get_frame(i) for i in range(computer.num_frames_ready)]).T
    expected = expected - expected.mean(axis=1, keepdims=True)
    assert_near(FrontEnd(contract).whole(samples), expected, 5e-3, 2e-5)


def mel_spectrogram(kit, samples, contract, **options):
    windows = {"hann": kit.torch.hann_window, "hamming": kit.torch.hamming_window}
    compute = kit.transforms.MelSpectrogram(
        sample_rate=16000,
        n_fft=contract.n_fft,
        win_length=contract.win_length,
        hop_length=contract.hop_length,
        window_fn=windows[contract.window],
        f_min=contract.f_min,
        f_max=contract.f_max,
        n_mels=contract.n_mels,
        power=2.0,
        **options,
    )
    return compute(kit.torch.from_numpy(samples)).numpy()


@pytest.mark.parametrize("family", ["taoruijie", "voxceleb_trainer"])
def test_log_mels_as_torchaudio_has_them(family):
    kit, contract, samples = toolkit(), PEERS[family], varied()
    emphasised = samples - np.float32(0.97) * np.concatenate([samples[1:2], samples[:-1]])
    expected = np.log(mel_spectrogram(kit, emphasised, contract, mel_scale="htk") + 1e-6)
    if family == "taoruijie":
        expected = expected - expected.mean(axis=1, keepdims=True)
    else:
        expected = kit.torch.nn.InstanceNorm1d(64)(kit.torch.from_numpy(expected)[None])[0].numpy()
    assert_near(FrontEnd(contract).whole(samples), expected, 2e-3, 2e-5)


def test_resemblyzers_mels_as_torchaudio_has_them():
    kit, samples = toolkit(), varied()
    level = 20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    assert level < -30
    raised = (samples * 10 ** ((-30 - level) / 20)).astype(np.float32)
    expected = mel_spectrogram(kit, raised, RESEMBLYZER, norm="slaney", mel_scale="slaney", pad_mode="constant")
    found = FrontEnd(RESEMBLYZER).whole(samples)
    assert_near(found, expected, 1e-5 * expected.max(), 1e-6 * expected.max())


def test_speechbrains_own_code():
    kit = toolkit()
    features = peer("speechbrain.lobes.features")
    samples = varied()
    expected = features.Fbank(n_mels=80)(kit.torch.from_numpy(samples)[None])[0]
    expected = (expected - expected.mean(0)).numpy().T
    assert_near(FrontEnd(SPEECHBRAIN).whole(samples), expected, 5e-3, 1e-4)


def test_frames_of_two_seconds():
    """Those of the reference notes: 201 frames centred, 198 Kaldi's, 200 NeMo's."""
    counts = {name: contract.frames(32_000) for name, contract in PEERS.items()}
    assert counts["wespeaker"] == counts["3dspeaker"] == 198
    assert counts["nemo"] == 200
    assert {counts[name] for name in ("modelzoo", "speechbrain", "taoruijie", "resemblyzer")} == {201}
    assert (SPEECHBRAIN.samples(200), TAORUIJIE.samples(200)) == (31_840, 31_840)
    assert (WESPEAKER.samples(200), NEMO.samples(200)) == (32_240, 32_000)
