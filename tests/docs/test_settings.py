"""What is said of settings has one source, the schema: config.yaml, docs/settings.md and the scripts agree with it."""

import argparse
import importlib
import json
import re
import subprocess
import sys

import pytest
from support.paths import REPO

sys.path.insert(0, str(REPO / "tools"))
import settings

SCHEMA = json.loads(settings.SCHEMA.read_text(encoding="utf-8"))
LEAVES = dict(settings.leaves(SCHEMA["properties"]))
# Options of scripts that repeat the default of a setting, by script and option.
REPEATED = {
    "extract_features.py": {
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("layout", "resample", "channels")},
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("min_duration", "max_duration")},
        **{f"--{name.partition('.')[2].replace('_', '-')}": name for name in LEAVES if name.startswith("features.")},
    },
    "score.py": {
        "--on-missing-trial": "scoring.on_missing_trial",
        "--subtract-mean": "scoring.subtract_mean",
        "--as-norm-top": "scoring.as_norm.top",
        "--bootstrap-replicates": "scoring.bootstrap.replicates",
        "--bootstrap-seed": "scoring.bootstrap.seed",
        "--format": "scoring.format",
        "--centroid-max-duration": "scoring.centroid.max_duration",
        "--centroid-max-scores": "scoring.centroid.max_scores",
    },
    "compare_engine.py": {
        "--bootstrap-replicates": "scoring.bootstrap.replicates",
        "--bootstrap-seed": "scoring.bootstrap.seed",
        "--min-cosine": "accuracy_gate.min_cosine",
        "--max-eer-increase": "accuracy_gate.max_eer_increase",
    },
    "benchmark_engine.py": {
        "--threads": "threads",
        "--seconds": "benchmark.seconds",
        "--count": "benchmark.count",
        "--runs": "benchmark.runs",
    },
}
del REPEATED["extract_features.py"]["--keep"]  # the workflow's own business


@pytest.mark.parametrize("name", ["config.yaml", "docs/settings.md"])
def test_what_is_made_from_the_schema_is_up_to_date(name):
    found = (REPO / name).read_text(encoding="utf-8")
    assert found == settings.texts()[name], f"{name} differs from the schema: run `python tools/settings.py --write`"


def test_the_command_names_what_differs(tmp_path):
    for name in ("tools/settings.py", "schemas/config.schema.json", "config.yaml", "docs/settings.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((REPO / name).read_bytes())
    page = tmp_path / "docs" / "settings.md"
    page.write_text(page.read_text(encoding="utf-8").replace("Minimum", "Least"), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "tools" / "settings.py")]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (1, "differ from the schema: docs/settings.md\n")
    assert subprocess.run([*command, "--write"]).returncode == 0
    assert page.read_bytes() == (REPO / "docs" / "settings.md").read_bytes()
    assert subprocess.run(command).returncode == 0


@pytest.mark.parametrize("name", LEAVES)
def test_every_setting_is_described_in_whole_words(name):
    part = LEAVES[name]
    assert re.search(r"[.:]$", part["description"]), "a sentence ends with a full stop"
    assert part["stale"]
    assert ("expected" in part) == ("pattern" in part), "messages about a pattern say what is expected"


@pytest.mark.parametrize("engine", ["mindietorch"])
def test_both_npu_plug_ins_have_the_same_settings(engine):
    engines = SCHEMA["properties"]["engines"]["properties"]
    assert engines[engine]["properties"] == engines["torch_aie"]["properties"]


class CaughtError(Exception):
    """Carries the parser of a script away from where it is used."""


def defaults_of(script, monkeypatch):
    """Defaults of a script's options; ``main`` ends where it would parse them."""

    def stop(parser, *_):
        raise CaughtError(parser)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(CaughtError) as caught:
        importlib.import_module(script.removesuffix(".py")).main()
    return {option: action.default for action in caught.value.args[0]._actions for option in action.option_strings}


@pytest.mark.parametrize("script", REPEATED)
def test_options_of_scripts_have_the_defaults_of_the_settings(script, monkeypatch):
    found = defaults_of(script, monkeypatch)
    pairs = {option: (found.get(option, "no such option"), name) for option, name in REPEATED[script].items()}
    differing = [
        f"{option} has {default}, {name} has {LEAVES[name]['default']}"
        for option, (default, name) in pairs.items()
        if default != LEAVES[name]["default"]
    ]
    assert not differing, f"{script}: {'; '.join(differing)}"
