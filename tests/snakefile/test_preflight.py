"""What can be known to fail fails before the first job."""

import os
import shutil
import time

import pytest
from support.paths import REPO

from asv.errors import InputError
from asv.snakefile import preflight

IDS = ["a/s/1.wav", "a/s/2.wav", "b/s/1.wav"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    path.write_text(text)
    return path


def test_lists_and_a_cohort_that_fit(folder):
    trials = write(folder / "t.txt", "1 a/s/1.wav a/s/2.wav\n0 a/s/1.wav b/s/1.wav\n")
    cohort = write(folder / "c.txt", "a/s/1.wav\n")
    preflight.check_lists([trials], cohort, IDS, "fail")


@pytest.mark.parametrize(
    ("trials", "cohort", "message"),
    [
        ("1 a/s/1.wav a/s/2.wav\n1 a/s/1.wav nobody/s/1.wav\n", "a/s/1.wav\n", "1 of 2 trials name 1 utterances"),
        ("no list at all\n", "a/s/1.wav\n", "t.txt"),
        ("1 a/s/1.wav a/s/2.wav\n", "nobody/s/1.wav\n", "1 of 1 utterances of the cohort are not used"),
    ],
)
def test_lists_and_cohorts_that_do_not_fit(folder, trials, cohort, message):
    lists = [write(folder / "t.txt", trials)]
    with pytest.raises(InputError, match=message):
        preflight.check_lists(lists, write(folder / "c.txt", cohort), IDS, "fail")


def test_trials_that_are_to_be_skipped_are_no_fault(folder):
    trials = write(folder / "t.txt", "1 a/s/1.wav a/s/2.wav\n1 a/s/1.wav nobody/s/1.wav\n")
    preflight.check_lists([trials], None, IDS, "skip")


def test_a_file_of_the_future(folder):
    path = write(folder / "t.txt", "x")
    preflight.check_times([path])
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    with pytest.raises(InputError, match=r"t.txt: was changed 3\d+ seconds in the future"):
        preflight.check_times([path])


def test_a_folder_that_cannot_be_written_to(folder):
    preflight.check_folders(["work", "results/deep/below"])
    write(folder / "work", "a file in its place")
    with pytest.raises(InputError, match="work: this user may not write"):
        preflight.check_folders(["work"])


def test_a_disk_that_is_too_small(folder):
    free = shutil.disk_usage(folder).free
    preflight.check_space({"features": 10, "embeddings": 10})
    with pytest.raises(InputError, match=r"GB will be written \(features .* GB\); make room"):
        preflight.check_space({"features": 2 * free, "embeddings": 0})


DEMO = str(REPO / "demo/checkpoint.zip")


def test_a_checkpoint_of_another_family_is_told_with_the_setting():
    preflight.check_checkpoint(DEMO, "modelzoo", None)
    with pytest.raises(InputError, match=r"checkpoint\.zip: no .*; it is .*: set network\.family: modelzoo\. In it: "):
        preflight.check_checkpoint(DEMO, "speechbrain", None)
    with pytest.raises(InputError, match=r"checkpoint\.zip: checkpoint\.weights: no weights at 'ema'"):
        preflight.check_checkpoint(DEMO, "modelzoo", "ema")


def test_a_graph_in_the_place_of_a_checkpoint(folder):
    (folder / "mine.onnx").write_bytes(b"\x08\x07\x12\x04text" + bytes(100))
    with pytest.raises(InputError, match=r"mine\.onnx.*an ONNX model.*set network\.family: onnx"):
        preflight.check_checkpoint(str(folder / "mine.onnx"), "wespeaker", None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer.*git lfs pull"),
        (b"<!DOCTYPE html><html>Sign in</html>", "HTML page"),
    ],
)
def test_what_stands_for_a_file_is_told_before_the_first_job(folder, content, words):
    (folder / "mine.pt").write_bytes(content)
    with pytest.raises(InputError, match=words):
        preflight.check_checkpoint(str(folder / "mine.pt"), "modelzoo", None)


def test_damaged_and_large_archives_are_their_stages_to_tell(folder):
    for content in (b"text", b"PK\x03\x04" + bytes(50), (REPO / "demo/checkpoint.zip").read_bytes()[:-100]):
        (folder / "mine.zip").write_bytes(content)
        preflight.check_checkpoint(str(folder / "mine.zip"), "modelzoo", None)
    preflight.check_checkpoint(DEMO, "speechbrain", None, most=100)
