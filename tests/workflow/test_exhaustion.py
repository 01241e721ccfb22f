"""Full disks, exhausted memory, folders without permission, and kills: never half a file, never an old answer."""

import contextlib
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys

import psutil
import pytest
from support.synthetic import make_project
from support.workflow import Workflow, digests

pytestmark = pytest.mark.slow
TARGET = "results/eer_bs4.txt"
KILLS = 50  # about four minutes


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A finished run, and the command of each of its jobs."""
    workflow = make_project(Workflow(tmp_path_factory.mktemp("reference")))
    output = workflow.run(TARGET, "--printshellcmds", "--cores", "1")
    rules = re.findall(r"^(?:local)?rule (\w+):$", output, re.M)
    workflow.commands = dict(zip(rules, re.findall(r"^Shell command: (.*)$", output, re.M), strict=True))
    assert {"extract_features", "unzip_checkpoint", "trace_network", "compile_engine", "infer", "score"} <= set(rules)
    return workflow


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB, which root can mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder, leave):
    """Fill a disk but for some bytes."""
    free = shutil.disk_usage(folder).free
    (folder / "filler").write_bytes(b"\0" * max(0, free - leave))


# What is left on the disk, chosen so that each of the stages is the one that meets its end; in kilobytes.
@pytest.mark.parametrize("leave", [0, 8, 64, 300, 600, 1200, 1800, 2400, 2800, 4000])
def test_a_disk_that_fills_up(reference, small_disk, leave):
    workflow = make_project(Workflow(small_disk / "project"))
    fill(small_disk, leave * 1024)
    process = workflow.start(TARGET, "--cores", "1")
    output, _ = process.communicate(timeout=300)
    if process.returncode == 0:
        assert leave > 1000, "all of it fitted into nothing"
    else:
        assert re.search(r"No space left on device|GB are free|Disk quota", output), output
        assert not (workflow.folder / TARGET).exists()
    (small_disk / "filler").unlink()
    workflow.run(TARGET)
    assert digests(workflow.folder) == digests(reference.folder)


@pytest.mark.parametrize("megabytes", [150, 600, 1500, 3000])
def test_memory_that_runs_out(reference, megabytes):
    """Every stage's script, by hand, under a limit: it ends with an error, or its outputs are the right ones."""
    before = digests(reference.folder)
    outcomes = {}
    for rule, command in reference.commands.items():
        script = re.sub(r"--job \S+ ", "", command).partition(" > logs")[0].lstrip("(").rstrip(")")
        limit = megabytes << 20
        done = subprocess.run(
            shlex.split(script),
            cwd=reference.folder,
            capture_output=True,
            text=True,
            timeout=300,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
        outcomes[rule] = done.returncode
        assert digests(reference.folder) == before, (rule, done.stderr)
    if megabytes == 150:
        assert 0 not in [outcomes[rule] for rule in ("extract_features", "trace_network", "compile_engine")]


def test_a_folder_without_permission(tmp_path):
    """As root without its privilege, or as the user who runs the tests."""
    workflow = make_project(Workflow(tmp_path))
    (tmp_path / "results").mkdir(mode=0o555)
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"] if os.geteuid() == 0 else []
    if without and not shutil.which("setpriv"):
        pytest.skip("root, and no setpriv here, with which it drops its privilege")
    command = [*without, *workflow.command(TARGET)]
    done = subprocess.run(command, cwd=tmp_path, env=workflow.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "results: this user may not write to" in done.stdout + done.stderr
    (tmp_path / "results").chmod(0o755)
    workflow.run(TARGET)


def assert_right(workflow, reference):
    """The answer is there, and it and whatever else is there are those of an undisturbed run."""
    assert (workflow.folder / TARGET).exists()
    assert digests(workflow.folder).items() <= digests(reference.folder).items()


def test_many_kills_at_random_moments(reference, tmp_path):
    """Of Snakemake alone, whose scripts live on, or of all of them; the next call goes on where the last one was."""
    choice = random.Random(5)
    workflow = make_project(Workflow(tmp_path))
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            workflow.command(TARGET),
            cwd=tmp_path,
            env=workflow.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(choice.uniform(0.3, 8))
        if process.poll() is None:
            killed += 1
            family = psutil.Process(process.pid).children(recursive=True) if choice.random() < 0.5 else []
            process.send_signal(signal.SIGKILL)
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait()
        else:
            assert process.returncode == 0
            assert_right(workflow, reference)
            shutil.rmtree(
                tmp_path / choice.choice(["work", "results", "work/features", "work/network"]), ignore_errors=True
            )
    assert killed > KILLS / 3
    workflow.run(TARGET)
    assert_right(workflow, reference)


def test_the_interpreter_is_this_one(reference):
    assert all(sys.executable in command for command in reference.commands.values())
