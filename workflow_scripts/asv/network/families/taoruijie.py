"""The ECAPA-TDNN of TaoRuijie's repository, whose files carry their front end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...features.contract import Contract
from ..ecapa_options import Style, read_facts, table, translated
from ..family_interface import Facts, Figures, Output, Published, Shapes

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "taoruijie"
TITLE = "the ECAPA-TDNN of TaoRuijie's repository"
CONTRACT = Contract(
    preemphasis=0.97,
    preemphasis_over="signal_reflected",
    window="hamming",
    n_fft=512,
    power=2,
    mel="htk",
    mel_area_norm=False,
    f_min=20.0,
    f_max=7600.0,
    floor=1e-6,
    floor_rule="add",
    cut="wave",
    subtract_mean=True,
    gain=1.0,
    offset=0.0,
)
OUTPUT = Output(unit=False, averaging="unit_sum")
HALVES = "half the cosine of whole utterances, half the mean of 5 x 5 cosines of crops of 3 s"
PUBLISHED = (
    Published(
        file="exps/pretrain.model of its repository",
        channels=1024,
        licence="MIT, that of the repository",
        training="VoxCeleb2 dev, 5994 speakers",
        figures=(
            Figures(HALVES, 0.96),
            Figures(f"{HALVES}; AS-norm", 0.86, 1.18, 2.17),
            Figures("cosine of whole utterances", 1.005),
        ),
    ),
)
MARKS = {
    "conv1.weight": ("channels", "n_mels", 5),
    "layer1.se.se.1.weight": ("squeeze", "channels", 1),
    "layer4.weight": ("aggregated", None, 1),
    "attention.0.weight": ("attention", None, 1),
    "fc6.weight": ("embedding", None),
}
CLASSES = "speaker_loss.weight"  # beside speaker_encoder, behind which the network's names begin
TRAINING_ONLY = ()
FILTER, WINDOW = "torchfbank.0.flipped_filter", "torchfbank.1.spectrogram.window"
MEL = "torchfbank.1.mel_scale.fb"
FRONT_END = {FILTER: (1, 1, 2), WINDOW: (None,), MEL: (None, "n_mels")}
STYLE = Style(
    padding="zeros",
    middle="last",
    summed=True,
    context_unbiased=True,
    context_floor=1e-4,
    pooled_floor=1e-4,
    linear=frozenset(("last",)),
)
NAMES = table(
    ("layer1", "layer2", "layer3"),
    once={
        "stem.conv": "conv1",
        "stem.norm": "bn1",
        "aggregate.conv": "layer4",
        "pool.down": "attention.0",
        "pool.norm": "attention.2",
        "pool.up": "attention.4",
        "pooled_norm": "bn5",
        "last": "fc6",
        "last_norm": "bn6",
    },
    in_block={
        "enter.conv": "conv1",
        "enter.norm": "bn1",
        "leave.conv": "conv3",
        "leave.norm": "bn3",
        "squeeze.down": "se.se.1",
        "squeeze.up": "se.se.3",
    },
    in_chunk={"conv": "convs.{}", "norm": "bns.{}"},
)


def recognise(shapes: Shapes) -> Facts | None:
    """See :class:`asv.network.family_interface.Family`."""
    return read_facts(MARKS, shapes, attention="attention.0.weight", last_norm="bn6.weight")


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
    found = {"window": tensors.get(WINDOW), "mel": tensors.get(MEL), "preemphasis": tensors.get(FILTER)}
    there = {name: tensor for name, tensor in found.items() if tensor is not None}
    return {name: tensor.flatten() if name == "preemphasis" else tensor.t() for name, tensor in there.items()}
