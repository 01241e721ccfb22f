"""Modules with a piece of their source replaced, to see that a test would notice."""

from __future__ import annotations

import types
from pathlib import Path


def mutant(module, old: str, new: str):
    """The module with a piece of its source, which stands there once, replaced."""
    source = Path(module.__file__).read_text()
    assert source.count(old) == 1, old
    made = types.ModuleType(module.__name__)
    made.__dict__.update(__package__=module.__package__, __file__=module.__file__)
    exec(compile(source.replace(old, new), module.__file__, "exec"), made.__dict__)
    return made
