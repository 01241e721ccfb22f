"""Progress bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def progress(iterable: Iterable[T], description: str, unit: str, total: int | None = None) -> Iterable[T]:
    """Iterate with a progress bar on a terminal, quietly elsewhere (log files, pipes)."""
    try:
        from tqdm import tqdm
    except ImportError:  # the NPU interpreter need not have it
        return iterable
    return tqdm(iterable, desc=description, unit=unit, total=total, disable=None)
