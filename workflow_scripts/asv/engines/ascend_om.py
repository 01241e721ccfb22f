"""An Ascend NPU through CANN's converter: ONNX, ``atc``, an .om file, ais_bench or pyACL (CANN 7.0 to 9)."""

from __future__ import annotations

from ..ascend import atc
from ..ascend.om import OmRoad

PACKAGES = ("aclruntime", "ais_bench", "numpy")
PRECISIONS = atc.PRECISIONS
NETWORKS = (".onnx",)
PLUGIN = OmRoad()

option_faults = atc.option_faults
compile_artefact = PLUGIN.compile_artefact
load = PLUGIN.load
