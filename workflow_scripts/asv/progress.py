"""Progress bars."""

from __future__ import annotations


def progress(iterable, description, unit, total=None):
    """Iterate with a progress bar on a terminal, quietly elsewhere (log files, pipes)."""
    try:
        from tqdm import tqdm
    except ImportError:  # the NPU interpreter need not have it
        return iterable
    return tqdm(iterable, desc=description, unit=unit, total=total, disable=None)
