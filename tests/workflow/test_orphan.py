"""What a killed run leaves: a script that goes on after the next run writes nothing, and its lock is taken over."""

import json
import signal
import time

import psutil
import pytest
from walk.walk import Project, stand_in_code

TARGET = "results/eer_bs4.txt"
#: What keeps an orphan from writing: a look at its run before a file takes its place, and a thread that looks at times.
GUARDS = {
    "files.before_replacing = self.require_run": "pass",
    "threading.Thread(target=self._watch, daemon=True).start()": "pass",
}


def await_(condition, what):
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} within a minute"
        time.sleep(0.05)
    return found


def leave_orphan(project, rule, *arguments):
    """Kill a run while a script of the rule waits; returns the script's process, stopped."""
    (project.folder / "fault.json").write_text(json.dumps({"rule": rule, "mode": "hold"}))
    run = project.start(*(arguments or [TARGET]))
    await_((project.folder / "waiting").exists, "script that waits")
    scripts = [p for p in psutil.Process(run.pid).children(recursive=True) if f"{rule}.py" in " ".join(p.cmdline()[:3])]
    orphan = scripts[-1]  # the others are shells
    orphan.send_signal(signal.SIGSTOP)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    (project.folder / "fault.json").unlink()
    return orphan


def made(project):
    """Contents of all that the workflow has made, without temporary files, which nobody takes for results."""
    paths = (path for top in ("work", "results") for path in (project.folder / top).rglob("*"))
    return {path: path.read_bytes() for path in paths if path.is_file() and path.name[0] != "."}


@pytest.mark.parametrize("guarded", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_an_orphan_writes_nothing(tmp_path, guarded):
    """Without the guards, which the second form takes out, the orphan's old output takes the place of the new one."""
    code = stand_in_code(tmp_path / "code")
    if not guarded:
        path = code / "workflow_scripts/asv/runs.py"
        text = path.read_text()
        for guard, nothing in GUARDS.items():
            assert guard in text
            text = text.replace(guard, nothing)
        path.write_text(text)
    project = Project(tmp_path / "project", code)
    orphan = leave_orphan(project, "unzip_checkpoint")
    project.write("one.zip")  # so that what the orphan has read is old
    status, output = project.call(TARGET)
    assert status == 0, output
    before = made(project)
    orphan.send_signal(signal.SIGCONT)
    psutil.wait_procs([orphan], timeout=60)
    assert not orphan.is_running()
    assert (made(project) == before) == guarded
    status, output = project.call(TARGET)
    assert status == 0
    assert ("Nothing to be done" in output) == guarded, output


def test_the_lock_of_a_killed_run_is_taken_over_whatever_is_asked_next(tmp_path):
    network = "work/network/network.json"
    project = Project(tmp_path / "project", stand_in_code(tmp_path / "code"))
    assert project.call(network)[0] == 0
    leave_orphan(project, "trace_network", network, "--forcerun", "trace_network").kill()
    status, output = project.call(network)
    assert status == 0, output
    assert "its lock on this folder is taken over" in output
