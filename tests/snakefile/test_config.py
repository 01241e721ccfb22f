"""The configuration: shipped file and schema agree, and every mistake is told in the user's words."""

import copy
import functools
import json
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import REPO

from asv.errors import InputError
from asv.snakefile.config import SCHEMA, check

SHIPPED = yaml.safe_load((REPO / "config.yaml").read_text(encoding="utf-8"))


def defaults(schema):
    """The configuration that a schema's defaults make."""
    return {
        name: defaults(part) if "properties" in part else part["default"]
        for name, part in schema.get("properties", {}).items()
    }


def refused(config):
    before = copy.deepcopy(config)
    with pytest.raises(InputError) as caught:
        check(config)
    assert repr(config) == repr(before)
    heading, *faults = str(caught.value).split("\n  ")
    assert heading == "the configuration is wrong:"
    assert all(faults)
    return faults


# Agreement


def test_shipped_file_and_schema_have_the_same_settings_with_the_same_defaults():
    wanted = defaults(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert wanted == SHIPPED
    assert json.dumps(wanted, sort_keys=True) == json.dumps(SHIPPED, sort_keys=True)  # 1 is not 1.0, nor True


def test_every_group_of_the_schema_is_closed_and_every_setting_has_a_default():
    def walk(schema, place):
        if place != "config.accuracy_gate.min_cosine":  # of precisions, which engines have
            assert schema["additionalProperties"] is False, place
        for name, part in schema["properties"].items():
            assert "default" in part, f"{place}.{name}"
            if "properties" in part:
                assert part["default"] == {}, f"{place}.{name}"
                walk(part, f"{place}.{name}")

    walk(json.loads(SCHEMA.read_text(encoding="utf-8")), "config")


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({}, {"f32": 0.9999, "bf16": 0.999, "fp16": 0.999, "int8": None}),
        ({"bf16": "0.99", "int8": "null"}, {"f32": 0.9999, "bf16": 0.99, "fp16": 0.999, "int8": None}),
        (0.99, 0.99),
        ("0.99", 0.99),  # as the command line hands it over
    ],
)
def test_minimum_cosines_by_precision_or_one_for_all(limits, found):
    assert check({"accuracy_gate": {"min_cosine": limits}})["accuracy_gate"]["min_cosine"] == found


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"bf61": 0.9}, "accuracy_gate.min_cosine.bf61: no engine has this precision; did you mean bf16?"),
        ({"f32": 2}, "accuracy_gate.min_cosine.f32: 2 is greater than the maximum of 1"),
        (1.5, "accuracy_gate.min_cosine: 1.5 is greater than the maximum of 1"),
        (None, "accuracy_gate.min_cosine: null is not of type object or number"),
    ],
)
def test_wrong_minimum_cosines_are_named(limits, message):
    with pytest.raises(InputError, match=re.escape(message)):
        check({"accuracy_gate": {"min_cosine": limits}})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"dataset": {}, "scoring": {"centroid": {}}},
        dict.fromkeys(SHIPPED, None) | {k: v for k, v in SHIPPED.items() if not isinstance(v, dict)},
        {"scoring": {"centroid": None}, "engines": {"openvino": None}},
        {"engines": {"openvino": {"options": None}}},
    ],
    ids=["empty", "empty groups", "null groups", "null groups within groups", "null options"],
)
def test_what_is_left_out_is_filled_in(config):
    before = copy.deepcopy(config)
    assert check(config) == SHIPPED
    assert config == before


def test_what_is_given_stays():
    filled = check({"dataset": {"root": ["/a", "/b"], "trials": ["x.txt"]}, "batch_sizes": [7], "precision": "bf16"})
    assert filled["dataset"]["root"] == ["/a", "/b"]
    assert filled["dataset"]["on_bad_audio"] == "reject"
    assert (filled["batch_sizes"], filled["precision"]) == ([7], "bf16")
    assert check(filled) == filled


@pytest.mark.parametrize(("trials", "wanted"), [([], []), (None, None), ("null", None)])
def test_no_trial_lists(trials, wanted):
    """Null comes as text from inside brackets on the command line."""
    assert check({"dataset": {"trials": trials}})["dataset"]["trials"] == wanted


def test_defaults_of_two_calls_are_not_one_object():
    check({})["batch_sizes"].append(5)
    assert check({}) == SHIPPED


# Unknown settings


@pytest.mark.parametrize(
    ("config", "name", "nearest"),
    [
        ({"batchsizes": [4]}, "batchsizes", "batch_sizes"),
        ({"engin": "openvino"}, "engin", "engine"),
        ({"dataset": {"rot": "x"}}, "dataset.rot", "dataset.root"),
        ({"scoring": {"centroid": {"max_score": 3}}}, "scoring.centroid.max_score", "scoring.centroid.max_scores"),
        ({"root": "x"}, "root", "dataset.root"),
        ({"frames": 100}, "frames", "features.frames"),
        ({"dataset": {"n_mels": 80}}, "dataset.n_mels", "features.n_mels"),
    ],
)
def test_misspelt_or_misplaced_setting_is_told_with_the_nearest(config, name, nearest):
    assert refused(config) == [f"{name}: unknown setting; did you mean {nearest}?"]


@pytest.mark.parametrize("key", ["qqqqqq", 3, True, None, "日本"])
def test_setting_like_nothing_known(key):
    assert refused({key: 1}) == [f"{key}: unknown setting; see config.yaml for all settings"]


def test_keys_of_several_types_are_all_told():
    faults = refused({"dataset": {3: 1, "qqqqqq": 2, None: 3}})
    assert [fault.split(":")[0] for fault in faults] == ["dataset.3", "dataset.None", "dataset.qqqqqq"]


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("dataset.root", "dataset={root: ...}"), ("scoring.centroid.enabled", "scoring={centroid: {enabled: ...}}")],
)
def test_dotted_setting_is_told_how_to_reach_into_a_group(key, remedy):
    """What ``--config dataset.root=X`` gives."""
    assert refused({key: "x"}) == [f"{key}: groups are not reached by dots; write --config '{remedy}'"]


# Wrong types


@pytest.mark.parametrize(
    ("config", "place", "wanted"),
    [
        ({"shards": "two"}, "shards", "integer"),
        ({"shards": None}, "shards", "integer"),
        ({"shards": 2.0}, "shards", "integer"),
        ({"threads": True}, "threads", "integer"),
        ({"batch_sizes": {"small": 4}}, "batch_sizes", "list"),
        ({"batch_sizes": "four"}, "batch_sizes.0", "integer"),
        ({"batch_sizes": [4, True]}, "batch_sizes.1", "integer"),
        ({"batch_sizes": [4.0]}, "batch_sizes.0", "integer"),
        ({"batch_sizes": ["four"]}, "batch_sizes.0", "integer"),
        ({"features": {"floor": "tiny"}}, "features.floor", "number or null"),
        ({"features": {"floor": float("nan")}}, "features.floor", "number or null"),
        ({"features": {"n_mels": 80.5}}, "features.n_mels", "integer or null"),
        ({"features": {"keep": "yes"}}, "features.keep", "boolean"),
        ({"features": {"keep": 1}}, "features.keep", "boolean"),
        ({"dataset": {"min_duration": float("nan")}}, "dataset.min_duration", "number"),
        ({"dataset": {"max_duration": float("inf")}}, "dataset.max_duration", "number or null"),
        ({"dataset": {"min_duration": True}}, "dataset.min_duration", "number"),
        ({"engine": ["openvino"]}, "engine", "string"),
        ({"checkpoint": {"archive": 3}}, "checkpoint.archive", "string"),
        ({"checkpoint": {"sha256": 123}}, "checkpoint.sha256", "string or null"),
        ({"checkpoint": {"weights": 1}}, "checkpoint.weights", "string or null"),
    ],
)
def test_wrong_type_names_the_setting_and_the_type(config, place, wanted):
    (fault,) = refused(config)
    assert fault.startswith(f"{place}: ")
    assert fault.endswith(f"is not of type {wanted}")


@pytest.mark.parametrize(
    ("config", "remedy"),
    [
        ({"dataset": "/data"}, 'dataset: "/data" is no group of settings; write dataset: {root: /data}'),
        ({"checkpoint": "x.pt"}, 'checkpoint: "x.pt" is no group of settings; write checkpoint: {archive: x.pt}'),
        ({"network": "nemo"}, 'network: "nemo" is no group of settings; write network: {family: nemo}'),
        ({"dataset": 3}, "dataset: 3 is no group of settings; write dataset: {root: ...}"),
        ({"dataset": [1]}, "dataset: [1] is no group of settings; write dataset: {root: ...}"),
        (
            {"scoring": {"centroid": True}},
            "scoring.centroid: true is no group of settings; write scoring: {centroid: {enabled: ...}}",
        ),
    ],
)
def test_a_value_in_the_place_of_a_group_is_told_how_to_write_it(config, remedy):
    assert refused(config) == [remedy]


@pytest.mark.parametrize(
    ("config", "setting", "meant"),
    [
        ({"batch_sizes": 8}, ("batch_sizes",), [8]),
        ({"batch_sizes": "8"}, ("batch_sizes",), [8]),
        ({"dataset": {"trials": "a.txt"}}, ("dataset", "trials"), ["a.txt"]),
        ({"network": {"outputs": "embedding"}}, ("network", "outputs"), ["embedding"]),
        ({"engines": {"torch_aie": {"devices": 1}}}, ("engines", "torch_aie", "devices"), [1]),
        ({"benchmark": {"engines": "openvino-f32"}}, ("benchmark", "engines"), ["openvino-f32"]),
    ],
)
def test_one_value_in_the_place_of_a_list_is_a_list_of_it(config, setting, meant):
    found = check(config)
    for name in setting:
        found = found[name]
    assert found == meant


def test_engine_and_precision_in_one_word():
    found = check({"engine": "openvino-bf16"})
    assert (found["engine"], found["precision"]) == ("openvino", "bf16")
    assert check({"engine": "openvino-bf16", "precision": "bf16"}) == found == check(found)


def test_two_precisions():
    (fault,) = refused({"engine": "openvino-bf16", "precision": "f32"})
    assert fault == "engine: 'openvino-bf16' says another precision than precision: f32; leave one of them out"


def test_an_engine_of_the_benchmark_without_a_precision_has_all_of_them():
    names = ["openvino-bf16", "openvino", "torchscript"]
    every = check({"benchmark": {"engines": names}})["benchmark"]["engines"]
    assert every[:2] == ["openvino-bf16", "openvino-f32"]
    assert every[-1] == "torchscript-f32"
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("name", "told"), [("tensorrt", "unknown engine 'tensorrt'; there are"), ("openvino-f64", "openvino has no 'f64'")]
)
def test_wrong_engine_of_the_benchmark(name, told):
    (fault,) = refused({"benchmark": {"engines": [name]}})
    assert fault.startswith(f"benchmark.engines: '{name}': {told}")


# Wrong values


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"batch_sizes": [0]}, ["batch_sizes.0: 0", "minimum of 1"]),
        ({"batch_sizes": [4, -1]}, ["batch_sizes.1: -1", "minimum of 1"]),
        ({"batch_sizes": []}, ["batch_sizes: "]),
        ({"batch_sizes": [4, 8, 4]}, ["batch_sizes: [4, 8, 4]", "non-unique"]),
        ({"shards": 0}, ["shards: 0", "minimum of 1"]),
        ({"threads": 0}, ["threads: 0", "minimum of 1"]),
        (
            {"engine": "tensorrt"},
            ["engine: unknown engine 'tensorrt'", "ascend_om, mindietorch, onnxruntime, openvino, torch_aie,"],
        ),
        ({"engine": ""}, ["engine: "]),
        ({"precision": "int4"}, ["precision: openvino has no 'int4'", "f32, bf16, int8"]),
        ({"quantisation": {"calibration": {"utterances": 9}}}, ["quantisation.calibration.utterances: 9", "of 10"]),
        ({"engine": "torchscript", "precision": "bf16"}, ["precision: torchscript has no 'bf16'", "it offers f32"]),
        ({"dataset": {"root": ""}}, ["dataset.root: ''", "neither a string nor a list"]),
        ({"dataset": {"root": []}}, ["dataset.root: []", "neither a string nor a list"]),
        ({"dataset": {"root": ["a", "a"]}}, ["dataset.root: ['a', 'a']", "different strings"]),
        ({"dataset": {"root": ["demo", "/data"]}}, ["dataset.root: 'demo' stands alone", "./demo"]),
        ({"dataset": {"root": None}}, ["dataset.root: None"]),
        ({"dataset": {"resample": False}}, ["dataset.resample: False is none of down, any, never"]),
        ({"dataset": {"on_bad_audio": "ignore"}}, ["dataset.on_bad_audio: 'ignore' is none of reject, fail"]),
        ({"dataset": {"min_duration": -1}}, ["dataset.min_duration: -1"]),
        ({"dataset": {"max_duration": 0}}, ["dataset.max_duration: 0"]),
        ({"dataset": {"min_duration": 3, "max_duration": 2}}, ["dataset.max_duration: 2", "min_duration (3)"]),
        ({"features": {"n_mels": 0}}, ["features.n_mels: 0 is less than the minimum of 1"]),
        ({"features": {"n_fft": 401}}, ["features.n_fft: 401"]),
        ({"features": {"win_length": 512}}, ["features.win_length: 512 exceeds n_fft (400)"]),
        ({"features": {"f_max": 9000}}, ["features.f_max: 9000", "half of sample_rate (8000)"]),
        ({"features": {"sample_rate": 10**400}}, ["features.sample_rate: ", "greater than the maximum of 1000000"]),
        ({"features": {"f_min": 8000}}, ["features.f_max: 8000", "f_min (8000)"]),
        ({"features": {"floor": 0}}, ["features.floor: 0"]),
        ({"network": {"outputs": ["attention"]}}, ["network.outputs: ['attention']", "['embedding', 'attention']"]),
        ({"checkpoint": {"archive": "https://x.org/c.zip"}}, ["checkpoint.sha256: needed", "URL"]),
        ({"checkpoint": {"sha256": "abc"}}, ["checkpoint.sha256: 'abc' is not 64 hexadecimal digits"]),
        ({"scoring": {"subtract_mean": True}}, ["scoring.subtract_mean: True is none of none, dataset, cohort"]),
        ({"scoring": {"subtract_mean": "cohort"}}, ["scoring.subtract_mean: cohort", "scoring.as_norm.cohort"]),
        ({"scoring": {"as_norm": {"top": 1}}}, ["scoring.as_norm.top: 1", "minimum of 2"]),
        ({"scoring": {"bootstrap": {"replicates": -1}}}, ["scoring.bootstrap.replicates: -1", "minimum of 0"]),
        ({"scoring": {"format": "csv"}}, ["scoring.format: 'csv' is none of tsv, parquet"]),
        ({"scoring": {"on_missing_trial": "ask"}}, ["scoring.on_missing_trial: 'ask' is none of fail, skip"]),
    ],
)
def test_wrong_value_names_the_setting_and_what_is_wanted(config, parts):
    (fault,) = refused(config)
    for part in parts:
        assert part in fault


def test_url_with_a_digest_passes():
    assert check({"checkpoint": {"archive": "https://x.org/c.zip", "sha256": "0aF" + "0" * 61}})


def test_several_faults_are_told_at_once():
    faults = refused({"shards": 0, "dataset": {"rot": "x", "channels": 3}, "engin": "x", "batch_sizes": [0, "a"]})
    assert sorted(fault.split(":")[0] for fault in faults) == [
        "batch_sizes.0",
        "batch_sizes.1",
        "dataset.channels",
        "dataset.rot",
        "engin",
        "shards",
    ]


def test_several_disagreements_are_told_at_once():
    faults = refused({"engine": "x", "features": {"win_length": 999}, "dataset": {"layout": "a"}})
    assert [fault.split(":")[0] for fault in faults] == ["engine", "features.win_length", "dataset.layout"]


def test_text_from_the_command_line_is_read_as_what_the_setting_wants():
    """Snakemake hands over everything inside brackets as text: ``--config 'features={crops: 3}'``."""
    found = check(
        {
            "features": {"crops": "3", "f_max": "7600", "floor": "1e-6", "keep": "false", "n_mels": "80"},
            "dataset": {"max_duration": "null", "min_duration": "0.5", "root": "2"},
            "checkpoint": {"sha256": "null"},
            "batch_sizes": ["1", "4"],
        }
    )
    features, dataset = found["features"], found["dataset"]
    assert [features[name] for name in ("crops", "f_max", "floor", "keep", "n_mels")] == [3, 7600, 1e-6, False, 80]
    assert features["keep"] is False
    assert (dataset["max_duration"], dataset["min_duration"], dataset["root"]) == (None, 0.5, "2")
    assert found["checkpoint"]["sha256"] is None
    assert found["batch_sizes"] == [1, 4]
    with pytest.raises(InputError, match=r'features.crops: "many" is not of type integer'):
        check({"features": {"crops": "many"}})
    with pytest.raises(InputError, match=r"features.crops: 2.5 is not of type integer"):
        check({"features": {"crops": "2.5"}})


# Whatever is written


def read_or_refused(config):
    """The configuration as it is read, None where it is refused in words; any other exception is a fault of ours."""
    try:
        return check(config)
    except InputError as error:
        message = str(error)
    assert message.startswith("the configuration is wrong:\n  ")
    assert len(message) < 100_000
    return None


def places(schema, above=()):
    """All settings and groups of the schema: path and part."""
    for name, part in schema.get("properties", {}).items():
        yield (*above, name), part
        yield from places(part, (*above, name))


TEXTS = [
    "",
    "auto",
    "null",
    "~",
    "~x",
    "$X",
    "a\x00b",
    "[1]",
    "1e400",
    "9" * 5000,
    "openvino-f32",
    "\ud800",
    "https://x",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(TEXTS) | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(SCALARS, part, max_size=3), max_leaves=6
)


@settings(max_examples=400)
@given(st.data())
def test_any_configuration_is_read_or_refused_in_words(data):
    """What is read is read again as itself."""
    config = {}
    for _ in range(data.draw(st.integers(1, 3))):
        path, part = data.draw(st.sampled_from(PLACES))
        group = config
        for key in path[:-1]:
            group = group.setdefault(key, {})
            if not isinstance(group, dict):
                break
        else:
            usual = [part["default"], *part.get("enum", [])]
            key = data.draw(st.sampled_from([path[-1], path[-1], path[-1], "a.b", 3, None]))
            group[key] = data.draw(st.sampled_from(usual) | st.lists(SCALARS, max_size=3) | ANYTHING)
    found = read_or_refused(config)
    assert found is None or check(found) == found


PLACES = list(places(json.loads(SCHEMA.read_text(encoding="utf-8"))))


def within_itself():
    whole = {"batch_sizes": []}
    whole["batch_sizes"].append(whole["batch_sizes"])
    return whole


def growing():
    """A thousand million values by aliases, as YAML makes them."""
    value = [1]
    for _ in range(30):
        value = [value, value]
    return {"batch_sizes": value}


@pytest.mark.parametrize(
    "config",
    [
        within_itself(),
        growing(),
        {"batch_sizes": functools.reduce(lambda inner, _: [inner], range(5000), 1)},
        {"batch_sizes": [[n] for n in range(2500)]},
        {"batch_sizes": list(range(10**6))},
        {"batch_sizes": [[[1] * 2999] * 2999] * 2999},
        {f"key{n}": n for n in range(2500)},
        {"dataset": {"root": "x" * 10**6, "channels": "x" * 10**6}},
    ],
    ids=["within itself", "growing", "deep", "lists to be told apart", "long", "wide", "many unknown", "long text"],
)
def test_a_configuration_without_measure_is_refused_soon(config):
    started = time.monotonic()
    assert read_or_refused(config) is None
    assert time.monotonic() - started < 10  # a tenth of it here


LINES = (REPO / "config.yaml").read_text(encoding="utf-8").splitlines()


@settings(max_examples=150)
@given(st.data())
def test_any_mutation_of_the_shipped_file_is_read_or_refused_in_words(data):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        at = data.draw(st.integers(0, len(line)))
        piece = data.draw(
            st.sampled_from(["", " ", "-", ":", "#", "{", "]", "'", "&x ", "*npu", "!!int ", "1e9999", "~"])
        )
        change = data.draw(st.sampled_from(["drop", "twice", "cut", "put", "swap"]))
        lines[place : place + 1] = {
            "drop": [],
            "twice": [line, line],
            "cut": [line[:at]],
            "put": [line[:at] + piece + line[at:]],
            "swap": [lines[at % len(lines)]],
        }[change]
    try:
        config = yaml.load("\n".join(lines), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return  # Snakemake's to say
    read_or_refused(config or {})
