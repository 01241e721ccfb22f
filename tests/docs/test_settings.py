"""What is said of settings has one source, the schema: config.yaml, docs/settings.md and the scripts agree with it."""

import argparse
import importlib
import json
import re
import subprocess
import sys

import pytest
from support.paths import REPO, SCRIPTS

sys.path.insert(0, str(REPO / "tools"))
import settings

SCHEMA = json.loads(settings.SCHEMA.read_text(encoding="utf-8"))
LEAVES = dict(settings.leaves(SCHEMA["properties"]))
# Of all that score settings of frames, crops or seeds.
SCORED = {
    "--on-misfit": "network.on_misfit",
    "--on-missing-trial": "scoring.on_missing_trial",
    "--subtract-mean": "scoring.subtract_mean",
    "--as-norm-top": "scoring.as_norm.top",
    "--bootstrap-replicates": "scoring.bootstrap.replicates",
    "--bootstrap-seed": "scoring.bootstrap.seed",
    "--centroid-max-duration": "scoring.centroid.max_duration",
    "--centroid-max-scores": "scoring.centroid.max_scores",
}
# Options of scripts that repeat the default of a setting, or of several, by script and option.
REPEATED = {
    "extract_features.py": {
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("layout", "resample", "channels")},
        "--shared-speakers": "dataset.shared_speakers",
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("min_duration", "max_duration")},
        **{f"--{name}": f"features.{name}" for name in ("frames", "crops", "placement", "seed", "short")},
    },
    "extract_calibration.py": {
        "--utterances": "quantisation.calibration.utterances",
        "--choice-seed": "quantisation.calibration.seed",
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("on_bad_audio", "resample", "channels")},
        "--shared-speakers": "dataset.shared_speakers",
        **{f"--{name.replace('_', '-')}": f"dataset.{name}" for name in ("min_duration", "max_duration")},
        **{f"--{name}": f"features.{name}" for name in ("frames", "crops", "placement", "seed", "short")},
    },
    "quantise_network.py": {"--min-mean-cosine": "quantisation.min_mean_cosine"},
    "quantise_onnx.py": {"--min-mean-cosine": "quantisation.min_mean_cosine"},
    "merge_manifests.py": {"--on-bad-audio": "dataset.on_bad_audio"},
    "bring_network.py": {
        "--frames": "features.frames",
        "--graph-input": "network.input",
        "--graph-output": "network.output",
        "--layout": "network.layout",
    },
    "trace_network.py": {
        "--frames": "features.frames",
        "--outputs": "network.outputs",
        "--weights": "checkpoint.weights",
        "--family": "network.family",
    },
    "check_features.py": {"--resample": "dataset.resample", "--channels": "dataset.channels"},
    "write_answer.py": {"--on-misfit": "network.on_misfit"},
    "compile_engine.py": {"--threads": "threads"},
    "infer.py": {"--crops": "features.crops", "--threads": "threads"},
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
    "gather_embeddings.py": {"--on-bad-audio": "dataset.on_bad_audio"},
    "tabulate_lengths.py": {
        **SCORED,
        "--max-eer-increase": "accuracy_gate.max_eer_increase",
    },
    "tabulate_spread.py": SCORED,
    "compare_runs.py": {
        "--bootstrap-replicates": "scoring.bootstrap.replicates",
        "--bootstrap-seed": "scoring.bootstrap.seed",
    },
    "compare_engine.py": {
        "--bootstrap-replicates": "scoring.bootstrap.replicates",
        "--bootstrap-seed": "scoring.bootstrap.seed",
        "--max-eer-increase": "accuracy_gate.max_eer_increase",
    },
    "check_gate.py": {"--on-undecided": "accuracy_gate.on_undecided"},
    "benchmark_engine.py": {
        "--threads": "threads",
        "--seconds": "benchmark.seconds",
        "--count": "benchmark.count",
        "--runs": "benchmark.runs",
    },
    "make_bundle.py": {
        "--goal": "bundle.goal",
        "--bootstrap-replicates": "scoring.bootstrap.replicates",
        "--bootstrap-seed": "scoring.bootstrap.seed",
    },
    "measure_machine.py": {"--threads": "threads"},
    "plot_recommendation.py": {"--max-eer-increase": "accuracy_gate.max_eer_increase"},
    "npu_probe.py": {"--soc": "engines.torch_aie.soc_version", "--backend": "engines.ascend_om.backend"},
}
NOTHING = (None, [], "", "{}")  # defaults by which a script is told nothing
# Options that are called as a setting and have a default of their own.
OTHERS = {
    ("compare_runs.py", "--output"),  # of the files that it writes, and not the network.output of a graph
    ("extract_features.py", "--threads"),  # jobs run side by side, one per core
    ("extract_calibration.py", "--threads"),  # as well
    ("quantise_network.py", "--threads"),  # it is given all cores
    ("quantise_onnx.py", "--threads"),  # as well
    ("demo_checkpoint.py", "--threads"),  # training is one job
    ("demo_checkpoint.py", "--channels"),  # of the network
    ("extract_features.py", "--contract"),  # that of the default family
    ("npu_doctor.py", "--python"),  # the interpreter where the setting is null
}


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
    assert "expected" in part or "pattern" not in part, "messages about a pattern say what is expected"


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


def default_of(names):
    """The default of a setting; of several a tuple."""
    return LEAVES[names]["default"] if isinstance(names, str) else tuple(map(default_of, names))


@pytest.mark.parametrize("script", REPEATED)
def test_options_of_scripts_have_the_defaults_of_the_settings(script, monkeypatch):
    found = defaults_of(script, monkeypatch)
    pairs = {option: (found.get(option, "no such option"), name) for option, name in REPEATED[script].items()}
    differing = [
        f"{option} has {default}, {name} has {default_of(name)}"
        for option, (default, name) in pairs.items()
        if default != default_of(name)
    ]
    assert not differing, f"{script}: {'; '.join(differing)}"


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_every_option_that_is_called_as_a_setting_is_compared(script, monkeypatch):
    called = {f"--{name.rpartition('.')[2].replace('_', '-')}" for name in LEAVES}
    own = {option for option, default in defaults_of(script, monkeypatch).items() if default not in NOTHING}
    others = {option for name, option in OTHERS if name == script}
    assert others <= own & called, f"{script} has no such option any more"
    assert own & called - set(REPEATED.get(script, {})) == others
