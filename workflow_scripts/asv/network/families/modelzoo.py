"""The wide ECAPA-TDNN of Huawei's ModelZoo guide: the workflow's first network, with tacotron2's features."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...features.contract import Contract
from ..ecapa_options import read_sizes
from ..family_interface import Facts, Output, Shapes

if TYPE_CHECKING:
    from torch import nn

NAME = "modelzoo"
TITLE = "the ModelZoo guide's ECAPA-TDNN"
CONTRACT = Contract()  # the defaults are this family's
OUTPUT = Output(unit=True, averaging="unit", attention=True)
PUBLISHED = ()  # no EER was published
MARKS = {"conv1d_in.weight": ("channels", 80, 5)}
CLASSES = "speaker_embedding.weight_v"
TRAINING_ONLY = ("speaker_embedding.",)
BOTTLENECK, EMBEDDING = 128, 192  # as in asv.network.ecapa_tdnn, which imports torch


def recognise(shapes: Shapes) -> Facts | None:
    """See :class:`asv.network.family_interface.Family`; the first layer tells all."""
    sizes = read_sizes(MARKS, shapes)
    if sizes is None:
        return None
    return Facts(
        channels=sizes["channels"],
        n_mels=80,
        aggregated=3 * sizes["channels"],
        squeeze=BOTTLENECK,
        attention=BOTTLENECK,
        context=False,
        embedding=EMBEDDING,
        embedding_norm=True,
        classes=(shapes.get(CLASSES) or (None,))[0],
    )


def build(facts: Facts) -> nn.Module:
    """See :class:`asv.network.family_interface.Family`; it gives ``(embedding, (attention,))``."""
    from ..ecapa_tdnn import EcapaTdnn

    return EcapaTdnn(facts.channels, facts.classes or 1)


def file_name(name: str) -> str:
    """See :class:`asv.network.family_interface.Family`; the network's names are the file's."""
    return name


def first_norm(network: nn.Module) -> tuple[nn.Module, nn.BatchNorm1d]:
    """See :class:`asv.network.family_interface.Family`."""
    from torch import nn

    from ..ecapa_tdnn import EcapaTdnn

    wide = cast(EcapaTdnn, network)
    return nn.Sequential(wide.conv1d_in, nn.ReLU()), wide.batchnorm_in
