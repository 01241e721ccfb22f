"""One run at a time in a folder, and scripts that end with the run that started them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.paths import SCRIPTS

from asv import code, files, receipts, runs, stamps
from asv.errors import InputError

FACTS = {"key": "k", "inputs": {"in.txt": "k0"}, "stamps": {}, "wavs": None, "outputs": ["out.txt"]}
JOB = {"code": {}, "jobs": {"copy:batch=4": FACTS}}
# A script as all are: it reads, works for a while, and writes.
SCRIPT = f"""
import sys, time
sys.path.insert(0, {str(SCRIPTS)!r})
from asv import cli, files
def main():
    parser = cli.parser("copy")
    parser.add_argument("--seconds", type=float, default=0)
    options = parser.parse_args()
    print("started", flush=True)
    time.sleep(options.seconds)
    files.write_text("out.txt", open("in.txt").read())
cli.run(main)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "before_replacing", files.before_replacing)
    (tmp_path / "in.txt").write_text("input")
    (tmp_path / "script.py").write_text(SCRIPT)
    receipts.write("in.txt", "k0")
    return tmp_path


@pytest.fixture
def run():
    run = runs.Run("token", runs.state())
    run.announce(JOB)
    yield run
    run.end()


def start(*arguments, token="token"):
    command = [sys.executable, "script.py", *arguments]
    environment = {**os.environ, runs.VARIABLE: token}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def modules():
    """Stamps of all modules, as a run announces them."""
    return {name: (stamp, code.of(stamps.ROOT / name), []) for name, stamp in stamps.of_code().items()}


def end(process):
    return process.wait(60), process.stderr.read()


def test_a_job_writes_receipts_of_its_outputs(folder, run):
    assert end(start("--job", "copy:batch=4")) == (0, "")
    assert receipts.fits("out.txt", "k")


def test_by_hand_there_is_no_run(folder):
    assert end(start()) == (0, "")
    assert not receipts.place("out.txt").exists()


@pytest.mark.parametrize(("name", "token"), [("copy:batch=5", "token"), ("copy:batch=4", "another")])
def test_a_job_of_no_run_is_an_error(folder, run, name, token):
    status, errors = end(start("--job", name, token=token))
    assert status == 1
    assert errors.startswith(f"error: --job {name}: the run that started this script")
    assert not (folder / "out.txt").exists()


def test_an_input_that_is_not_the_runs_is_an_error_that_names_it(folder, run):
    (folder / "in.txt").write_text("other")
    status, errors = end(start("--job", "copy:batch=4"))
    assert status == 1
    assert "error: in.txt does not belong to the present configuration" in errors
    assert not (folder / "out.txt").exists()


def test_a_failed_script_leaves_no_receipt(folder, run):
    (folder / "in.txt").unlink()
    (folder / "in.txt").mkdir()
    receipts.write("in.txt", "k0")
    assert end(start("--job", "copy:batch=4"))[0] == 1
    assert not receipts.place("out.txt").exists()


def test_a_second_run_in_the_folder_is_refused(folder, run, monkeypatch):
    monkeypatch.setattr(runs, "PATIENCE", 0.1)
    with pytest.raises(InputError, match="another run is at work in this folder"):
        runs.Run("second", runs.state())


def test_a_run_that_was_there_since_the_folder_was_looked_at_is_noticed(folder):
    before = runs.state()
    runs.Run("first", before).end()
    with pytest.raises(InputError, match="another run has just ended"):
        runs.Run("second", before)
    runs.Run("third", runs.state()).end()


HOLDER = f"""
import sys, time
sys.path.insert(0, {str(SCRIPTS)!r})
from asv import runs
run = runs.Run("token", runs.state())
run.announce({JOB!r})
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def killed():
    """A run in another process, which can be killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_script_ends_with_its_run(folder, killed):
    process = start("--job", "copy:batch=4", "--seconds", "30")
    assert process.stdout.readline() == "started\n"
    killed.kill()
    started = time.monotonic()
    status, errors = end(process)
    assert status == 1
    assert "error: the run that started this job (copy:batch=4) is over" in errors
    assert time.monotonic() - started < 20, "it did not wait for its own end"
    assert not (folder / "out.txt").exists()


def test_a_script_that_slept_through_its_runs_end_writes_nothing(folder, killed):
    process = start("--job", "copy:batch=4", "--seconds", "1")
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGSTOP)
    killed.kill()
    killed.wait()
    (folder / "out.txt").write_text("the next run's")
    with_next = runs.Run("next", runs.state())
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)
    assert end(process)[0] == 1
    assert (folder / "out.txt").read_text() == "the next run's"
    with_next.end()


def test_a_killed_runs_folder_is_free_at_once(folder, killed):
    killed.kill()
    killed.wait()
    runs.Run("next", runs.state()).end()


def test_the_jobs_of_one_run_are_not_those_of_another(folder, run):
    content = json.loads(runs.JOBS.read_text())
    runs.JOBS.write_text(json.dumps({**content, "token": "another"}))
    assert end(start("--job", "copy:batch=4"))[0] == 1


@pytest.mark.parametrize("changed", ["in.txt", "list.txt"])
def test_what_changes_while_a_script_works_is_an_error_that_names_it(folder, run, changed):
    """Its output is that of neither state, and the former state may be back before the next run."""
    (folder / "list.txt").write_text("1 a b")
    facts = {**FACTS, "stamps": {"list.txt": stamps.of("list.txt")}}
    run.announce({"code": modules(), "jobs": {"copy:batch=4": facts}})
    process = start("--job", "copy:batch=4", "--seconds", "1.5")
    assert process.stdout.readline() == "started\n"
    (folder / changed).write_text("other")
    status, errors = end(process)
    assert status == 1
    assert errors.startswith(f"error: {changed} was ")
    assert not receipts.place("out.txt").exists()


@pytest.mark.parametrize("digest", ["of other code", None])  # None: it counts for none of the run's jobs
def test_code_that_is_not_the_runs_is_an_error_that_names_it(folder, run, digest):
    run.announce({"code": {**modules(), "asv/files.py": ("0" * 64, digest, [])}, "jobs": JOB["jobs"]})
    status, errors = end(start("--job", "copy:batch=4"))
    assert status == 1
    assert "asv/files.py was changed after the run had begun" in errors
    assert not (folder / "out.txt").exists()


def test_words_may_be_edited_while_a_run_goes_on(run):
    edited = ("0" * 64, *modules()["asv/files.py"][1:])
    run.announce({"code": {**modules(), "asv/files.py": edited}, "jobs": JOB["jobs"]})
    assert end(start("--job", "copy:batch=4")) == (0, "")


def test_audio_that_is_not_the_runs_is_an_error(run, monkeypatch):
    run.announce({"code": {}, "jobs": {"copy:batch=4": {**FACTS, "wavs": "stamp"}}})
    monkeypatch.setenv(runs.VARIABLE, "token")
    job = runs.Job("copy:batch=4")
    job.require_wavs("stamp")
    with pytest.raises(InputError, match="audio of this shard was changed"):
        job.require_wavs("another")
