"""Which utterances calibrate a network in int8, and what is said where they do not do."""

import json

import numpy as np
import pytest
from support.scripts import finished
from support.synthetic import write_tree, write_voice

from asv.demo import corpus
from asv.errors import InputError
from asv.features.manifest import Rejected
from asv.quantisation import calibration


def extract(folder, *arguments, root="speech"):
    words = ["--root", folder / root] if root else []
    outputs = ["--output", folder / "c.npy", "--sidecar", folder / "c.json"]
    return finished("extract_calibration.py", *words, *arguments, *outputs)


def test_the_choice_is_by_digest(tmp_path):
    write_tree(tmp_path / "speech", speakers=4)
    every = calibration.files_below(str(tmp_path / "speech"))
    assert len(every) == 16
    some = calibration.chosen(every, 10, 0)
    assert some == calibration.chosen(every[::-1], 10, 0)
    assert [file.utterance for file in some] == sorted(file.utterance for file in some)
    assert {file.utterance for file in some} != {file.utterance for file in calibration.chosen(every, 10, 1)}
    assert {file.utterance for file in calibration.chosen(every, 9, 0)} < {file.utterance for file in some}
    assert len(calibration.chosen(every, 300, 0)) == 16
    assert all(file.size > 0 and file.mtime > 0 for file in some)


def test_the_demos_voices_are_those_of_its_training():
    some = calibration.demo_voices(300, 0)
    assert len({voice.name for voice in some}) == 300
    assert {voice.speaker for voice in some} <= set(corpus.TRAINING)
    assert not {voice.speaker for voice in some} & set(corpus.EVALUATION)


def test_what_is_evaluated_is_counted(tmp_path):
    write_tree(tmp_path / "data" / "speech", speakers=2)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    files = calibration.files_below(str(tmp_path / "link" / "speech"))
    assert calibration.of_roots(files, [str(tmp_path / "data")]) == 8
    assert calibration.of_roots(files, [str(tmp_path / "data" / "spee")]) == 0
    assert calibration.of_roots(files, [str(tmp_path / "data/speech/id0"), str(tmp_path / "data/speech/id1")]) == 8


def test_features_of_a_folder(tmp_path):
    for number in range(12):
        write_voice(tmp_path / f"speech/any/where/{number}.wav", 100 + 10 * number, seed=number)
    (tmp_path / "speech/broken.wav").write_bytes(b"no audio")
    done = extract(tmp_path, "--evaluation-data", 3)
    assert done.returncode == 0, done.stderr
    assert "rejected: broken.wav: " in done.stdout
    assert "12 utterances of " in done.stdout
    features, record = np.load(tmp_path / "c.npy"), json.loads((tmp_path / "c.json").read_text())
    assert (features.shape, features.dtype) == ((12, 80, 200), np.float32)
    assert (record["utterances"], record["rejected"], record["evaluation_data"]) == (12, 1, 3)
    before = (tmp_path / "c.npy").read_bytes()
    assert extract(tmp_path).returncode == 0
    assert (tmp_path / "c.npy").read_bytes() == before

    done = extract(tmp_path, "--on-bad-audio", "fail")
    assert done.returncode == 1
    assert "error: quantisation.calibration: 1 of 13 chosen files cannot be used: broken.wav: " in done.stderr


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "quantisation.calibration.root: no audio below"),
        (["a.wav", "b.wav"], "quantisation.calibration: 2 utterances to calibrate with, and 10 are the minimum"),
    ],
)
def test_too_little(tmp_path, names, message):
    (tmp_path / "speech").mkdir()
    for name in names:
        write_voice(tmp_path / "speech" / name, 120)
    done = extract(tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c.npy").exists()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"quantisation\.calibration\.root: no folder '/no/where'"):
        calibration.files_below("/no/where")


def test_too_many_rejected_files_are_named():
    rejected = [Rejected(f"{n}", f"{n}.wav", "unreadable", "why") for n in range(5)]
    with pytest.raises(InputError, match=r"9 utterances .*5 of 14 chosen .*0\.wav: unreadable \(why\); 1\.wav.*2\.wav"):
        calibration.require_enough(14, 9, rejected, "reject")
    calibration.require_enough(15, 10, rejected, "reject")
