"""SpeechBrain's ECAPA-TDNN (``speechbrain.lobes.models.ECAPA_TDNN``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.contract import Contract
from ..ecapa_options import Style, read_facts, table, translated
from ..family_interface import Facts, Figures, Output, Published, Shapes

if TYPE_CHECKING:
    from torch import nn

NAME = "speechbrain"
TITLE = "SpeechBrain's ECAPA-TDNN"
CONTRACT = Contract(
    edges="zeros",
    window="hamming",
    power=2,
    mel="speechbrain",
    mel_area_norm=False,
    log="db",
    floor=1e-10,
    top_db=80.0,
    cut="wave",
    subtract_mean=True,
    gain=1.0,
    offset=0.0,
)
OUTPUT = Output(unit=False, averaging="raw")  # it publishes no rule for several crops: what its neighbours do
PUBLISHED = (
    Published(
        file="embedding_model.ckpt of speechbrain/spkrec-ecapa-voxceleb (Hugging Face)",
        channels=1024,
        licence="Apache-2.0",
        training="VoxCeleb1 and VoxCeleb2, dev parts, 7205 speakers",
        sha256="0575cb64845e6b9a10db9bcb74d5ac32b326b8dc90352671d345e2ee3d0126a2",
        figures=(
            Figures("cosine of raw embeddings, whole utterances", 0.90),
            Figures("the same, with s-norm, cohort of 20,000 utterances", 0.80),
        ),
        note="it has heard VoxCeleb1's dev speakers: lists E and H are not a fair test",
    ),
    Published(
        file="embedding_model.ckpt of yangwang825/ecapa-tdnn-vox2 (Hugging Face)",
        channels=512,
        licence="Apache-2.0",
        training="VoxCeleb2 dev, 5994 speakers",
    ),
)
#: What SpeechBrain publishes for its recipe with VoxCeleb2 alone, without a file.
VOXCELEB2_ALONE = Figures("cosine of raw embeddings, whole utterances; trained on VoxCeleb2 alone", 1.30, 1.98, 3.62)
MARKS = {
    "blocks.0.conv.conv.weight": ("channels", "n_mels", 5),
    "blocks.1.se_block.conv1.conv.weight": ("squeeze", "channels", 1),
    "mfa.conv.conv.weight": ("aggregated", None, 1),
    "asp.tdnn.conv.conv.weight": ("attention", None, 1),
    "fc.conv.weight": ("embedding", None, 1),
}
CLASSES = None  # in a file of its own, classifier.ckpt
TRAINING_ONLY = ()
STYLE = Style(
    padding="reflect",
    middle="first",
    context_unbiased=False,
    context_floor=1e-12,
    pooled_floor=1e-12,
    central=True,
    aggregate_norm=True,
)
NAMES = table(
    ("blocks.1", "blocks.2", "blocks.3"),
    once={
        "stem.conv": "blocks.0.conv.conv",
        "stem.norm": "blocks.0.norm.norm",
        "aggregate.conv": "mfa.conv.conv",
        "aggregate.norm": "mfa.norm.norm",
        "pool.down": "asp.tdnn.conv.conv",
        "pool.norm": "asp.tdnn.norm.norm",
        "pool.up": "asp.conv.conv",
        "pooled_norm": "asp_bn.norm",
        "last": "fc.conv",
    },
    in_block={
        "enter.conv": "tdnn1.conv.conv",
        "enter.norm": "tdnn1.norm.norm",
        "leave.conv": "tdnn2.conv.conv",
        "leave.norm": "tdnn2.norm.norm",
        "squeeze.down": "se_block.conv1.conv",
        "squeeze.up": "se_block.conv2.conv",
    },
    in_chunk={"conv": "res2net_block.blocks.{}.conv.conv", "norm": "res2net_block.blocks.{}.norm.norm"},
)


def recognise(shapes: Shapes) -> Facts | None:
    """See :class:`asv.network.family_interface.Family`."""
    return read_facts(MARKS, shapes, attention="asp.tdnn.conv.conv.weight")


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
