"""Settings and the words of command lines that they become."""

import json

import pytest

from asv.errors import InputError
from asv.snakefile import benchmarks, npus, options
from asv.snakefile.config import check

SCORING = (
    "--format tsv --on-missing-trial fail --subtract-mean none --bootstrap-replicates 1000 --bootstrap-seed 0  "
    " --centroid-max-duration 19 --centroid-max-scores 20000000"
)


def test_the_defaults():
    config = check({})
    words = ["--outputs", "embedding", "--family", "modelzoo", "--frames", "200", "--n-mels", "80"]
    assert options.of_network(config).split() == words
    assert options.of_bootstrap(config) == "--bootstrap-replicates 1000 --bootstrap-seed 0"
    assert options.of_scoring(config).split() == SCORING.split()
    assert options.of_answer(config) == (
        "--demo-checkpoint 'small, trained on synthetic voices' --on-misfit warn --demo-data --overridden"
    )


@pytest.mark.parametrize(
    ("settings", "function", "words"),
    [
        ({"network": {"family": "wespeaker"}}, options.of_network, ["--family", "wespeaker"]),
        ({"network": {"on_misfit": "fail"}}, options.of_answer, ["--on-misfit", "fail"]),
        ({"features": {"f_max": 7600, "f_min": 20}}, options.of_answer, ["--overridden", "f_min", "f_max"]),
        ({"features": {"frames": 300}}, options.of_network, ["--frames", "300"]),
        ({"checkpoint": {"weights": "ema"}}, options.of_network, ["--weights", "ema"]),
        ({"scoring": {"bootstrap": {"seed": 7}}}, options.of_bootstrap, ["--bootstrap-seed", "7"]),
        ({"scoring": {"on_missing_trial": "skip"}}, options.of_scoring, ["--on-missing-trial", "skip"]),
        ({"scoring": {"format": "parquet"}}, options.of_scoring, ["--format", "parquet"]),
        ({"scoring": {"as_norm": {"cohort": "c", "top": 9}}}, options.of_scoring, ["--as-norm-top", "9"]),
        ({"scoring": {"centroid": {"enabled": False}}}, options.of_scoring, ["--no-centroid"]),
        ({"checkpoint": {"archive": "c.zip"}}, options.of_answer, ["--demo-checkpoint", "''"]),
        ({"features": {"frames": "whole"}}, options.of_network, ["--frames", "whole"]),
    ],
)
def test_a_setting_becomes_words(settings, function, words):
    assert f" {' '.join(words)} " in f" {function(check(settings))} "


@pytest.mark.parametrize(
    ("settings", "function", "word"),
    [
        ({}, options.of_scoring, "--as-norm-top"),
        ({}, options.of_scoring, "--no-centroid"),
        ({"dataset": {"root": "wavs"}}, options.of_answer, "--demo-data"),
    ],
)
def test_what_is_omitted(settings, function, word):
    assert word not in function(check(settings))


@pytest.mark.parametrize(
    ("settings", "names", "words"),
    [
        ({"n_fft": 400}, ["n_fft"], "--n-fft 400"),
        ({"b": 1, "a": 2, "c": 3}, ["b", "a"], "--a 2 --b 1"),
        ({"sha256": None}, ["sha256"], ""),
        ({"name": "two words; rm"}, ["name"], "--name 'two words; rm'"),
    ],
)
def test_options_of(settings, names, words):
    assert options.options_of(settings, *names) == words


NPU = {"engines": {"torch_aie": {"devices": [2, 0], "python": "/p", "env_scripts": []}}}


def test_what_an_engine_gets_leaves_out_where_it_runs():
    config = check({**NPU, "engines": {**NPU["engines"], "openvino": {"options": {"A": "b"}}}})
    assert json.loads(options.of_engine(config, "openvino-bf16")) == {"A": "b"}
    assert not set(options.PLACEMENT) & set(json.loads(options.of_engine(config, "torch_aie-fp16")))
    assert json.loads(options.of_engine(config, "torchscript-f32")) == {}
    assert options.of_devices(config, "torch_aie-fp16") == "--devices 2 0"
    assert options.of_devices(config, "openvino-f32") == ""
    with pytest.raises(InputError, match="unknown engine"):
        options.of_engine(config, "nothing-f32")


def test_devices_threads_and_the_interpreter():
    config = check(NPU)
    assert npus.names() == ["ascend_om", "mindietorch", "torch_aie"]
    assert npus.device_count(config) == len({0, 2, *config["engines"]["mindietorch"]["devices"]})
    assert npus.devices_of_job(config, "torch_aie-fp16") == 1
    assert npus.devices_of_job(config, "openvino-f32") == 0
    assert npus.benchmark_threads(config, "torch_aie-fp16", 8) == 4
    assert npus.benchmark_threads(config, "torch_aie-fp16", 1) == 1
    assert npus.benchmark_threads(config, "openvino-f32", 8) == 8
    assert npus.command(config, "torch_aie-fp16", "/ours") == "/p"
    assert npus.command(config, "openvino-f32", "/ours") == "/ours"
    assert list(json.loads(npus.used(config))) == npus.names()
    assert list(json.loads(npus.used(check({**NPU, "engine": "torch_aie"})))) == ["torch_aie"]


def test_rows_of_the_table():
    config = check({"benchmark": {"engines": ["torchscript-f32", "openvino-bf16"]}, "batch_sizes": [1, 4]})

    def why_not(label):
        return "no bfloat16: here" if label == "openvino-bf16" else None

    assert benchmarks.rows(config, why_not) == ["torchscript-f32:1", "torchscript-f32:4"]
    assert benchmarks.unsupported_rows(config, why_not) == [
        f"openvino-bf16:{batch}:no bfloat16: here" for batch in (1, 4)
    ]
    assert benchmarks.pairs(config, lambda label: None, reference=False, batches=[4]) == [("openvino-bf16", 4)]
