"""Answers that a run did not make: they stay where they are of its settings, and are set aside where they are not."""

import json

import pytest

from asv.snakefile import left_over

ANSWER = {
    "dataset": {"root": ["wavs"]},
    "scoring": {"subtract_mean": "none"},
    "utterances": {"found": 8},
    "features": {"seed": 0},
    "network": {"checkpoint_sha256": "a"},
    "code": "0",
    "versions": {"python": "3.11"},
    "engine": {"name": "openvino", "precision": "f32", "batch_size": 4, "threads": 1},
    "protocols": {"list": {"eer": 0.05, "md5": "b", "targets": 4, "nontargets": 4, "list": None}},
}


def changed(**groups):
    return {**ANSWER, **{name: {**ANSWER[name], **values} for name, values in groups.items()}}


def write(path, answer):
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".txt", ".run.json"):
        path.with_suffix(suffix).write_text("{}")
    path.with_suffix(".json").write_text(json.dumps(answer))


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder whose run has made the answer at batch size 4."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "results/eer_bs4.txt", ANSWER)
    return tmp_path / "results"


MADE = ["results/eer_bs4.txt", "results/eer_bs4.json", "work/x.npy"]
OTHERS = {
    "dataset": {"root": ["others"]},
    "scoring": {"subtract_mean": "all"},
    "utterances": {"found": 9},
    "features": {"seed": 1},
    "network": {"checkpoint_sha256": "c"},
    "protocols": {"list": {**ANSWER["protocols"]["list"], "md5": "d"}},
    "engine": {"precision": "bf16"},
}


@pytest.mark.parametrize("group", OTHERS)
def test_an_answer_of_other_settings_is_set_aside(results, group):
    write(results / "eer_bs8.txt", changed(**{group: OTHERS[group]}))
    assert left_over.set_aside(MADE, MADE) == ["results/eer_bs8"]
    assert sorted(path.name for path in results.glob("eer_bs8*")) == []
    assert len(list((results / "outdated").glob("eer_bs8*"))) == 3
    assert left_over.set_aside(MADE, MADE) == []


def test_another_batch_size_number_of_threads_and_error_rate_are_no_other_settings(results):
    of_list = {**ANSWER["protocols"]["list"], "eer": 0.051}
    write(results / "eer_bs8.txt", changed(engine={"batch_size": 8, "threads": 2}, protocols={"list": of_list}))
    assert left_over.set_aside(MADE, MADE) == []


def test_another_engine_has_a_folder_of_its_own(results):
    write(results / "torchscript-f32/eer_bs4.txt", {**changed(engine={"name": "torchscript"}), "code": "1"})
    write(results / "onnxruntime-f32/eer_bs4.txt", changed(engine={"name": "onnxruntime"}, features={"seed": 1}))
    assert left_over.set_aside(MADE, MADE) == ["results/onnxruntime-f32/eer_bs4"]
    assert (results / "outdated/onnxruntime-f32/eer_bs4.json").exists()


def test_without_an_answer_of_its_own_a_run_sets_nothing_aside(results):
    write(results / "eer_bs8.txt", changed(features={"seed": 1}))
    assert left_over.set_aside(["results/utterances.tsv"], MADE) == []


@pytest.mark.parametrize("content", ["", "[]", '{"engine": 1}', "\x00"])
def test_what_is_no_answer_is_left_alone(results, content):
    (results / "eer_bs8.json").write_text(content)
    assert left_over.set_aside(MADE, MADE) == []


def test_of_a_module_with_a_prefix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "sub/results/openvino-f32/eer_bs4.txt", ANSWER)
    write(tmp_path / "sub/results/openvino-f32/eer_bs8.txt", changed(features={"seed": 1}))
    write(tmp_path / "results/openvino-f32/eer_bs8.txt", changed(features={"seed": 1}))  # another workflow's
    made = ["sub/results/openvino-f32/eer_bs4.txt", "sub/results/openvino-f32/eer_bs4.json"]
    assert left_over.set_aside(made, made) == ["sub/results/openvino-f32/eer_bs8"]


def test_what_the_run_found_current_stays(results):
    write(results / "eer_bs8.txt", changed(features={"seed": 1}))
    assert left_over.set_aside(MADE, [*MADE, "results/eer_bs8.json"]) == []
