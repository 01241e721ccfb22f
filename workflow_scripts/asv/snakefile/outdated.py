"""Results that are about to be made anew are moved aside first, so that none lies there as if it were current."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

RESULTS, WORK = "results", "work"
OUTDATED = "outdated"  # below it; what was there of an earlier time is replaced


def place(path: str | Path) -> Path | None:
    """Where a result goes: ``results/eer_bs4.txt`` to ``results/outdated/eer_bs4.txt``; None for what is no result."""
    parts = Path(path).parts
    # The last such name is the workflow's; those before it are a module's prefix, which may hold the same names.
    head = max((number for number, part in enumerate(parts, 1) if part in (RESULTS, WORK)), default=0)
    if not head or parts[head - 1] != RESULTS:
        return None
    return Path(*parts[:head], OUTDATED, *parts[head:])


def move(paths: Iterable[str | Path]) -> int:
    """Move those of the paths that are results and are there, in the order given; returns how many."""
    moved = 0
    for path in map(Path, paths):
        target = place(path)
        if target is None or not os.path.lexists(path):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        elif path.is_dir():
            target.unlink(missing_ok=True)
        shutil.move(path, target)  # results/outdated may be a link to another disk
        moved += 1
    return moved
