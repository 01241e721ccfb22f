"""An Ascend NPU through Huawei's ``mindietorch`` (torch_aie's later name; MindIE 1.0 to 2.1, torch 2.1.0)."""

from __future__ import annotations

from ..ascend.plugin import POLICIES, Plugin

PACKAGES = ("mindietorch", "torch")
PRECISIONS = tuple(POLICIES)
PLUGIN = Plugin("mindietorch", ir="ts")  # the route through TorchScript, the one that torch_aie has alone

compile_artefact = PLUGIN.compile_artefact
load = PLUGIN.load
