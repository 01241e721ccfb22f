"""Families of networks, one module each and nothing else; :mod:`asv.network.family_interface` is what each must have.

``network.family`` names one. It is stated, not guessed: features must be planned before a checkpoint is unpacked, and
the names of two families are the same.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path
from typing import cast

from ...errors import InputError
from ..family_interface import Family, Published

FOLDER = Path(__file__).parent
DEFAULT = "modelzoo"
BROUGHT = ("onnx", "torchscript")  # what network.family says of graphs that a user brings: no module, a contract file


@functools.cache
def _modules() -> dict[str, str]:
    """Names of modules by the names of their families, which may begin with a digit."""
    found = [module.name for module in pkgutil.iter_modules([str(FOLDER)])]
    return {importlib.import_module(f"{__name__}.{name}").NAME: name for name in found}


def names() -> list[str]:
    """Names of the families there are."""
    return sorted(_modules())


def module(name: str) -> Family:
    """The module of a family; :class:`InputError` where there is none of that name."""
    if name not in _modules():
        raise InputError(f"network.family: unknown family {name!r}; there are {', '.join(names())}")
    return cast(Family, importlib.import_module(f"{__name__}.{_modules()[name]}"))


def source(name: str) -> Path:
    """The file of a family's module, for the digest of the code that a stage runs."""
    module(name)
    return FOLDER / f"{_modules()[name]}.py"


def published(name: str, sha256: str) -> Published | None:
    """The published file of a family that has this digest, if it is a known one."""
    if name in BROUGHT:
        return None
    return next((file for file in module(name).PUBLISHED if file.sha256 == sha256.lower()), None)
