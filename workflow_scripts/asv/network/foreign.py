"""Naming checkpoints that no family reads, by the names of their weights, so that a message can say what they are."""

from __future__ import annotations

from .inert import Tensor
from .weights import names_in

# Ends of names that occur together in a network's checkpoints.
NETWORKS = {
    "SpeechBrain's x-vector": ("blocks.0.conv.weight", "blocks.1.norm.norm.weight"),
    "WeSpeaker's ResNet": ("layer1.0.conv1.weight", "seg_1.weight"),
    "3D-Speaker's or WeSpeaker's CAM++": ("head.conv1.weight", "xvector.tdnn.linear.weight"),
    "3D-Speaker's ERes2Net": ("layer1.0.convs.0.weight", "seg_1.weight"),
    "NeMo's TitaNet": ("decoder._pooling.attention_layer.0.conv_layer.weight",),
    "a network of voxceleb_trainer": ("__S__.conv1.weight",),
    "a wav2vec 2.0, HuBERT or WavLM": ("feature_extractor.conv_layers.0.conv.weight",),
    "pyannote's segmentation, for diarisation": ("sincnet.wav_norm1d.weight", "lstm.weight_ih_l0"),
    "NeMo's Sortformer, for diarisation": ("sortformer_modules.hidden_to_spks.weight",),
    "an LSTM such as Resemblyzer's": ("lstm.weight_ih_l0", "linear.weight"),
}
BESIDE_SPEECHBRAINS = "give embedding_model.ckpt, which lies beside it"


def resembles(tree: object) -> str | None:
    """What the names in a checkpoint belong to, in words, or None."""
    if isinstance(tree, dict):
        weight = tree.get("weight")
        if tree.keys() == {"weight"} and isinstance(weight, Tensor) and len(weight.shape) == 2:
            classes = weight.shape[0]
            return f"SpeechBrain's classifier of {classes} training speakers (classifier.ckpt): {BESIDE_SPEECHBRAINS}"
        if {"count", "glob_mean", "glob_std"} <= tree.keys():
            return f"SpeechBrain's normalisation (mean_var_norm_emb.ckpt): {BESIDE_SPEECHBRAINS}"
    expected, found = {end for needed in NETWORKS.values() for end in needed}, set()
    for name in names_in(tree):
        parts = name.split(".")
        found |= expected.intersection(".".join(parts[start:]) for start in range(min(len(parts), 10)))
    return next((network for network, needed in NETWORKS.items() if found.issuperset(needed)), None)
