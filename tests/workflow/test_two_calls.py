"""Two calls at once: in one folder the second is refused, in two folders with one data set both are right."""

import json
import os
import shutil
import subprocess
import time

import pytest
from walk.walk import Project, stand_in_code


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return stand_in_code(tmp_path_factory.mktemp("stand_in") / "code")


def start(project, *arguments):
    """A call in the background, once it has claimed its folder."""
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    end = time.monotonic() + 60
    while not list((project.folder / "logs").rglob("*.log")) and time.monotonic() < end:
        time.sleep(0.05)
    return process


def test_in_one_folder(tmp_path, code):
    """A third call would start beside the first by Snakemake's own lock, which goes when the second one ends."""
    project = Project(tmp_path / "project", code)
    fault = project.folder / "fault.json"
    fault.write_text(json.dumps({"rule": "extract_features", "mode": "wait"}))
    first = start(project, "results/eer_bs4.txt")
    for target in ("work/network/network.json", "results/eer_bs4.txt"):
        status, output = project.call(target)
        assert status != 0
        assert "another run is at work in this folder" in output
    assert project.call("results/eer_bs8.txt", "--dry-run")[0] == 0
    fault.unlink()
    output, _ = first.communicate(timeout=120)
    assert first.returncode == 0, output.decode()
    assert "Nothing to be done" in project.call("results/eer_bs4.txt")[1]


@pytest.mark.slow
def test_in_two_folders_with_one_data_set(tmp_path, code):
    one, two = (Project(tmp_path / name, code) for name in ("one", "two"))
    shutil.rmtree(two.folder / "wavs")
    (two.folder / "wavs").symlink_to(one.folder / "wavs")
    processes = [start(project, "results/eer_bs4.txt") for project in (one, two)]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output.decode()
    answers = [(project.folder / "results/eer_bs4.txt").read_bytes() for project in (one, two)]
    assert answers[0] == answers[1]
