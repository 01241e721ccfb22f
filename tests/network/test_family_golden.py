"""Embeddings of every family agree with what the toolkits' own classes gave, from files as the toolkits save them.

Weights are made by the recipe of ``golden/networks/README.md``, whose tolerances these are; so are the faults.
"""

import copy
import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.families import GOLDEN, golden_inputs, golden_outputs, golden_state, recipe

from asv.errors import InputError
from asv.network import families
from asv.network.archive import extract_checkpoint
from asv.network.checkpoint import load_network
from asv.network.ecapa import Ecapa

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason=f"reference data not on this machine: {GOLDEN}")

TOLERANCE = {"speechbrain": 1e-4, "wespeaker": 5e-5, "taoruijie": 5e-5, "nemo": 8e-6}  # absolute
SMALL = {"speechbrain": "c64", "wespeaker": "glob_c64", "taoruijie": "c64", "nemo": "c64"}
SUFFIX = {
    **{"speechbrain": "embedding_model.ckpt", "wespeaker": "avg_model.pt"},
    **{"taoruijie": "pretrain.model", "nemo": "model_weights.ckpt"},
}
LARGE = [
    *(("speechbrain", width) for width in ("c512", "c1024")),
    *(("wespeaker", width) for width in ("c512", "glob_c512", "glob_c1024")),
    *(("taoruijie", "c1024"), ("nemo", "c1024")),
]


def run(network, features):
    with torch.no_grad():
        return network(torch.from_numpy(features)).numpy()


@functools.lru_cache(maxsize=4)
def weights(family, width):
    return golden_state(f"{family}_{width}")


def write(folder, family, width, **options):
    """A checkpoint as the toolkit saves it, out of its archive if it has one."""
    archive = family == "nemo" and "prefix" not in options  # the recipe packs names without a prefix
    path = folder / ("ecapa_tdnn.nemo" if archive else SUFFIX[family])
    recipe().save(weights(family, width), path, **options)
    if not archive:
        return path
    extract_checkpoint(path, folder / "model_weights.ckpt")
    return folder / "model_weights.ckpt"


def assert_golden(network, family, width):
    for frames in (200, 298):
        found = run(network, golden_inputs(family, frames))
        difference = np.abs(found - golden_outputs(family, f"{width}_embedding_{frames}")).max()
        assert difference < TOLERANCE[family], frames


@pytest.mark.parametrize("family", sorted(SMALL))
@pytest.mark.parametrize(
    "options",
    [
        *({}, {"prefix": "module."}, {"gpu": True}, {"legacy": True}, {"wrap": "state_dict"}),
        {"wrap": "model", "prefix": "module.", "legacy": True, "gpu": True},
    ],
    ids=lambda options: ", ".join(options) or "plain",
)
def test_embeddings_from_a_file_as_the_toolkit_saves_it(tmp_path, family, options):
    network, facts = load_network(write(tmp_path, family, SMALL[family], **options), family)
    assert_golden(network, family, SMALL[family])
    expected = {"channels": 64, "n_mels": 80, "embedding": 192, "context": True}
    assert {key: facts[key] for key in expected} == expected
    assert facts["classes"] == (None if family == "speechbrain" else 40)
    carried = {"taoruijie": ["mel", "preemphasis", "window"], "nemo": ["mel", "window"]}
    assert facts["front_end"] == carried.get(family, [])


@pytest.mark.slow
@pytest.mark.parametrize(("family", "width"), LARGE)
def test_embeddings_of_published_widths(tmp_path, family, width):
    network, facts = load_network(write(tmp_path, family, width), family)
    assert_golden(network, family, width)
    assert facts["channels"] == int(width.rpartition("c")[2])
    assert facts["context"] == ((family, width) != ("wespeaker", "c512"))


def test_the_network_of_3dspeaker_is_speechbrains(tmp_path):
    network, facts = load_network(write(tmp_path, "speechbrain", "c64"), "3dspeaker")
    assert_golden(network, "speechbrain", "c64")
    assert facts["family"] == "3dspeaker"


def stages(network, features):
    """float32 ``(6, batch, 16)``, as in ``<width>_stages_200``."""
    found = []
    layers = [network.stem, *network.blocks, network.aggregate]
    hooks = [layer.register_forward_hook(lambda _, __, x: found.append(x[:, :16].mean(dim=2))) for layer in layers]
    hooks.append(network.pool.register_forward_hook(lambda _, __, x: found.append(x[:, :16])))
    run(network, features)
    for hook in hooks:
        hook.remove()
    return torch.stack(found).numpy()


@functools.lru_cache(maxsize=1)
def golden_network(family):
    """The network of the small width, and its facts."""
    module = families.module(family)
    state = {name.removeprefix("speaker_encoder."): value for name, value in weights(family, SMALL[family]).items()}
    facts = module.recognise({name: tuple(value.shape) for name, value in state.items()})
    network = module.build(facts)
    network.load_state_dict({name: state[module.file_name(name)] for name in network.state_dict()})
    return network.eval(), facts


@pytest.mark.parametrize("family", sorted(SMALL))
def test_stages(family):
    found = stages(golden_network(family)[0], golden_inputs(family, 200))
    for stage, expected in zip(found, golden_outputs(family, f"{SMALL[family]}_stages_200")):
        np.testing.assert_allclose(stage, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# What the golden values tell apart: one fact wrong, and the tolerance is passed

FAULTS = {
    "padding": lambda style: {"padding": "zeros" if style.padding == "reflect" else "reflect"},
    "the other chunk passes": lambda style: {"middle": {"first": "last", "last": "first"}[style.middle]},
    "sums of earlier outputs": lambda style: {"summed": not style.summed},
    "dilations": lambda style: {"dilations": tuple(dilation + 1 for dilation in style.dilations)},
    "context deviation": lambda style: {"context_unbiased": not style.context_unbiased},
    "context floor": lambda style: {"context_floor": 100 * style.context_floor},
    "context floor added": lambda style: {"context_added": not style.context_added},
    "pooled floor": lambda style: {"pooled_floor": 100 * style.pooled_floor},
    "central": lambda style: {"central": not style.central},
}
UNSEEN = {
    ("speechbrain", "context floor"),
    ("speechbrain", "context floor added"),
    ("speechbrain", "pooled floor"),
    ("speechbrain", "central"),
    ("wespeaker", "context floor added"),
    ("wespeaker", "central"),
    ("taoruijie", "central"),
    ("nemo", "the other chunk passes"),  # it has no chunks
    ("nemo", "context floor"),
    ("nemo", "context floor added"),
}


@pytest.mark.parametrize(
    ("family", "fault"), [(f, fault) for f in sorted(SMALL) for fault in FAULTS if (f, fault) not in UNSEEN]
)
def test_one_fact_wrong_is_seen(family, fault):
    network, facts = golden_network(family)
    style = families.module(family).STYLE
    wrong = Ecapa(replace(style, **FAULTS[fault](style)), facts).eval()
    wrong.load_state_dict(network.state_dict())
    with pytest.raises(AssertionError):
        assert_golden(wrong, family, SMALL[family])


@pytest.mark.parametrize("family", sorted(SMALL))
def test_another_epsilon_of_the_batch_norms_is_seen(family):
    network = copy.deepcopy(golden_network(family)[0])
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eps = 2e-5
    with pytest.raises(AssertionError):
        assert_golden(network, family, SMALL[family])


# The front end that files carry


@pytest.mark.parametrize(
    ("family", "name", "words"),
    [
        ("taoruijie", "speaker_encoder.torchfbank.0.flipped_filter", "pre-emphasis"),
        ("taoruijie", "speaker_encoder.torchfbank.1.spectrogram.window", "window"),
        ("taoruijie", "speaker_encoder.torchfbank.1.mel_scale.fb", "mel matrix"),
        ("nemo", "preprocessor.featurizer.window", "window"),
        ("nemo", "preprocessor.featurizer.fb", "mel matrix"),
    ],
)
def test_a_carried_front_end_of_other_features_is_refused(tmp_path, family, name, words):
    changed = dict(weights(family, SMALL[family]))
    changed[name] = changed[name] * 1.001
    recipe().save(changed, tmp_path / "c.pt")
    with pytest.raises(InputError, match=rf"its {words} is not that of the family's features \(by 1.0e-03 of its"):
        load_network(tmp_path / "c.pt", family)
    del changed[name]
    recipe().save(changed, tmp_path / "c.pt")
    load_network(tmp_path / "c.pt", family)
