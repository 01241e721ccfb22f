"""Fixtures: the reference data where it exists, and real runs of the workflow."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run; `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile("fixed")

REPO = Path(__file__).resolve().parent.parent
SCRIPTS = REPO / "workflow_scripts"
SHARED = REPO.parent / "shared"
STAND_IN = REPO / "tests" / "stand_in"  # for PYTHONPATH: torch_aie and mindietorch, on the CPU


def _shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"reference data not on this machine: {path.name} is looked for in {SHARED}")
    return path


@pytest.fixture(scope="session")
def golden():
    """Folder of reference numbers."""
    return _shared("golden")


@pytest.fixture(scope="session")
def speech():
    """Folder of real speech: the tree ``fsdd16k`` and its ``trials.txt``."""
    return _shared("speech")


@pytest.fixture(params=["torch_aie", "mindietorch"])
def stand_in(request, monkeypatch):
    """The stand-in for an NPU's plug-in, under both names, with two devices and no memory of other tests."""
    monkeypatch.syspath_prepend(STAND_IN)
    plugin = importlib.import_module(request.param)
    from ascend_stand_in import STATE, device

    STATE.name = request.param
    STATE.reset()
    device.install()
    yield plugin
    device.uninstall()
    STATE.reset()


class Workflow:
    """The project's Snakefile, run in a folder of its own, as a user would from another folder."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": ""}

    def command(self, *arguments):
        return [sys.executable, "-m", "snakemake", "--snakefile", str(REPO / "Snakefile"), "--cores", "2", *arguments]

    def start(self, *arguments, **options):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *arguments, fails=False):
        """Run to the end; returns the output."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=600)
        assert (process.returncode != 0) == fails, output
        return output

    def jobs(self, *arguments, dry=False):
        """Run; returns the jobs that ran, sorted: a rule's name, with its wildcards."""
        output = self.run(*arguments, *(["--dry-run"] if dry else []))
        return jobs_in(output)

    def configure(self, text):
        """Write ``config.yaml``, which is laid over the shipped one."""
        (self.folder / "config.yaml").write_text(text)


def jobs_in(output):
    """Jobs that Snakemake's output tells of, sorted, such as ``infer bs4 0-of-2``; target rules are left out."""
    found = []
    for block in re.split(r"\n\s*\n|\n(?=\[)", output):
        if match := re.search(r"^\s*(?:local)?rule (\w+):", block, re.M):
            wildcards = re.search(r"^\s*wildcards: (.*)$", block, re.M)
            values = dict(re.findall(r"(\w+)=([^,\s]+)", wildcards[1])) if wildcards else {}
            batch = [f"bs{values['batch']}"] if "batch" in values else []
            shard = [values["shard"]] if "shard" in values else []
            found.append(" ".join([match[1], *batch, *shard]))
    return sorted(job for job in found if job not in ("all", "all_eer"))


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path)
