"""Snakemake's command line in forks of a process that has imported it already: a call takes half the time to start.

What belongs to the workflow is imported by each call, as ever; only installed packages are there before it. All that
Snakemake takes over from the moment of its import is the "Run directory" that its log tells of.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
OURS = (REPO / "tests", REPO / "workflow_scripts")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["snakemake.cli", "snakemake.report.html_reporter", "jsonschema", "smart_open"])


def _main(words, folder, environment, output):
    """Become what ``python -m snakemake WORDS`` is, as far as Snakemake and the workflow can tell."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(stream, descriptor)
    os.close(stream)
    # Without the tests' own folders and the repository's code: the workflow brings a copy of it.
    paths = [(entry, Path(entry).resolve()) for entry in sys.path if entry]
    others = [entry for entry, path in paths if path != REPO and not any(path.is_relative_to(own) for own in OURS)]
    sys.path[:] = [str(folder), *others]
    sys.argv = ["snakemake", *words]
    from snakemake.cli import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which a forked process leaves out: the workflow lets go of its folder there


class Snakemake:
    """A running call.

    Args:
        words: its arguments.
        folder: where it works.
        environment: all of its variables.
        output: file for what it says.
    """

    def __init__(self, words, folder, environment, output):
        arguments = (list(words), str(folder), dict(environment), str(output))
        self._process = _CONTEXT.Process(target=_main, args=arguments)
        self._process.start()
        self.pid = self._process.pid

    def send(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, seconds):
        """Its exit code, as :mod:`subprocess` has it; ``subprocess.TimeoutExpired`` where it goes on."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds)
        return self._process.exitcode

    def kill(self):
        self.send(signal.SIGKILL)
