"""profiles/cluster-generic/status.sh with stand-ins for the schedulers' commands, which answer as their manuals say."""

import os
import shutil
import subprocess

import pytest
from support.paths import REPO

PBS = "Job Id: 7.server\n    job_state = {}\n    Exit_status = {}\n"
ANSWERS = [
    ("squeue", "COMPLETED", 0, "success"),
    ("squeue", "RUNNING", 0, "running"),
    ("squeue", "COMPLETING", 0, "running"),
    ("squeue", "PENDING", 0, "running"),
    ("squeue", "OUT_OF_MEMORY", 0, "failed"),
    ("squeue", "TIMEOUT", 0, "failed"),
    ("squeue", "CANCELLED", 0, "failed"),
    ("squeue", "slurm_load_jobs error: Invalid job id specified", 1, "failed"),
    ("squeue", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1, "running"),
    ("qstat", PBS.format("F", 0), 0, "success"),
    ("qstat", PBS.format("F", 10), 0, "failed"),
    ("qstat", PBS.format("F", 271), 0, "failed"),
    ("qstat", PBS.format("R", ""), 0, "running"),
    ("qstat", "Job Id: 7.server\n    job_state = C\n    exit_status = 0\n", 0, "success"),
    ("qstat", "qstat: Unknown Job Id 7.server", 153, "failed"),
    ("qstat", "qstat: cannot connect to server", 111, "running"),
    ("bjobs", "DONE", 0, "success"),
    ("bjobs", "EXIT", 0, "failed"),
    ("bjobs", "PEND", 0, "running"),
    ("bjobs", "Job <7> is not found", 255, "failed"),
    ("bjobs", "LSF is down. Please wait ...", 255, "running"),
]


def state(folder):
    for name in ("bash", "grep", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    script = REPO / "profiles/cluster-generic/status.sh"
    done = subprocess.run([script, "7"], env={**os.environ, "PATH": str(folder)}, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("command", "answer", "code", "wanted"), ANSWERS)
def test_the_state_of_a_job(tmp_path, command, answer, code, wanted):
    (tmp_path / "answer").write_text(answer)
    stand_in = tmp_path / command
    stand_in.write_text(f"#!/usr/bin/env bash\ncat {tmp_path}/answer\nexit {code}\n")
    stand_in.chmod(0o755)
    assert state(tmp_path) == (0, f"{wanted}\n")


def test_no_scheduler(tmp_path):
    code, output = state(tmp_path)
    assert (code, output) == (1, "")
