"""Toolkits of others, where requirements-peers.txt is installed; a test that asks for one is skipped elsewhere."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

import pytest

from asv.torchaudio_loader import load_torchaudio

HOW = "python -m pip install --no-deps -r requirements-peers.txt"
# Their top packages import much that is not installed, and not compared.
WITHOUT_TOP = {"wespeaker"}
LAZY = ("LazyModule", "DeprecatedModuleRedirect")  # classes of speechbrain's modules that are imported when looked at


def peer(module: str) -> types.ModuleType:
    """A module of a toolkit, such as ``speechbrain.lobes.features``."""
    top = module.split(".")[0]
    if top not in sys.modules:
        spec = importlib.util.find_spec(top)
        if spec is None:
            pytest.skip(f"{top} is not installed: {HOW}")
        load_torchaudio()  # speechbrain imports it
        if top in WITHOUT_TOP:
            sys.modules[top] = types.ModuleType(top)
            sys.modules[top].__path__ = list(spec.submodule_search_locations)
    found = importlib.import_module(module)
    for name in [name for name, lazy in sys.modules.items() if type(lazy).__name__ in LAZY]:
        del sys.modules[name]  # whoever looks at all modules, as hypothesis does, would import what is not installed
    return found
