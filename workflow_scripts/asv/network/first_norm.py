"""The network up to its first batch norm, taken out of it: what its training saw of its features.

Every family here begins with a convolution, a ReLU and a batch norm. The norm's running mean and variance are those of
the features that the network was trained on, as the convolution passes them on; :mod:`asv.network.feature_fit`
compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

if TYPE_CHECKING:
    import numpy.typing as npt


def arrays(layers: nn.Module, norm: nn.BatchNorm1d) -> dict[str, npt.NDArray[Any]]:
    """What :class:`asv.network.feature_fit.FirstNorm` is made of.

    Args:
        layers: up to the norm, with one convolution among them.
        norm: the first batch norm.

    Returns:
        float32 ``weight`` ``(C, mels, kernel)``, ``bias``, ``mean`` and ``variance`` ``(C,)``, and whether the
        convolution reflects its input at the ends, ``reflect``.
    """
    (convolution,) = (module for module in layers.modules() if isinstance(module, nn.Conv1d))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    bias = np.zeros(len(convolution.weight), np.float32)
    return {
        "weight": convolution.weight.detach().numpy(),
        "bias": bias if convolution.bias is None else convolution.bias.detach().numpy(),
        "mean": norm.running_mean.numpy(),
        "variance": norm.running_var.numpy(),
        "reflect": np.array(convolution.padding_mode == "reflect"),
    }
