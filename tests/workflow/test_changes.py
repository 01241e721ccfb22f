"""What is changed while a run goes on, and what else an answer could be wrong by: stand-in scripts, real rules."""

import contextlib
import json
import os
import re
import time

import pytest
from walk.walk import Project, stand_in_code

ANSWER = "results/eer_bs4.txt"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run whose stages can be made to wait."""
    code = stand_in_code(tmp_path_factory.mktemp("stand_in") / "code")
    made = Project(tmp_path_factory.mktemp("changes") / "project", code)
    configure(made)
    status, output = made.call(ANSWER)
    assert status == 0, output
    return made


def configure(project, lists=("trials.txt", "other.txt"), shards=1):
    settings = {
        "dataset": {"root": "wavs", "trials": [str(project.folder / name) for name in lists]},
        "checkpoint": {"archive": str(project.folder / "one.zip")},
        "shards": shards,
    }
    (project.folder / "config.yaml").write_text(json.dumps(settings))


def read(project):
    return (project.folder / ANSWER).read_text()


@contextlib.contextmanager
def waiting(project, rule, *arguments):
    """A call whose job of the rule has begun and waits until the block ends."""
    fault, mark = project.folder / "fault.json", project.folder / "waiting"
    fault.write_text(json.dumps({"rule": rule, "mode": "wait"}))
    process = project.start(*arguments)
    while not mark.exists():
        assert process.poll() is None
        time.sleep(0.05)
    yield process
    fault.unlink()
    time.sleep(0.2)
    mark.unlink()


def test_lists_that_change_places_are_a_change(project):
    before = read(project)
    configure(project, ["other.txt", "trials.txt"])
    status, output = project.call(ANSWER)
    assert status == 0
    assert read(project) != before, output


@pytest.mark.slow
def test_what_was_changed_during_a_run_and_changed_back_is_no_answer(project):
    """The audio, the list and a script, one after the other, while the first job waits."""
    wav, listed = project.folder / "wavs/id0/s0/00000.wav", project.folder / "trials.txt"
    script = project.code / "workflow_scripts/score.py"
    status, output = project.call(ANSWER)
    right = read(project)
    for path, rule in ((wav, "extract_features"), (listed, "score"), (script, "score")):
        content, times = path.read_bytes(), path.stat()
        with waiting(project, rule, ANSWER, "--forcerun", rule) as process:
            path.write_bytes(content + b"\nCHANGED = 1\n")
        output = process.communicate(timeout=120)[0]
        assert process.returncode == 1, output
        assert "after the run had begun" in output
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        status, output = project.call(ANSWER)
        assert status == 0, output
        assert read(project) == right, path


SUBMIT = """#!/bin/bash
setsid nohup bash "$1" > "$PWD/job.$$.log" 2>&1 < /dev/null &
echo $!
"""


@pytest.mark.slow
def test_a_configuration_that_is_edited_while_a_clusters_jobs_run(project):
    """Their processes read it again, and the run's main process does not: it was an answer of the new one, kept for the
    former."""
    status, output = project.call(ANSWER)
    right = read(project)
    (project.folder / "submit.sh").write_text(SUBMIT)
    (project.folder / "submit.sh").chmod(0o755)
    cluster = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh", "--jobs", "2"]
    before = (project.folder / "config.yaml").read_text()
    with waiting(project, "infer", ANSWER, *cluster, "--forcerun", "infer") as process:
        edited = {**json.loads(before), "scoring": {"bootstrap": {"seed": 1}}}
        (project.folder / "config.yaml").write_text(json.dumps(edited))
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 1, output
    (project.folder / "config.yaml").write_text(before)
    status, output = project.call(ANSWER)
    assert status == 0, output
    assert read(project) == right


def test_the_reason_of_a_rerun_says_what_changed(project):
    status, output = project.call(ANSWER)
    assert status == 0, output
    wav, settings = project.folder / "wavs/id0/s0/00000.wav", project.folder / "config.yaml"
    script = project.code / "workflow_scripts/infer.py"
    changed = {**json.loads(settings.read_text()), "scoring": {"bootstrap": {"seed": 7}}}
    for path, content, reason in (
        (wav, wav.read_bytes() + b" ", "wavs: [0-9a-f]+"),
        (script, script.read_bytes() + b"\nANOTHER = 1\n", "code: [0-9a-f]+"),
        (settings, json.dumps(changed).encode(), "settings: .*--bootstrap-seed 7"),
    ):
        before, times = path.read_bytes(), path.stat()
        path.write_bytes(content)
        status, output = project.call(ANSWER, "--dry-run")
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert status == 0, output
        assert re.search(f"before: .*{reason[:5]}.* now: .*{reason}", output), reason


def test_a_report_of_stale_results_and_allowed_rules_are_refused(project):
    project.write("one.zip")
    status, output = project.call(ANSWER, "--report", "report.html")
    assert status == 1
    assert "was not made with the present configuration" in output
    status, output = project.call(ANSWER, "--allowed-rules", "score", "copy_answer")
    assert status == 1
    assert "--allowed-rules takes whatever lies there for current" in output


@pytest.mark.slow
def test_two_modules_in_one_folder(project, monkeypatch):
    """One lock and one list of jobs for both; results lie behind each one's prefix."""
    modules = "".join(
        f'module {name}:\n    snakefile: "{project.code}/Snakefile"\n    config: dict(config, shards={shards})\n'
        f'    prefix: "{prefix}"\nuse rule * from {name} as {name}_*\n'
        for name, shards, prefix in (("a", 1, "a"), ("b", 2, "results/b"))
    )
    (project.folder / "Snakefile").write_text(f'configfile: "config.yaml"\n{modules}onstart:\n    b.onstart()\n')
    monkeypatch.setattr(project, "words", lambda *words: ["--cores", "2", *words])
    targets = [f"a/{ANSWER}", f"results/b/{ANSWER}"]
    status, output = project.call(*targets)
    assert status == 0, output
    assert "Nothing to be done" in project.call(*targets)[1]
    project.write("one.zip")
    (project.folder / "fault.json").write_text(json.dumps({"rule": "b_score", "mode": "fail"}))
    assert project.call(*targets)[0] == 1
    assert not (project.folder / targets[1]).exists()
    assert (project.folder / "results/b/results/outdated/eer_bs4.txt").exists()
    assert (project.folder / "results/b/work/network/network.json").exists()
    (project.folder / "fault.json").unlink()
    assert project.call(*targets)[0] == 0
