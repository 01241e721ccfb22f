"""An Ascend NPU through Huawei's ``torch_aie`` (CANN 6.3 to 7.0; Python 3.9, torch 2.0.1)."""

from __future__ import annotations

from ..ascend.plugin import POLICIES, Plugin

PACKAGES = ("torch_aie", "torch")
PRECISIONS = tuple(POLICIES)
PLUGIN = Plugin("torch_aie")

compile_artefact = PLUGIN.compile_artefact
load = PLUGIN.load
