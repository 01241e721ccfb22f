"""Formats of score tables, by name: the Snakefile asks for them before there is a table, without NumPy."""

from __future__ import annotations

import importlib.util

from ..errors import InputError

FORMATS = ("tsv", "parquet")


def check_format(name: str) -> None:
    """Raise InputError where a format needs a package that is not there."""
    if name == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            "scoring.format: parquet needs the package pyarrow, which is not installed; run `python -m pip install "
            "pyarrow`, or set scoring.format: tsv"
        )
