"""NeMo's ECAPA-TDNN (``EncDecSpeakerLabelModel`` of ``ECAPAEncoder``), whose files carry their front end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...features.contract import Contract
from ..ecapa_options import Style, read_facts, table, translated
from ..family_interface import Facts, Figures, Output, Published, Shapes

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "nemo"
TITLE = "NeMo's ECAPA-TDNN"
CONTRACT = Contract(
    preemphasis=0.97,
    preemphasis_over="signal_kept",
    edges="zeros",
    drop_last=True,
    window_periodic=False,
    n_fft=512,
    power=2,
    floor=2.0**-24,
    floor_rule="add",
    cut="wave",
    subtract_mean=True,
    deviation="unbiased",
    deviation_eps=1e-5,
    gain=1.0,
    offset=0.0,
)
OUTPUT = Output(unit=False, averaging="raw", subtracted="the evaluation set itself")
PUBLISHED = (
    Published(
        file="ecapa_tdnn.nemo of nvidia/nemo/ecapa_tdnn 1.16.0 (NGC)",
        channels=1024,
        licence="not found",
        training="VoxCeleb1 and VoxCeleb2, dev parts, 7205 speakers",
        figures=(Figures("cosine of embeddings less the mean of the evaluation set, whole utterances", 0.92),),
        note="it has heard VoxCeleb1's dev speakers: lists E and H are not a fair test",
    ),
)
MARKS = {
    "encoder.layers.0.conv_layer.weight": ("channels", "n_mels", 5),
    "encoder.layers.1.se_layer.se_layer.0.weight": ("squeeze", "channels", 1),
    "encoder.feature_agg.conv_layer.weight": ("aggregated", None, 1),
    "decoder._pooling.attention_layer.0.conv_layer.weight": ("attention", None, 1),
    "decoder.emb_layers.0.1.weight": ("embedding", None, 1),
}
CLASSES = "decoder.final.weight"
TRAINING_ONLY = ("decoder.final.",)
WINDOW, MEL = "preprocessor.featurizer.window", "preprocessor.featurizer.fb"
FRONT_END = {WINDOW: (None,), MEL: (1, "n_mels", None)}
STYLE = Style(
    padding="zeros",
    middle="grouped",
    dilations=(1, 1, 1),
    aggregate_norm=True,
    squeeze_norm=True,
    context_unbiased=False,
    context_floor=1e-10,
    central=True,
    pooled_floor=1e-10,
)
NAMES = table(
    ("encoder.layers.1", "encoder.layers.2", "encoder.layers.3"),
    once={
        "stem.conv": "encoder.layers.0.conv_layer",
        "stem.norm": "encoder.layers.0.bn",
        "aggregate.conv": "encoder.feature_agg.conv_layer",
        "aggregate.norm": "encoder.feature_agg.bn",
        "pool.down": "decoder._pooling.attention_layer.0.conv_layer",
        "pool.norm": "decoder._pooling.attention_layer.0.bn",
        "pool.up": "decoder._pooling.attention_layer.2",
        "pooled_norm": "decoder.emb_layers.0.0",
        "last": "decoder.emb_layers.0.1",
    },
    in_block={
        "enter.conv": "group_tdnn_block.0.conv_layer",
        "enter.norm": "group_tdnn_block.0.bn",
        "middle.conv": "group_tdnn_block.1",
        "middle.norm": "group_tdnn_block.3",
        "leave.conv": "group_tdnn_block.4.conv_layer",
        "leave.norm": "group_tdnn_block.4.bn",
        "squeeze.down": "se_layer.se_layer.0",
        "squeeze.norm": "se_layer.se_layer.2",
        "squeeze.up": "se_layer.se_layer.3",
    },
    in_chunk={},
)


def recognise(shapes: Shapes) -> Facts | None:
    """See :class:`asv.network.family_interface.Family`."""
    pooling = "decoder._pooling.attention_layer.0.conv_layer.weight"
    return read_facts(MARKS, shapes, attention=pooling, classes=CLASSES)


def build(facts: Facts) -> nn.Module:
    """See :class:`asv.network.family_interface.Family`."""
    from ..ecapa import Ecapa

    return Ecapa(STYLE, facts)


def file_name(name: str) -> str:
    """See :class:`asv.network.family_interface.Family`."""
    return translated(NAMES, name)


def first_norm(network: nn.Module) -> tuple[nn.Module, nn.BatchNorm1d]:
    """See :class:`asv.network.family_interface.Family`."""
    from ..ecapa import first_norm

    return first_norm(network)


def front_end(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """See :class:`asv.network.family_interface.CarriesFrontEnd`."""
    found = {"window": tensors.get(WINDOW), "mel": tensors.get(MEL)}
    return {name: tensor.squeeze(0) for name, tensor in found.items() if tensor is not None}
