"""WeSpeaker's ECAPA-TDNN (``wespeaker.models.ecapa_tdnn``), with and without global context in its pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.contract import Contract
from ..ecapa_options import Style, read_facts, table, translated
from ..family_interface import Facts, Figures, Output, Published, Shapes

if TYPE_CHECKING:
    from torch import nn

NAME = "wespeaker"
TITLE = "WeSpeaker's ECAPA-TDNN"
CONTRACT = Contract(
    scale=32768.0,
    preemphasis=0.97,
    preemphasis_over="frame",
    edges="snip",
    remove_dc=True,
    window="hamming",
    window_periodic=False,
    n_fft=512,
    window_placement="left",
    power=2,
    mel="kaldi",
    mel_area_norm=False,
    f_min=20.0,
    floor=2.0**-23,  # the distance from 1 to the next float32
    subtract_mean=True,
    gain=1.0,
    offset=0.0,
)
OUTPUT = Output(unit=False, averaging="raw", subtracted="the training set, VoxCeleb2 dev")
LICENCE = "CC-BY-4.0, that of the data"
LICENCE_APACHE = f"{LICENCE}, by WeSpeaker's list; Apache-2.0 by its page"
TRAINING = "VoxCeleb2 dev at three speeds, 3 x 5994 classes"
COSINE = "cosine of embeddings less the mean of VoxCeleb2 dev, whole utterances"
AS_NORM = f"{COSINE}; AS-norm, cohort's top 300"
QMF = f"{AS_NORM}; calibrated by quality measures (QMF)"
LARGE_MARGIN = "tuned with a large margin on 6 s, and advised for more than 3 s: do not judge it by crops of 2 s"
PUBLISHED = (
    Published(
        file="avg_model.pt of voxceleb_ECAPA512.zip",
        channels=512,
        licence=LICENCE,
        training=TRAINING,
        figures=(Figures(COSINE, 1.069, 1.209, 2.310), Figures(AS_NORM, 0.957, 1.128, 2.105)),
    ),
    Published(
        file="avg_model.pt of voxceleb_ECAPA512_LM.zip",
        channels=512,
        licence=LICENCE,
        training=TRAINING,
        figures=(Figures(AS_NORM, 0.782, 1.005, 1.824),),
        note=LARGE_MARGIN,
    ),
    Published(
        file="avg_model.pt of voxceleb_ECAPA1024.zip",
        channels=1024,
        licence=LICENCE_APACHE,
        training=TRAINING,
        figures=(Figures(COSINE, 0.856, 1.072, 2.059), Figures(AS_NORM, 0.808, 0.990, 1.874)),
    ),
    Published(
        file="avg_model.pt of voxceleb_ECAPA1024_LM.zip",
        channels=1024,
        licence=LICENCE_APACHE,
        training=TRAINING,
        figures=(Figures(AS_NORM, 0.728, 0.929, 1.721), Figures(QMF, 0.707, 0.894, 1.615)),
        note=LARGE_MARGIN,
    ),
)
MARKS = {
    "layer1.conv.weight": ("channels", "n_mels", 5),
    "layer2.se_res2block.3.linear1.weight": ("squeeze", "channels"),
    "conv.weight": ("aggregated", None, 1),
    "pool.linear1.weight": ("attention", None, 1),
    "linear.weight": ("embedding", None),
}
CLASSES = "projection.weight"
TRAINING_ONLY = ("projection.",)
STYLE = Style(
    padding="zeros",
    middle="last",
    attention_norm=False,
    context_unbiased=True,
    context_floor=1e-7,
    context_added=True,
    pooled_floor=1e-7,
    linear=frozenset(("squeeze", "last")),
)
NAMES = table(
    ("layer2.se_res2block", "layer3.se_res2block", "layer4.se_res2block"),
    once={
        "stem.conv": "layer1.conv",
        "stem.norm": "layer1.bn",
        "aggregate.conv": "conv",
        "pool.down": "pool.linear1",
        "pool.up": "pool.linear2",
        "pooled_norm": "bn",
        "last": "linear",
        "last_norm": "bn2",
    },
    in_block={
        "enter.conv": "0.conv",
        "enter.norm": "0.bn",
        "leave.conv": "2.conv",
        "leave.norm": "2.bn",
        "squeeze.down": "3.linear1",
        "squeeze.up": "3.linear2",
    },
    in_chunk={"conv": "1.convs.{}", "norm": "1.bns.{}"},
)


def recognise(shapes: Shapes) -> Facts | None:
    """See :class:`asv.network.family_interface.Family`."""
    return read_facts(MARKS, shapes, attention="pool.linear1.weight", classes=CLASSES, last_norm="bn2.weight")


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
