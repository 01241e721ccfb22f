"""What a quantised network runs in on this CPU, by OpenVINO's own account."""

from __future__ import annotations

from collections import Counter
from typing import Any

LAYERS = ("Convolution", "FullyConnected", "MatMul", "GroupConvolution")
INTEGERS = ("i8", "u8")


def float_precision(core: Any) -> str:
    """The faster precision for what is left in float: bfloat16 where OpenVINO would choose it by itself, else float32.

    It offers bfloat16 on CPUs that only simulate it, too, but chooses it where they compute in it.
    """
    chosen: str = core.get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name()
    return chosen if chosen == "bf16" else "f32"


def told(compiled: Any, rest: str) -> tuple[str, str]:
    """The precision that runs, and a sentence on the layers.

    Args:
        compiled: OpenVINO's compiled model.
        rest: precision of its float parts.
    """
    kernels: Counter[str] = Counter()
    total = 0
    for operation in compiled.get_runtime_model().get_ordered_ops():
        facts = operation.get_rt_info()
        if _text(facts, "layerType") not in LAYERS:
            continue
        total += 1
        if _text(facts, "runtimePrecision") in INTEGERS:
            kernels[_text(facts, "primitiveType").rpartition("_")[0]] += 1
    if not kernels:
        return rest, f"none of {total} layers in int8, all in {rest}"
    named = ", ".join(f"{count} by {kernel}" for kernel, count in sorted(kernels.items()))
    return "int8", f"{kernels.total()} of {total} layers in int8 ({named}), the rest in {rest}"


def _text(facts: Any, name: str) -> str:
    return str(facts[name].astype(str)) if name in facts else ""
