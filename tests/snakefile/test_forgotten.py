"""A forgotten --configfile: what is said before the demo takes the place of an experiment, and when nothing is."""

import json
from types import SimpleNamespace

import pytest

from asv.snakefile import forgotten
from asv.snakefile.config import check

PLAIN = {"is_configured_module": False, "configfiles": [], "config_arguments": {}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/outdated").mkdir(parents=True)
    (tmp_path / "results/openvino-f32").mkdir()
    return tmp_path


def put(path, demo):
    path.write_text(json.dumps({"dataset": {"root": ["/data/mine"], "demo": demo}}))


def told(config=None, own_file=False, **called):
    return forgotten.warning(SimpleNamespace(**{**PLAIN, **called}), check(config or {}), own_file)


def test_results_of_other_recordings_are_a_reason_to_warn(folder):
    put(folder / "results/openvino-f32/eer_bs4.json", demo=False)
    assert "results/openvino-f32/eer_bs4.json is of /data/mine" in told()
    assert "--configfile" in told()


def test_nothing_is_said_of_the_demos_own_results_and_of_what_was_set_aside(folder):
    put(folder / "results/eer_bs4.json", demo=True)
    put(folder / "results/outdated/eer_bs4.json", demo=False)
    (folder / "results/eer_bs8.json").write_text("{")
    (folder / "results/eer_bs4.run.json").write_text("{}")
    assert told() is None


def test_nothing_is_said_where_a_configuration_is_named(folder):
    put(folder / "results/eer_bs4.json", demo=False)
    assert told(own_file=True) is None
    assert told(configfiles=["mine.yaml"]) is None
    assert told(config_arguments={"threads": 2}) is None
    assert told(is_configured_module=True) is None
    assert told({"dataset": {"root": "/data", "trials": None}}) is None
