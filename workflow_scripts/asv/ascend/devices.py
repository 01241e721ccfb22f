"""One job per device at a time: a device is held by a lock on a file, which the system releases with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

POLL = 0.5  # seconds
FOLDER = Path("/tmp")  # not TMPDIR: many clusters set one for each job, and no job would see the others' locks


def chip(device: int) -> str:
    """The chip of this machine that a device's number means, where ASCEND_RT_VISIBLE_DEVICES lets only some be seen."""
    visible = [part.strip() for part in os.environ.get("ASCEND_RT_VISIBLE_DEVICES", "").split(",")]
    return visible[device] if device < len(visible) and visible[device].isdecimal() else str(device)


def lock_path(device: int) -> Path:
    """The file that stands for a device, for all users of this workflow on this machine."""
    return FOLDER / f"asv-npu-{chip(device)}.lock"


def _try(device: int) -> int | None:
    """An open, locked file, or None where another process holds the device."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:  # another user's file may be read, but not opened for creation
        handle = os.open(lock_path(device), flags)
    except FileNotFoundError:
        handle = os.open(lock_path(device), flags | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextlib.contextmanager
def hold(devices: Sequence[int]) -> Iterator[int | None]:
    """Hold the first free one of some devices, waiting for one where none is; yields its number, None of no devices."""
    if not devices:
        yield None
        return
    told = False
    while True:
        for device in devices:
            handle = _try(device)
            if handle is not None:
                try:
                    yield device
                finally:
                    os.close(handle)
                return
        if not told:
            print(f"waiting for one of the devices {', '.join(map(str, devices))}", flush=True)
            told = True
        time.sleep(POLL)
