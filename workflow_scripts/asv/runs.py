"""One run of the workflow at a time in a folder, and scripts that end with the run that started them.

The main process of Snakemake claims the folder by a lock on a file, which the system releases however the process ends,
and writes beside it which jobs the run has. A script that is called with ``--job`` finds its job there: it checks the
receipts of its inputs, writes those of its outputs, and ends without writing anything more as soon as its run is over.
Without ``--job``, as by hand, nothing of this happens.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import code, files, receipts, stamps
from .errors import InputError

FILE = Path(".snakemake/asv/run.json")
JOBS = FILE.with_name("jobs.json")
VARIABLE = "ASV_RUN"  # in the environment of a run's jobs: the run's token
PATIENCE = 2.0  # seconds for which a lock may be held by a script that only asks whether its run lives
POLL = 1.0  # seconds between a script's looks at its run


def _lock(descriptor, kind):
    """Try to lock an open file; False where another process holds it, None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _read(path):
    try:
        return files.read_json(path)
    except (OSError, ValueError):
        return {}


def state() -> dict[str, Any]:
    """What the run that claimed this folder last has left there, which tells whether there was another since."""
    return _read(FILE)


def name(rule: str, wildcards: Mapping[str, str]) -> str:
    """What a job is called here: ``score:batch=4,engine=openvino-f32``."""
    return ":".join([rule, *filter(None, [",".join(f"{key}={value}" for key, value in sorted(wildcards.items()))])])


class Run:
    """The main process's hold on the working folder, until :meth:`end` or the end of the process."""

    def __init__(self, token: str, before: Mapping[str, Any]) -> None:
        """Claim the folder for the run ``token``.

        Args:
            before: :func:`state` from before anything in the folder was looked at.

        Raises:
            InputError: where another run holds it, or has held it since.
        """
        FILE.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        patience_ends = time.monotonic() + PATIENCE
        while (locked := _lock(self._descriptor, fcntl.LOCK_EX)) is False:
            if time.monotonic() > patience_ends:
                os.close(self._descriptor)
                raise InputError(
                    f"another run is at work in this folder ({os.getcwd()}); wait for its end, or start it in a folder "
                    "of its own with --directory"
                )
            time.sleep(0.05)
        #: Whether the lock is one that other processes see.
        self.exclusive = bool(locked)
        if state() != before:
            os.close(self._descriptor)
            raise InputError(f"another run has just ended in this folder ({os.getcwd()}); give the same command again")
        self._token = token
        self._code: dict[str, Any] = {}
        self._jobs: dict[str, Any] = {}
        self._overwrite({"token": token, "host": socket.gethostname(), "locks": self.exclusive})

    def announce(self, announcement: Mapping[str, Any]) -> None:
        """Write which ``jobs`` the run has, and stamps of the ``code``, see :class:`asv.snakefile.job_keys.Keys`.

        A workflow that a Snakefile imports as several modules announces each; their rules have names of their own.
        """
        self._code.update(announcement["code"])
        self._jobs.update(announcement["jobs"])
        files.write_text(JOBS, json.dumps({"token": self._token, "code": self._code, "jobs": self._jobs}))

    def end(self) -> None:
        """Let go of the folder; scripts of this run that still live will end."""
        if state().get("token") == self._token:  # else another host's run has it, which this one does not lock out
            self._overwrite({"ended": self._token})
        os.close(self._descriptor)

    def _overwrite(self, facts):
        # In place, because the lock is the file's: a file renamed over it would be another one.
        content = json.dumps(facts).encode()
        os.pwrite(self._descriptor, content, 0)
        os.ftruncate(self._descriptor, len(content))


_claimed: Run | None = None


def claim(token: str, before: Mapping[str, Any]) -> Run:
    """The :class:`Run` of this process, which lasts until the process ends; arguments as there."""
    global _claimed
    if _claimed is None:
        _claimed = Run(token, before)
        atexit.register(_claimed.end)
    return _claimed


def announced(name: str) -> dict[str, Any] | None:
    """Facts of a job of the run that the environment names; None where there is no such job."""
    found = _read(JOBS)
    return found["jobs"].get(name) if found.get("token") == os.environ.get(VARIABLE) else None


def announced_code() -> dict[str, Any]:
    """What the last run in this folder, over or not, knew of the code, see :class:`asv.code.Module`."""
    return _read(JOBS).get("code", {})


class Job:
    """A script's part in a run."""

    def __init__(self, name: str) -> None:
        """Find the job ``name`` in the run that the environment names."""
        self._name, self._token = name, os.environ.get(VARIABLE)
        self._run, announced = FILE.resolve(), _read(JOBS)
        if not self._is_alive() or announced.get("token") != self._token or self._name not in announced["jobs"]:
            raise InputError(
                f"--job {self._name}: the run that started this script ({VARIABLE}={self._token}) is over or has "
                "no such job. To run the script by hand, leave --job out"
            )
        facts = announced["jobs"][self._name]
        self._key, self._inputs, self._outputs = facts["key"], facts["inputs"], facts["outputs"]
        self._stamps, self._wavs, self._code = facts["stamps"], facts["wavs"], announced["code"]
        code.remember(self._code)

    def _is_alive(self):
        """Whether the run goes on: no other has claimed the folder, and, where that can be seen, its process lives."""
        try:
            with self._run.open(encoding="utf-8") as stream:
                facts = json.load(stream)
                if facts.get("token") != self._token:
                    return False
                # Locks need not be seen from other hosts. To get this one means that nobody holds it.
                here = facts["locks"] and facts["host"] == socket.gethostname()
                return not (here and _lock(stream, fcntl.LOCK_SH))
        except (OSError, ValueError):
            return False

    def require_run(self) -> None:
        """Raise InputError where the run is over: what this script would write belongs to nobody."""
        if not self._is_alive():
            raise InputError(f"the run that started this job ({self._name}) is over; nothing more is written")

    def _watch(self):
        while True:
            time.sleep(POLL)
            if not self._is_alive():
                print(f"error: the run that started this job ({self._name}) is over", file=sys.stderr, flush=True)
                os._exit(1)

    def begin(self) -> None:
        """Check the inputs; from here on the script ends with its run, and writes nothing after it."""
        files.before_replacing = self.require_run
        threading.Thread(target=self._watch, daemon=True).start()
        self._require_unchanged()
        self._made = {path: stamps.of_made(path) for path in self._inputs}
        for path, key in self._inputs.items():
            receipts.check(path, key)

    def _require_unchanged(self):
        """Raise InputError where the user's files or the code are no longer those that the job's key was made of."""
        if path := stamps.changed(self._stamps) or stamps.changed_code(self._code):
            raise InputError(f"{path} was changed after the run had begun; give the same command again")

    def require_wavs(self, stamp: str) -> None:
        if self._wavs and stamp != self._wavs:  # of the demo's there is none: they are inputs
            raise InputError(
                "audio of this shard was changed, added or removed after the run had begun; give the same command again"
            )

    def finish(self) -> None:
        """Write the receipts of the outputs, if all that the job rests on is still what it was."""
        self._require_unchanged()
        for path, before in self._made.items():
            if stamps.of_made(path) != before:
                raise InputError(f"{path} was replaced while it was in use; give the same command again")
        for path in self._outputs:
            if not Path(path).exists():
                raise InputError(f"{path} was not written")
            receipts.write(path, self._key)


_current: Job | None = None


def begin(name: str) -> None:
    """The script is the job ``name`` of a run; called once, when its command line was read."""
    global _current
    _current = Job(name)
    _current.begin()


def require_wavs(stamp: str) -> None:
    """Raise InputError where a run's job reads audio of another :func:`asv.dataset.shards.stamp` than at its start."""
    if _current is not None:
        _current.require_wavs(stamp)


def finish() -> None:
    """The script has succeeded."""
    if _current is not None:
        _current.finish()
