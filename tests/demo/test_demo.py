"""The demo: reproducible voices, a corpus in VoxCeleb1's layout, and the checkpoint that is shipped."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.paths import REPO, SCRIPTS

import demo_checkpoint
import demo_corpus
from asv.demo import corpus, espeak, recordings, training
from asv.errors import InputError
from asv.features.contract import Contract
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EcapaTdnn

TEXT = "The quick brown fox jumps over seven lazy dogs near the river."
SOME = [corpus.Utterance(speaker, session, 1) for speaker in list(corpus.EVALUATION)[::6] for session in (1, 2)]


def digest(folder):
    """SHA-256 over names and contents of all files below a folder."""
    state = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*.wav")):
        state.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return state.hexdigest()


@pytest.mark.parametrize("variant", ["f1", "m3", "Alicia", "klatt4", "robosoft3", "whisper"])
def test_speech_does_not_depend_on_what_was_spoken_before(variant):
    alone = espeak.synthesise(TEXT, "en-US", variant)
    espeak.synthesise("Hello", "en-GB-scotland", "croak", rate=300, pitch=90, pitch_range=0)
    np.testing.assert_array_equal(espeak.synthesise(TEXT, "en-US", variant), alone)
    assert alone.dtype == np.int16
    assert len(alone) > 2 * espeak.SAMPLE_RATE


def test_parameters_of_speech_have_an_effect():
    plain = espeak.synthesise(TEXT, "en-US", "m3")
    changes = [{"rate": 220}, {"pitch": 70}, {"pitch_range": 10}]
    others = [espeak.synthesise(TEXT, "en-US", "m3", **change) for change in changes]
    others += [espeak.synthesise(TEXT, "en-US", "f1"), espeak.synthesise(TEXT, "en-GB-scotland", "m3")]
    assert len(others[0]) < 0.9 * len(plain)
    assert len({samples.tobytes() for samples in [plain, *others]}) == 6


def test_unknown_voices_are_refused():
    with pytest.raises(ValueError, match="variant: nobody"):
        espeak.synthesise(TEXT, "en-US", "nobody")
    with pytest.raises(ValueError, match="accent: xx"):
        espeak.synthesise(TEXT, "xx", "m3")


def test_a_missing_or_broken_espeak_is_explained(monkeypatch, tmp_path):
    library, data = espeak._installation()
    (tmp_path / "voices" / "!v").mkdir(parents=True)
    (tmp_path / "voices" / "!v" / "m3").touch()
    for installation, message in [
        ((str(tmp_path / "none.so"), data), "cannot be loaded from"),
        ((library, tmp_path), "cannot read its voices in"),
    ]:
        monkeypatch.setattr(espeak, "_installation", lambda found=installation: found)
        with pytest.raises(InputError, match=f"{message}.*pip install"):
            espeak.synthesise(TEXT, "en-US", "m3")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"not installed.*pip install"):
        espeak._installation.__wrapped__()


def test_voices_are_found_at_the_end_of_a_long_path(monkeypatch, tmp_path):
    expected = espeak.synthesise(TEXT, "en-US", "m3")
    library, data = espeak._installation()
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    (folder / data.name).symlink_to(data)
    monkeypatch.setattr(espeak, "_installation", lambda: (library, folder / data.name))
    np.testing.assert_array_equal(espeak.synthesise(TEXT, "en-US", "m3"), expected)


@pytest.mark.parametrize(("frequency", "gain"), [(100, 1), (1000, 1), (5000, 1), (8500, 0)])
def test_resampling_keeps_tones_below_7_khz_in_place_and_removes_aliases(frequency, gain):
    def tone(rate):
        return 20000 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)

    resampled = espeak.resample_to_16k(np.rint(tone(espeak.SAMPLE_RATE)).astype(np.int16))
    assert resampled.dtype == np.int16
    assert len(resampled) == 16000
    np.testing.assert_allclose(resampled[100:-100], gain * tone(16000)[100:-100], atol=40)  # -54 dB


@pytest.mark.parametrize(("samples", "expected"), [(0, 0), (1, 1), (441, 320), (442, 321)])
def test_resampled_length(samples, expected):
    assert len(espeak.resample_to_16k(np.zeros(samples, np.int16))) == expected


def test_speakers_are_disjoint_and_speak_reproducibly():
    evaluation, training = (
        {voice.variant for voice in voices.values()} for voices in (corpus.EVALUATION, corpus.TRAINING)
    )
    assert len(evaluation) == len(corpus.EVALUATION) >= 24
    assert len(training) == len(corpus.TRAINING) >= 70
    assert not evaluation & training
    assert not corpus.EVALUATION.keys() & corpus.TRAINING.keys()
    assert evaluation | training <= espeak.variants()


def test_defining_the_demo_imports_nothing_heavy():
    code = "import sys, asv.demo.corpus; print([m for m in ('numpy', 'torch', 'soundfile') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_trials_are_balanced_distinct_and_across_sessions():
    names = {utterance.name for utterance in corpus.utterances(corpus.EVALUATION, corpus.EVALUATION_SESSIONS)}
    trials = list(corpus.trials())
    assert len(names) == 8 * len(corpus.EVALUATION)
    assert Counter(target for target, _, _ in trials) == {kind: 16 * len(corpus.EVALUATION) for kind in (True, False)}
    assert len({frozenset(pair) for _, *pair in trials}) == len(trials)
    for target, first, second in trials:
        assert {first, second} <= names
        assert target == (first.split("/")[0] == second.split("/")[0])
        assert (first.split("/")[1], second.split("/")[1]) == ("s1", "s2")


def test_words_and_trials_are_those_of_every_machine():
    sentences = "\n".join(map(corpus.sentence, corpus.utterances(corpus.EVALUATION, corpus.EVALUATION_SESSIONS)))
    assert hashlib.sha256(sentences.encode()).hexdigest()[:16] == "e21dc0b7f85eb4dc"
    assert hashlib.sha256(repr(list(corpus.trials())).encode()).hexdigest()[:16] == "8580180d12c37382"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the digest is of eSpeak NG's build for x86-64")
def test_recordings_are_those_of_every_machine(tmp_path):
    recordings.write_corpus(tmp_path / "here", SOME)
    assert digest(tmp_path / "here") == "831eb19265e3cbb5427e1145324250a0524f5ff6a7627d0c77615daae67a3cb7"
    # As on an older processor: other code paths in the C library's mathematics and in NumPy.
    older = {
        **os.environ,
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-AVX",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX",
        "PYTHONPATH": f"{SCRIPTS}{os.pathsep}{REPO / 'tests'}{os.pathsep}{Path(__file__).parent}",
    }
    code = "import sys, test_demo; test_demo.recordings.write_corpus(sys.argv[1], test_demo.SOME)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, tmp_path / "older"], env=older, check=True)
    assert digest(tmp_path / "older") == digest(tmp_path / "here")


def test_recordings_are_16_khz_mono_16_bit_of_some_seconds(tmp_path):
    recordings.write_corpus(tmp_path / "wav", SOME)
    found = sorted((tmp_path / "wav").rglob("*.wav"))
    assert [path.relative_to(tmp_path / "wav").as_posix() for path in found] == sorted(u.name for u in SOME)
    for path in found:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert 2.5 < info.duration < 7.5
        samples, _ = soundfile.read(path, dtype="int16")
        assert 500 < np.abs(samples.astype(int)).max() < 32767  # neither silent nor clipped


def test_the_script_writes_both_outputs(monkeypatch, tmp_path):
    monkeypatch.setattr(demo_corpus.corpus, "EVALUATION", dict(list(corpus.EVALUATION.items())[:6]))
    arguments = ["demo_corpus.py", "--output", str(tmp_path / "wav"), "--trials", str(tmp_path / "trials.txt")]
    monkeypatch.setattr(sys, "argv", arguments)
    demo_corpus.main()
    trials = [line.split() for line in (tmp_path / "trials.txt").read_text().splitlines()]
    assert len(trials) == 6 * 32
    assert all((tmp_path / "wav" / name).is_file() for _, *names in trials for name in names)
    assert {label for label, _, _ in trials} == {"0", "1"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_shipped_checkpoint(tmp_path):
    path = REPO / "demo" / "checkpoint.zip"
    assert path.stat().st_size < 1e6
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["checkpoint/checkpoint.pt"]
        archive.extractall(tmp_path)
    content = torch.load(tmp_path / "checkpoint" / "checkpoint.pt", weights_only=True)
    assert content.keys() == {"step", "model_state_dict", "optimizer_state_dict"}
    network, facts = load_network(tmp_path / "checkpoint" / "checkpoint.pt")
    wrapped = {"weights": "model_state_dict", "omitted": ["optimizer_state_dict"]}
    known = {"family": "modelzoo", "channels": 24, "speakers": len(corpus.TRAINING), "step": content["step"], **wrapped}
    assert facts | known == facts
    assert content["step"] > 0
    # It knows its training voices: those were learnt with a margin.
    utterances = [corpus.Utterance(speaker, 1, 1) for speaker in list(corpus.TRAINING)[::7]]
    log_mel = training.LogMel(Contract())
    with torch.no_grad():
        for utterance in utterances:
            samples = torch.from_numpy(corpus.speak(utterance)).float() / (1 << 15)
            embedding, _ = network(training.to_network_input(log_mel(samples))[None])
            best = network.speaker_embedding(embedding).argmax().item()
            assert best == list(corpus.TRAINING).index(utterance.speaker)


def test_training_learns_and_repeats_itself(tmp_path):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(4).repeat(10)
    # Four "speakers", told apart by the band that is loud.
    mels = [torch.randn(80, 220, generator=generator) * 0.1 + (torch.arange(80) // 20 == s)[:, None] for s in labels]

    def trained():
        torch.manual_seed(0)
        network = EcapaTdnn(4, 4)
        optimizer = training.train(network, mels, labels, steps=40)
        training.write_archive(tmp_path / "checkpoint.zip", network, optimizer, 40)
        return network.eval(), (tmp_path / "checkpoint.zip").read_bytes()

    network, first = trained()
    _, second = trained()
    assert first == second
    with torch.no_grad():
        embedding, _ = network(torch.stack(mels)[:, :, :200])
    assert (network.speaker_embedding(embedding).argmax(dim=1) == labels).float().mean() > 0.9


def test_the_untrained_checkpoint_is_seeded(monkeypatch, tmp_path):
    contents = []
    for name in ("a.zip", "b.zip"):
        arguments = ["demo_checkpoint.py", "--untrained", "--channels", "8", "--threads", "1", "--output"]
        monkeypatch.setattr(sys, "argv", [*arguments, str(tmp_path / name)])
        demo_checkpoint.main()
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0])) as archive:
        content = torch.load(io.BytesIO(archive.read("checkpoint/checkpoint.pt")), weights_only=True)
    assert content["step"] == 0
    assert content["model_state_dict"]["conv1d_in.weight"].shape == (8, 80, 5)
    assert not content["model_state_dict"]["batchnorm_in.running_mean"].any()
