"""Versions of installed packages, whose upgrade makes a stage stale."""

from __future__ import annotations

import functools
from importlib import metadata
from pathlib import Path

from .. import code


@functools.cache
def of_script(path: Path) -> dict[str, str]:
    """Versions of the packages that a script and its modules import, by distribution name."""
    return {package: _installed(package) for package in code.packages(path)}


def _installed(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # pyarrow, unless tables are to be Parquet
        return "missing"
