"""From the samples of a wav to the embedding, whole utterances: features and network of a family together.

Golden values and tolerances are those of ``golden/networks/README.md``: 5e-5 of the largest value.
"""

import numpy as np
import pytest
import soundfile
import torch
from support.families import GOLDEN, recipe
from support.paths import SHARED

from asv.features import front_ends
from asv.network import families
from asv.network.archive import extract_checkpoint
from asv.network.checkpoint import load_network

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason=f"reference data not on this machine: {GOLDEN}")

QUICK = [("speechbrain", "c64"), ("wespeaker", "glob_c64"), ("taoruijie", "c64"), ("nemo", "c64")]
LARGE = [("3dspeaker", "c512"), ("speechbrain", "c1024"), ("wespeaker", "c512"), ("wespeaker", "glob_c1024")]
LARGE += [("taoruijie", "c1024"), ("nemo", "c1024")]
TOLERANCE = 5e-5  # of the largest value


def network_of(family, width, folder):
    """The network, from a checkpoint as the toolkit saves it."""
    table = "speechbrain" if family == "3dspeaker" else family
    state = recipe().state_dict(GOLDEN / f"state_dict_{table}_{width}.tsv")
    path = folder / ("checkpoint.nemo" if family == "nemo" else "checkpoint.ckpt")
    recipe().save(state, path)
    if family == "nemo":
        extract_checkpoint(path, folder / "model_weights.ckpt")
        path = folder / "model_weights.ckpt"
    return load_network(path, family)[0]


def signal_of(name):
    if name == "synthetic":
        return np.load(GOLDEN / "features_wespeaker.npz")["synthetic_signal"].astype(np.float32) / 32768
    return soundfile.read(SHARED / "speech" / "fsdd16k" / name, dtype="float32")[0]


@pytest.mark.parametrize(
    ("family", "width"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)],
)
def test_embeddings_of_whole_utterances(family, width, tmp_path):
    golden = np.load(GOLDEN / f"outputs_{family}.npz")
    network, front_end = network_of(family, width, tmp_path), front_ends.make(families.module(family).CONTRACT)
    wanted = golden[f"{width}_whole"]
    with torch.no_grad():
        features = (front_end.whole(signal_of(name)) for name in golden["whole_signals"])
        found = np.concatenate([network(torch.from_numpy(one)[None]).numpy() for one in features])
    assert np.abs(found - wanted).max() < TOLERANCE * np.abs(wanted).max()
