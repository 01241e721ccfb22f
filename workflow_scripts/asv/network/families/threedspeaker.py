"""3D-Speaker's ECAPA-TDNN (``speakerlab.models.ecapa_tdnn``): SpeechBrain's network, with Kaldi's features."""

from __future__ import annotations

from ...features.contract import Contract
from ..family_interface import Figures, Output, Published
from . import speechbrain

NAME = "3dspeaker"
TITLE = "3D-Speaker's ECAPA-TDNN"
CONTRACT = Contract(
    preemphasis=0.97,
    preemphasis_over="frame",
    edges="snip",
    remove_dc=True,
    window="povey",
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
OUTPUT = Output(unit=False, averaging="raw")
LICENCE = "not seen on its page; the code is Apache-2.0"
PUBLISHED = (
    Published(
        file="ecapa_tdnn.bin of iic/speech_ecapa-tdnn_sv_en_voxceleb_16k v1.0.1 (ModelScope)",
        channels=1024,
        licence=LICENCE,
        training="VoxCeleb2 dev",
        figures=(Figures("cosine, whole utterances", 0.86, 0.97, 1.90),),
    ),
    Published(
        file="ecapa-tdnn.ckpt of iic/speech_ecapa-tdnn_sv_zh-cn_cnceleb_16k v1.0.0 (ModelScope)",
        channels=1024,
        licence=LICENCE,
        training="CN-Celeb",
    ),
    Published(
        file="ecapa-tdnn.ckpt of iic/speech_ecapa-tdnn_sv_zh-cn_3dspeaker_16k v1.0.0 (ModelScope)",
        channels=1024,
        licence=LICENCE,
        training="3D-Speaker",
    ),
)
# The same names, order and shapes; its own class gives the same embedding, bit for bit.
MARKS = speechbrain.MARKS
CLASSES = speechbrain.CLASSES
TRAINING_ONLY = speechbrain.TRAINING_ONLY
recognise = speechbrain.recognise
build = speechbrain.build
file_name = speechbrain.file_name
first_norm = speechbrain.first_norm
