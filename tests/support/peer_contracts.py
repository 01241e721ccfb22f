"""The contracts of all families, and of toolkits whose networks are brought."""

from asv.features.contract import Contract
from asv.network import families

MODELZOO, SPEECHBRAIN, WESPEAKER, THREE_D_SPEAKER, TAORUIJIE, NEMO = (
    families.module(name).CONTRACT
    for name in ("modelzoo", "speechbrain", "wespeaker", "3dspeaker", "taoruijie", "nemo")
)
RESEMBLYZER = Contract(volume=-30.0, edges="zeros", power=2, n_mels=40, log="none", floor=0.0, gain=1.0, offset=0.0)
# Not a family: the features of voxceleb_trainer's ResNetSE34V2.
VOXCELEB_TRAINER = Contract(
    preemphasis=0.97,
    preemphasis_over="signal_reflected",
    window="hamming",
    n_fft=512,
    power=2,
    mel="htk",
    mel_area_norm=False,
    n_mels=64,
    floor=1e-6,
    floor_rule="add",
    cut="wave",
    subtract_mean=True,
    deviation="instance_norm",
    deviation_eps=1e-5,
    gain=1.0,
    offset=0.0,
)
PEERS = {
    "modelzoo": MODELZOO,
    "speechbrain": SPEECHBRAIN,
    "wespeaker": WESPEAKER,
    "3dspeaker": THREE_D_SPEAKER,
    "taoruijie": TAORUIJIE,
    "nemo": NEMO,
    "resemblyzer": RESEMBLYZER,
    "voxceleb_trainer": VOXCELEB_TRAINER,
}
