"""The first batch norm of a frozen TorchScript graph, and what lies before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

PASSED = ("transpose", "permute", "contiguous", "squeeze", "unsqueeze", "to", "pad", "reflection_pad1d")
CONVOLUTIONS = ("conv1d", "_convolution", "convolution")


def _kind(node: Any) -> str:
    return node.kind().partition("::")[2].rstrip("_") if node.kind() != "aten::_convolution" else "_convolution"


def _next(value: Any) -> Any:
    """The one operation of tensors that takes a value; None where there are several."""
    users = [use.user for use in value.uses() if _kind(use.user) not in ("size", "dim")]
    return users[0] if len(users) == 1 else None


def _constant(value: Any) -> npt.NDArray[np.float32] | None:
    found: Any = value.toIValue() if value.node().kind() == "prim::Constant" else None
    return found.detach().float().numpy() if hasattr(found, "detach") else None


def first_norm(frozen: torch.jit.ScriptModule) -> dict[str, npt.NDArray[Any]]:
    """Arrays as of :func:`asv.network.first_norm.arrays`; none where the graph begins with other layers."""
    (features,) = list(frozen.graph.inputs())[1:]
    node, reflect = _next(features), False
    while node is not None and _kind(node) in PASSED:
        words = [given.toIValue() for given in node.inputs() if given.node().kind() == "prim::Constant"]
        reflect |= "reflect" in _kind(node) or "reflect" in words
        node = _next(node.output())
    if node is None or _kind(node) not in CONVOLUTIONS:
        return {}
    relu = _next(node.output())
    norm = _next(relu.output()) if relu is not None and _kind(relu) == "relu" else None
    if norm is None or _kind(norm) != "batch_norm":
        return {}
    given, of_norm = list(node.inputs()), list(norm.inputs())
    weight, bias, mean, variance = map(_constant, (given[1], given[2], of_norm[3], of_norm[4]))
    steps = [entry for value in (given[3], given[5]) for entry in (value.toIValue() or [])]
    if weight is None or weight.ndim != 3 or mean is None or variance is None or set(steps) != {1}:
        return {}
    bias = np.zeros(len(weight), np.float32) if bias is None else bias
    return {"weight": weight, "bias": bias, "mean": mean, "variance": variance, "reflect": np.array(reflect)}
