"""Naming checkpoints of other networks by the names of their weights."""

from __future__ import annotations

from .weights import names_in

# Ends of names that occur together in a family's checkpoints.
FAMILIES = {
    "SpeechBrain's ECAPA-TDNN": ("blocks.0.conv.conv.weight", "asp_bn.norm.weight"),
    "SpeechBrain's x-vector": ("blocks.0.conv.weight", "blocks.1.norm.norm.weight"),
    "WeSpeaker's ECAPA-TDNN": ("layer1.conv.weight", "layer2.se_res2block.0.conv.weight"),
    "WeSpeaker's ResNet": ("layer1.0.conv1.weight", "seg_1.weight"),
    "3D-Speaker's or WeSpeaker's CAM++": ("head.conv1.weight", "xvector.tdnn.linear.weight"),
    "3D-Speaker's ERes2Net": ("layer1.0.convs.0.weight", "seg_1.weight"),
    "NeMo's TitaNet or ECAPA-TDNN": ("decoder._pooling.attention_layer.0.conv_layer.weight",),
    "the ECAPA-TDNN of TaoRuijie's repository": (
        "conv1.weight",
        "layer1.convs.0.weight",
        "bn5.weight",
    ),
    "a network of voxceleb_trainer": ("__S__.conv1.weight",),
    "a wav2vec 2.0, HuBERT or WavLM": ("feature_extractor.conv_layers.0.conv.weight",),
}


def resembles(tree: object) -> str | None:
    """The family that the names in a checkpoint belong to, or None."""
    wanted, found = {end for needed in FAMILIES.values() for end in needed}, set()
    for name in names_in(tree):
        parts = name.split(".")
        found |= wanted.intersection(".".join(parts[start:]) for start in range(min(len(parts), 10)))
    return next((family for family, needed in FAMILIES.items() if found.issuperset(needed)), None)
