"""The ECAPA-TDNN of the paper's size, as SpeechBrain, 3D-Speaker, WeSpeaker, TaoRuijie and NeMo have built it.

Desplanques et al., "ECAPA-TDNN", Interspeech 2020 (arXiv:2005.07143): a Res2 block splits C channels into eight. (The
ModelZoo guide's, :mod:`asv.network.ecapa_tdnn`, widens to 8 C instead.) What the toolkits chose differently is a
:class:`asv.network.ecapa_options.Style`; sizes are those of the weights. Names of layers are ours, and the families'
modules translate them.
"""

from __future__ import annotations

from typing import Literal, Union, cast

import torch
from torch import nn
from torch.nn import functional

from .ecapa_options import SCALE, Style
from .family_interface import Facts


class Layer(nn.Module):
    """Convolution, ReLU and, unless told, batch norm; float32 ``(batch, channels, frames)``, as many frames out."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        dilation: int = 1,
        *,
        padding: Literal["zeros", "reflect"] = "zeros",
        groups: int = 1,
        norm: bool = True,
    ) -> None:
        super().__init__()
        beside = dilation * (kernel - 1) // 2
        self.conv = nn.Conv1d(
            inputs, outputs, kernel, dilation=dilation, padding=beside, padding_mode=padding, groups=groups
        )
        self.norm = nn.BatchNorm1d(outputs) if norm else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(functional.relu(self.conv(x)))


class Res2(nn.ModuleList):
    """Each chunk of channels but one goes through a layer, together with the outcome of the chunk before it."""

    def __init__(self, channels: int, dilation: int, style: Style) -> None:
        width = channels // SCALE
        super().__init__(Layer(width, width, 3, dilation, padding=style.padding) for _ in range(SCALE - 1))
        self.first_passes = style.middle == "first"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chunks = list(x.chunk(SCALE, dim=1))
        passed = chunks.pop(0 if self.first_passes else -1)
        done: list[torch.Tensor] = []
        for layer, chunk in zip(self, chunks):
            done.append(layer(chunk + done[-1] if done else chunk))
        return torch.cat([passed, *done] if self.first_passes else [*done, passed], dim=1)


Pointwise = Union[nn.Linear, nn.Conv1d]


def _pointwise(inputs: int, outputs: int, linear: bool) -> Pointwise:
    """A layer that mixes channels alone, of the kind whose weights the file has."""
    return nn.Linear(inputs, outputs) if linear else nn.Conv1d(inputs, outputs, 1)


def _mixed(layer: Pointwise, x: torch.Tensor) -> torch.Tensor:
    """What such a layer makes of ``(batch, channels)``."""
    return functional.linear(x, layer.weight.flatten(1), layer.bias)


class SqueezeExcitation(nn.Module):
    """Scales channels by what all frames say: ``(batch, C, frames)`` to the same shape."""

    def __init__(self, channels: int, bottleneck: int, style: Style) -> None:
        super().__init__()
        linear = "squeeze" in style.linear
        self.down = _pointwise(channels, bottleneck, linear)
        self.norm = nn.BatchNorm1d(bottleneck) if style.squeeze_norm else nn.Identity()
        self.up = _pointwise(bottleneck, channels, linear)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.norm(functional.relu(_mixed(self.down, x.mean(dim=2))))
        return x * torch.sigmoid(_mixed(self.up, hidden)).unsqueeze(2)


class Block(nn.Module):
    """Squeeze-excited Res2 block with its input added: ``(batch, C, frames)`` to the same shape."""

    def __init__(self, channels: int, bottleneck: int, dilation: int, style: Style) -> None:
        super().__init__()
        self.enter = Layer(channels, channels)
        if style.middle == "grouped":
            self.middle: nn.Module = Layer(channels, channels, 3, dilation, padding=style.padding, groups=SCALE)
        else:
            self.middle = Res2(channels, dilation, style)
        self.leave = Layer(channels, channels)
        self.squeeze = SqueezeExcitation(channels, bottleneck, style)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.squeeze(self.leave(self.middle(self.enter(x))))


class AttentiveStatistics(nn.Module):
    """Mean and deviation over frames, weighted by attention per channel: ``(batch, M, frames)`` to ``(batch, 2 M)``."""

    def __init__(self, channels: int, bottleneck: int, context: bool, style: Style) -> None:
        super().__init__()
        self.style, self.channels, self.context = style, channels, context
        self.down = nn.Conv1d(3 * channels if context else channels, bottleneck, 1)
        self.norm = nn.BatchNorm1d(bottleneck) if style.attention_norm else nn.Identity()
        self.up = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self._hidden(x)
        if self.style.attention_norm:
            hidden = self.norm(functional.relu(hidden))
        attention = torch.softmax(self.up(torch.tanh(hidden)), dim=2)
        mean = torch.sum(attention * x, dim=2)
        if self.style.central:
            centred = x - mean.unsqueeze(2)
            variance = torch.sum(attention * centred * centred, dim=2)
        else:
            variance = torch.sum(attention * x * x, dim=2) - mean * mean
        return torch.cat((mean, torch.sqrt(variance.clamp(min=self.style.pooled_floor))), dim=1)

    def _hidden(self, x: torch.Tensor) -> torch.Tensor:
        """The bottleneck before its activation.

        The toolkits repeat mean and deviation for every frame and convolve three times M channels. What they add is
        the same in every frame, and is computed once here.
        """
        if not self.context:
            return self.down(x)
        of_frames, of_context = self.down.weight.split((self.channels, 2 * self.channels), dim=1)
        variance = x.var(dim=2, unbiased=self.style.context_unbiased)
        if self.style.context_added:
            variance = variance + self.style.context_floor
        else:
            variance = variance.clamp(min=self.style.context_floor)
        context = torch.cat((x.mean(dim=2), torch.sqrt(variance)), dim=1)
        added = functional.linear(context, of_context.flatten(1), self.down.bias)
        return functional.conv1d(x, of_frames) + added.unsqueeze(2)


class Ecapa(nn.Module):
    """float32 ``(batch, n_mels, frames)`` to the family's own embedding, ``(batch, embedding)``.

    ``frames`` may be any number above the largest dilation where the convolutions are padded by reflection.
    """

    def __init__(self, style: Style, facts: Facts) -> None:
        super().__init__()
        width, pooled = facts.channels, facts.aggregated
        self.summed = style.summed
        self.stem = Layer(facts.n_mels, width, 5, padding=style.padding)
        self.blocks = nn.ModuleList(Block(width, facts.squeeze, dilation, style) for dilation in style.dilations)
        self.aggregate = Layer(width * len(style.dilations), pooled, norm=style.aggregate_norm)
        self.pool = AttentiveStatistics(pooled, facts.attention, facts.context, style)
        self.pooled_norm = nn.BatchNorm1d(2 * pooled)
        self.last = _pointwise(2 * pooled, facts.embedding, "last" in style.linear)
        self.last_norm = nn.BatchNorm1d(facts.embedding) if facts.embedding_norm else nn.Identity()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        source, outputs = self.stem(features), []
        for block in self.blocks:
            outputs.append(block(source))
            source = source + outputs[-1] if self.summed else outputs[-1]
        pooled = self.pool(self.aggregate(torch.cat(outputs, dim=1)))
        return self.last_norm(_mixed(self.last, self.pooled_norm(pooled)))


def first_norm(network: nn.Module) -> tuple[nn.Module, nn.BatchNorm1d]:
    """The layers up to the first batch norm, and it (:class:`asv.network.family_interface.Family`)."""
    stem = cast(Ecapa, network).stem
    return nn.Sequential(stem.conv, nn.ReLU()), cast(nn.BatchNorm1d, stem.norm)
