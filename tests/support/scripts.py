"""What several test modules share: sounds, trees of sounds, and the stage scripts as command lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.paths import SCRIPTS

unless_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def run_script(name, *arguments, **options):
    """Run a stage script, with options of ``subprocess.run``; returns its exit code and what it printed on stderr."""
    done = finished(name, *arguments, **options)
    return done.returncode, done.stderr


def finished(name, *arguments, **options):
    """Run a stage script, with options of ``subprocess.run``; returns the process, which has ended."""
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, **options)


def assert_one_error(outcome, *parts):
    """The script ended with one ``error:`` line for a person that has all the parts, and no traceback."""
    code, stderr = outcome
    assert code == 1, stderr
    assert "Traceback" not in stderr
    assert [line.startswith("error: ") for line in stderr.splitlines()].count(True) == 1
    for part in parts:
        assert str(part) in stderr


def sine(seconds, rate=16000, hertz=440.0, amplitude=0.5):
    """float64 ``(n,)``."""
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_sound(path, samples=None, rate=16000, **options):
    """Write a sound file, 16-bit unless told, with the folders above it; half a second of sine unless told."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sine(0.5, rate) if samples is None else samples, rate, **options)
    return path
