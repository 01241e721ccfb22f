"""The wide ECAPA-TDNN of the reference checkpoint.

Desplanques et al., "ECAPA-TDNN", Interspeech 2020 (arXiv:2005.07143), in the variant that the original guide deploys:
its Res2 block widens to 8 C channels and convolves chunks of C, where the paper splits C into eight. At C = 512 that is
33.1 M parameters and 6.41 GMAC for 200 frames, about six times the paper's. Names of modules are those of the
checkpoint.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

MELS = 80
EMBEDDING = 192
BOTTLENECK = 128
SCALE = 8  # chunks of a Res2 block


class SeRes2Block(nn.Module):
    """Squeeze-excited Res2 block: float32 ``(batch, C, frames)`` to the same shape."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv1d_expand = nn.Conv1d(channels, SCALE * channels, 1)
        self.batchnorm_expand = nn.BatchNorm1d(SCALE * channels)
        self.res2conv1d_list = nn.ModuleList(
            nn.Conv1d(channels, channels, 3, dilation=dilation, padding=dilation) for _ in range(SCALE - 1)
        )
        self.res2batch_norm_list = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(SCALE - 1))
        self.conv1d_collapse = nn.Conv1d(SCALE * channels, channels, 1)
        self.batchnorm_collapse = nn.BatchNorm1d(channels)
        self.fc_1 = nn.Linear(channels, BOTTLENECK)
        self.fc_2 = nn.Linear(BOTTLENECK, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.batchnorm_expand(functional.relu(self.conv1d_expand(x)))
        first, *rest = x.chunk(SCALE, dim=1)
        chunks = [first]
        for index, (chunk, conv, norm) in enumerate(zip(rest, self.res2conv1d_list, self.res2batch_norm_list)):
            # The second chunk stands alone: the first is passed through, not added.
            source = chunk if index == 0 else chunk + chunks[-1]
            chunks.append(norm(functional.relu(conv(source))))
        x = self.batchnorm_collapse(functional.relu(self.conv1d_collapse(torch.cat(chunks, dim=1))))
        gate = torch.sigmoid(self.fc_2(functional.relu(self.fc_1(x.mean(dim=2)))))
        return x * gate.unsqueeze(2)


class AttentiveStatPooling(nn.Module):
    """Channel-dependent attentive statistics: ``(batch, frames, D)`` to ``(batch, 2 D)`` and the attention."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(features, BOTTLENECK)
        self.linear2 = nn.Linear(BOTTLENECK, features)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        attention = torch.softmax(self.linear2(functional.relu(self.linear1(x))), dim=1)
        mean = torch.sum(attention * x, dim=1)
        variance = torch.sum(attention * x * x, dim=1) - mean * mean
        return torch.cat((mean, torch.sqrt(variance.clamp(min=1e-4))), dim=1), attention


class SpeakerClassifier(nn.Module):
    """Weight-normalised rows, one a training speaker. Only training uses it; its weights are in the checkpoint."""

    def __init__(self, speakers: int) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(torch.ones(speakers, 1))
        self.weight_v = nn.Parameter(torch.empty(speakers, EMBEDDING))
        if not self.weight_v.is_meta:  # torch imports its compiler, which takes a second, to draw numbers for shapes
            nn.init.normal_(self.weight_v)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """``(batch, 192)`` to logits ``(batch, speakers)``."""
        return functional.linear(embedding, self.weight_g * functional.normalize(self.weight_v, dim=1))


class EcapaTdnn(nn.Module):
    """float32 ``(batch, 80, frames)`` to ``(embedding, (attention,))``.

    ``embedding`` is float32 ``(batch, 192)``, L2-normalised; ``attention`` float32 ``(batch, frames, 3 C)``. The
    nesting is the original guide's.
    """

    def __init__(self, channels: int = 512, speakers: int = 1211) -> None:
        super().__init__()
        self.conv1d_in = nn.Conv1d(MELS, channels, 5, padding=2)
        self.batchnorm_in = nn.BatchNorm1d(channels)
        self.se_res2block_1 = SeRes2Block(channels, dilation=2)
        self.se_res2block_2 = SeRes2Block(channels, dilation=3)
        self.se_res2block_3 = SeRes2Block(channels, dilation=4)
        self.conv1d_out = nn.Conv1d(3 * channels, 3 * channels, 1)
        self.attentive_stat_pooling = AttentiveStatPooling(3 * channels)
        self.batchnorm_2 = nn.BatchNorm1d(6 * channels)
        self.fc = nn.Linear(6 * channels, EMBEDDING)
        self.batchnorm_3 = nn.BatchNorm1d(EMBEDDING)
        self.speaker_embedding = SpeakerClassifier(speakers)

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor]]:
        t = self.batchnorm_in(functional.relu(self.conv1d_in(mel)))
        t1 = self.se_res2block_1(t) + t
        t2 = self.se_res2block_2(t1) + t1 + t
        t3 = self.se_res2block_3(t2) + t2 + t1 + t
        frames = functional.relu(self.conv1d_out(torch.cat((t1, t2, t3), dim=1)))
        pooled, attention = self.attentive_stat_pooling(frames.transpose(1, 2))
        embedding = self.batchnorm_3(self.fc(self.batchnorm_2(pooled)))
        return functional.normalize(embedding, dim=1), (attention,)


class EmbeddingOnly(nn.Module):
    """The network without its attention output, which is 1.23 MB an utterance at C = 512."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return self.network(mel)[0]
