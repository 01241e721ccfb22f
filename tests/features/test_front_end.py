"""The front end against a slow computation after the contract's words, and what holds for every contract."""

import ast
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import SCRIPTS
from support.peer_contracts import MODELZOO, PEERS, RESEMBLYZER, SPEECHBRAIN, WESPEAKER
from support.random_contracts import contracts

from asv.errors import InputError
from asv.features import front_end
from asv.features.contract import Contract
from asv.features.front_end import FrontEnd
from asv.features.mel_scales import BandSums, hertz_to_mel, mel_matrix, mel_to_hertz


def noise(length, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def sample_at(signal, place, edges):
    """A signal's value at a place before its beginning or after its end as well."""
    if 0 <= place < len(signal):
        return signal[place]
    if edges == "zeros":
        return 0.0
    assert edges == "reflect"
    return signal[-place] if place < 0 else signal[2 * (len(signal) - 1) - place]


def slow_frame(signal, index, c):
    """The frame that goes into the Fourier transform."""
    begin = index * c.hop_length - (0 if c.edges == "snip" else c.n_fft // 2)
    offset = (c.n_fft - c.win_length) // 2 if c.window_placement == "centre" else 0
    frame = np.array([sample_at(signal, begin + offset + i, c.edges) for i in range(c.win_length)])
    if c.remove_dc:
        frame = frame - frame.mean()
    if c.preemphasis_over == "frame":
        frame = np.array([x - c.preemphasis * frame[max(i - 1, 0)] for i, x in enumerate(frame)])
    period = c.win_length if c.window_periodic else c.win_length - 1
    alpha = 0.54 if c.window == "hamming" else 0.5
    window = alpha - (1 - alpha) * np.cos(2 * np.pi * np.arange(c.win_length) / period)
    result = np.zeros(c.n_fft)
    result[offset : offset + c.win_length] = frame * (window**0.85 if c.window == "povey" else window)
    return result


def slow_levels(samples, c):
    """float64 ``(n_mels, frames)``, before anything that goes over time but ``top_db``."""
    x = samples.astype(np.float64)
    level = np.sqrt(np.mean(x**2))
    if c.volume is not None and 0 < level < 10 ** (c.volume / 20):
        x = x / level * 10 ** (c.volume / 20)
    x = x * c.scale
    if c.preemphasis_over.startswith("signal"):
        before = x[1] if c.preemphasis_over == "signal_reflected" else 0.0
        x = np.array([value - c.preemphasis * (x[i - 1] if i else before) for i, value in enumerate(x)])
    if c.edges == "snip":
        count = 1 + (len(x) - (c.win_length if c.window_placement == "left" else c.n_fft)) // c.hop_length
    else:
        count = len(x) // c.hop_length + (not c.drop_last)
    spectra = np.array([np.abs(np.fft.fft(slow_frame(x, i, c))[: c.n_fft // 2 + 1]) ** c.power for i in range(count)])
    bands = mel_matrix(c) @ spectra.T
    if c.log == "none":
        return bands
    bands = np.maximum(bands, c.floor) if c.floor_rule == "clamp" else bands + c.floor
    if c.log == "ln":
        return np.log(bands)
    decibels = (10 if c.power == 2 else 20) * np.log10(bands)
    return decibels if c.top_db is None else np.maximum(decibels, decibels.max() - c.top_db)


def slow_finish(levels, c):
    if c.subtract_mean:
        levels = levels - levels.mean(axis=1)[:, None]
    if c.deviation == "instance_norm":
        levels = levels / np.sqrt(levels.var(axis=1) + c.deviation_eps)[:, None]
    elif c.deviation != "none":
        freedom = 1 if c.deviation == "unbiased" and levels.shape[1] > 1 else 0
        levels = levels / (levels.std(axis=1, ddof=freedom) + c.deviation_eps)[:, None]
    return levels * c.gain + c.offset


def assert_same(found, expected):
    """Equal as far as single precision goes; where a band is constant, its deviation is the rounding of its mean."""
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1, np.abs(expected).max()))


@given(contracts(), st.integers(0, 300), st.integers(0, 99), st.data())
def test_it_does_what_the_contract_says(contract, more, seed, data):
    samples = noise(contract.fewest_samples + more, seed)
    front = FrontEnd(contract)
    whole = front.whole(samples)
    levels = slow_levels(samples, contract)
    assert whole.shape == (contract.n_mels, contract.frames(len(samples)))
    assert_same(whole, slow_finish(levels, contract))

    frames = data.draw(st.integers(1, whole.shape[1]))
    start = data.draw(st.integers(0, whole.shape[1] - frames))
    if contract.cut == "frames":
        assert_same(front.crop(samples, start, frames), slow_finish(levels[:, start : start + frames], contract))
        return
    raised = samples
    if contract.volume is not None:
        raised = samples * max(1, 10 ** (contract.volume / 20) / np.sqrt(np.mean(samples.astype(float) ** 2)))
    first = start * contract.hop_length
    part = raised[first : first + contract.samples(frames)]
    if len(part) < contract.fewest_samples:
        with pytest.raises(InputError, match=r"crop of .* is too short"):
            front.crop(samples, start, frames)
    else:
        assert_same(front.crop(samples, start, frames), FrontEnd(contract.overridden(volume=-120)).whole(part))


@pytest.mark.parametrize("name", PEERS)
def test_a_crop_by_the_rule_of_its_contract(name):
    contract = PEERS[name]
    front = FrontEnd(contract)
    samples = noise(50_000)
    last = contract.frames(len(samples)) - 200
    for start in (0, 1, 2, 57, last - 1, last):
        crop = front.crop(samples, start, 200)
        assert crop.shape == (contract.n_mels, 200)
        if contract.cut == "wave":
            part = samples[start * 160 : start * 160 + contract.samples(200)]
            np.testing.assert_array_equal(crop, front.whole(part))
            continue
        whole = front.whole(samples)[:, start : start + 200]
        if contract.subtract_mean:
            whole = whole - whole.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(crop, whole, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["wespeaker", "3dspeaker"])
def test_features_of_kaldi_are_the_same_cut_either_way(name):
    front = FrontEnd(PEERS[name])
    samples = noise(50_000)
    first, length = 40 * 160, PEERS[name].samples(200)
    assert length == 32_240
    np.testing.assert_allclose(
        front.crop(samples, 40, 200), front.whole(samples[first : first + length]), rtol=0, atol=1e-6
    )


def test_a_crop_of_frames_reads_no_sample_beyond_its_windows():
    samples = noise(60_000)
    apart = samples.copy()
    apart[: 100 * 160 - 200] = np.nan
    apart[199 * 160 + 200 :] = np.nan
    crops = [FrontEnd(MODELZOO).crop(signal, 100, 100) for signal in (samples, apart)]
    np.testing.assert_array_equal(*crops)


def test_the_number_of_frames_computed_at_once_changes_nothing(monkeypatch):
    samples = noise(30_000)
    for contract in PEERS.values():
        expected = FrontEnd(contract).whole(samples)
        with monkeypatch.context() as patch:
            patch.setattr(front_end, "BLOCK", 1)
            np.testing.assert_allclose(FrontEnd(contract).whole(samples), expected, rtol=1e-6, atol=1e-6)


def test_volume_raises_quiet_utterances_alone():
    loud, quiet = noise(20_000, level=0.2), noise(20_000, level=0.2) / 1000
    front, plain = FrontEnd(RESEMBLYZER), FrontEnd(Contract(**{**RESEMBLYZER.to_mapping(), "volume": None}))
    np.testing.assert_array_equal(front.whole(loud), plain.whole(loud))
    level = 20 * np.log10(np.sqrt(np.mean(quiet.astype(float) ** 2)))
    assert level < -70
    raised = (quiet * 10 ** ((-30 - level) / 20)).astype(np.float32)
    np.testing.assert_allclose(front.whole(quiet), plain.whole(raised), rtol=1e-5)


def test_the_volume_is_the_utterances_and_not_the_crops():
    samples = np.concatenate([noise(20_000, level=0.5), noise(20_000, level=0.001)])
    assert FrontEnd(RESEMBLYZER).crop(samples, 180, 60).max() < 1e-3


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1e-30])
def test_constant_samples_have_features_without_nan(name, value):
    features = FrontEnd(PEERS[name]).whole(np.full(32_000, value, np.float32))
    assert np.isfinite(features).all()


@pytest.mark.parametrize("name", PEERS)
def test_one_frame_and_the_shortest_signal(name):
    contract = PEERS[name]
    front = FrontEnd(contract)
    shortest = front.whole(noise(contract.fewest_samples))
    assert shortest.shape == (contract.n_mels, contract.frames(contract.fewest_samples))
    assert np.isfinite(shortest).all()
    if contract.cut == "frames":
        one = front.crop(noise(4000), 3, 1)
        assert np.isfinite(one).all()
        assert not contract.subtract_mean or not one.any()
    with pytest.raises(InputError, match=f"edges: {contract.edges} it needs {contract.fewest_samples}"):
        front.whole(noise(contract.fewest_samples - 1))


def test_a_crop_that_is_too_short_for_its_ends():
    contract = SPEECHBRAIN.overridden(edges="reflect")
    with pytest.raises(InputError, match=r"a crop of 2 frames, .* of 160 samples is too short: .* it needs 201"):
        FrontEnd(contract).crop(noise(16_000), 0, 2)


@pytest.mark.parametrize(("start", "frames"), [(-1, 10), (92, 10), (0, 102), (0, 0)])
def test_frames_that_are_not_there(start, frames):
    with pytest.raises(ValueError, match="of 101"):
        FrontEnd(MODELZOO).crop(noise(16_000), start, frames)


@pytest.mark.parametrize("samples", [np.zeros(16_000, np.int16), np.zeros((1, 16_000), np.float32)])
def test_samples_of_another_kind_are_refused(samples):
    with pytest.raises(ValueError, match="must be floats"):
        FrontEnd(MODELZOO).whole(samples)


def test_samples_are_left_as_they_are():
    samples = noise(16_000)
    copy = samples.copy()
    for contract in PEERS.values():
        FrontEnd(contract).whole(samples)
        FrontEnd(contract).crop(samples, 10, 20)
    np.testing.assert_array_equal(samples, copy)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_scales(scale):
    hertz = np.array([0.0, 20.0, 700.0, 999.999, 1000.0, 4000.0, 8000.0])
    known = {"htk": (781.1698, 1000, 2146.065), "slaney": (10.5, 15.0, 35.1638)}[scale]
    np.testing.assert_allclose(hertz_to_mel(hertz, scale)[[2, 4, 5]], known, rtol=1e-4)
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel(hertz, scale), scale), hertz, rtol=1e-12, atol=1e-12)


def test_triangles_of_speechbrain():
    """As its ``Filterbank``: a slope of one left width on both sides of the centre."""
    matrix = mel_matrix(SPEECHBRAIN)
    hertz = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 82) / 2595) - 1)
    slope = (np.linspace(0, 8000, 201) - hertz[1:-1, None]) / np.diff(hertz)[:-1, None]
    np.testing.assert_allclose(matrix, np.maximum(0, np.minimum(slope + 1, 1 - slope)), rtol=0, atol=1e-10)


@given(contracts())
def test_sums_of_bands(contract):
    matrix = mel_matrix(contract)
    spectra = np.random.default_rng(0).random((matrix.shape[1], 7))
    np.testing.assert_allclose(BandSums(matrix)(spectra), matrix @ spectra, rtol=1e-12, atol=1e-15)


def test_an_empty_band_stays_empty():
    matrix = np.array([[0.0, 0, 0], [0, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(BandSums(matrix)(np.ones((3, 2))), [[0, 0], [2, 2], [0, 0]])


def test_it_can_travel():
    """The front end imports NumPy, the standard library and three modules beside it; a contract not even NumPy."""
    folder = SCRIPTS / "asv/features"
    allowed = {
        "contract_fields.py": set(),
        "contract.py": {"errors", "contract_fields", ""},
        "mel_scales.py": {"numpy", "numpy.typing", "contract"},
        "front_end.py": {"numpy", "numpy.typing", "numpy.lib.stride_tricks", "contract", "errors", "mel_scales"},
    }
    for name, others in allowed.items():
        found = set()
        for node in ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        assert {module for module in found if module.split(".")[0] not in sys.stdlib_module_names} <= others, name


def test_defaults_are_the_features_of_today():
    torch = pytest.importorskip("torch")
    from asv.features.torchaudio_mel import LogMel, to_network_input

    log_mel, front = LogMel(Contract()), FrontEnd(Contract())
    for seed, level in enumerate((0.3, 0.01, 1e-4)):
        samples = noise(48_000, seed, level)
        expected = to_network_input(log_mel(torch.from_numpy(samples))).numpy()
        np.testing.assert_allclose(front.whole(samples), expected, rtol=0, atol=1e-5)
        expected = to_network_input(log_mel.crop(torch.from_numpy(samples), 0, 200)).numpy()
        np.testing.assert_allclose(front.crop(samples, 0, 200), expected, rtol=0, atol=1e-5)


def test_wespeakers_scale_shows_in_silence_alone():
    """As the golden README says; a wrong scale looks right on loud samples."""
    samples = noise(32_000, level=0.3)
    other = FrontEnd(WESPEAKER.overridden(scale=1.0))
    assert np.abs(FrontEnd(WESPEAKER).whole(samples) - other.whole(samples)).max() < 1e-4
    samples[8000:12_000] = 0
    assert np.abs(FrontEnd(WESPEAKER).whole(samples) - other.whole(samples)).max() > 5


def test_features_that_were_given_stay_as_they_are():
    """The front end's working memory is its own."""
    front = FrontEnd(Contract())
    draw = np.random.default_rng(0)
    signals = [draw.uniform(-1, 1, count).astype(np.float32) for count in (40000, 50000, 16000)]
    together = [front.whole(samples) for samples in signals]
    for samples, found in zip(signals, together):
        np.testing.assert_array_equal(found, FrontEnd(Contract()).whole(samples))


def test_threads_may_share_a_front_end():
    front, draw = FrontEnd(SPEECHBRAIN), np.random.default_rng(0)
    signals = [draw.uniform(-1, 1, count).astype(np.float32) for count in range(16000, 48000, 500)]
    alone = [front.whole(samples) for samples in signals]
    with ThreadPoolExecutor(8) as pool:
        for wanted, found in zip(alone, pool.map(front.whole, signals)):
            np.testing.assert_array_equal(found, wanted)
