"""Which features a configuration asks for: keys, options, and what does not go together."""

import shlex

import pytest

from asv.errors import InputError
from asv.features.contract import Contract
from asv.network import families
from asv.snakefile import feature_sets
from asv.snakefile.config import check


def of(**settings):
    return feature_sets.of_config(check(settings))


def test_the_defaults():
    found = of()
    assert found.contract == Contract()
    assert found.bytes_per_utterance == 80 * 200 * 4
    words = shlex.split(found.options)
    assert words[words.index("--frames") + 1] == "200"
    assert "--max-duration" not in words, "null"
    assert "--keep" not in words


@pytest.mark.parametrize(
    "settings",
    [
        {"features": {"frames": 300}},
        {"features": {"crops": 2}},
        {"features": {"placement": "even"}},
        {"features": {"seed": 1}},
        {"features": {"short": "reject"}},
        {"features": {"f_max": 7600}},
        {"dataset": {"resample": "any"}},
        {"dataset": {"channels": "reject"}},
        {"dataset": {"min_duration": 1}},
        {"dataset": {"max_duration": 100}},
        {"network": {"family": "wespeaker"}},
    ],
)
def test_what_changes_features_changes_their_key(settings):
    assert of(**settings).key != of().key


@pytest.mark.parametrize(
    "settings",
    [
        {"features": {"keep": False}},
        {"features": {"f_max": 8000, "n_fft": 400, "floor": 1e-5}},  # what the contract says anyway
        {"dataset": {"on_bad_audio": "fail"}},
        {"engine": "torchscript"},
    ],
)
def test_what_does_not_change_features_keeps_their_key(settings):
    assert of(**settings).key == of().key


@pytest.mark.parametrize("name", families.names())
def test_families_have_their_contracts(name):
    assert of(network={"family": name}).contract == families.module(name).CONTRACT


def test_overrides():
    config = check({"features": {"f_max": 7600, "n_mels": 40}})
    assert feature_sets.overrides(config) == {"n_mels": 40, "f_max": 7600}
    assert feature_sets.of_config(config).contract == Contract(f_max=7600, n_mels=40)
    assert feature_sets.overrides(check({})) == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": {"crops": 2, "placement": "start"}}, "features.placement: start takes one crop"),
        ({"features": {"crops": 2, "frames": "whole"}}, "features.frames: whole utterances have no crops"),
        ({"features": {"n_fft": 256}}, "features.win_length: 400 exceeds n_fft"),
        ({"features": {"n_mels": 300}}, "features.n_mels: 300 bands of a spectrum of 201 bins"),
        ({"network": {"contract": "c.yaml"}}, "network.contract: is for a graph of your own"),
        ({"network": {"family": "torchscript"}}, "network.contract: network.family: torchscript needs one"),
        (
            {"network": {"family": "torchscript", "contract": "nowhere/c.yaml"}},
            "network.contract: no file 'nowhere/c.yaml' (seen from /",
        ),
        ({"network": {"family": "ecapa"}}, "network.family: 'ecapa' is none of modelzoo"),
    ],
)
def test_what_does_not_go_together(settings, message):
    with pytest.raises(InputError) as caught:
        check(settings)
    assert message in str(caught.value)


def test_whole_utterances_run_one_by_one():
    whole = of(features={"frames": "whole"})
    assert whole.frames is None
    assert whole.shape_for("openvino-bf16", 1) == [80, "whole"]
    for engine, batch in (("openvino-f32", 4), ("torch_aie-fp16", 1)):
        with pytest.raises(InputError, match=f"instead of batch size {batch} on {engine}$"):
            whole.shape_for(engine, batch)
    assert of().shape_for("torch_aie-fp16", 4) == [80, 200]
