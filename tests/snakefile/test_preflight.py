"""What can be known to fail fails before the first job."""

import os
import shutil
import time

import pytest

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
