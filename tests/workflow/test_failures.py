"""After a failure the same call makes what failed, or fails again, whatever the stage: stand-in scripts, real rules."""

import json
import re

import pytest
from support import rule_files
from support.workflow import jobs_in
from walk.walk import Project, stand_in_code

MINE = {"dataset": {"root": "wavs", "trials": ["trials.txt"]}, "checkpoint": {"archive": "one.zip"}}
CONFIGURATIONS = {
    "answer": {**MINE, "shards": 1},
    "all": {**MINE, "benchmark": {"engines": ["torchscript-f32", "openvino-f32"]}},
    "lengths": {**MINE, "shards": 1, "accuracy_by_length": {"frames": [100], "crops": [1]}},
    "spread": {**MINE, "shards": 1, "crop_spread": {"seeds": [0, 1]}},
    "demo": {"checkpoint": {"archive": "demo-c512"}},
    "fetched": {
        "dataset": {"root": "wavs", "trials": ["trials.txt"]},
        "checkpoint": {"archive": "https://example.org/checkpoint.zip", "sha256": "0" * 64},
    },
}
EVERYTHING = ("all_benchmarks", "accuracy_gate", "results/eer_bs4.txt", "results/openvino-f32/bin_bs4/output_bs4")
EVERYTHING += ("results/network.onnx", "recommend", "bundle")
EVERYTHING += ("results/openvino-int8/eer_bs4.txt", "results/onnxruntime-int8/eer_bs4.txt")
ANSWER = ("results/eer_bs4.txt",)
TARGETS = {"all": EVERYTHING, "lengths": ("accuracy_by_length", *ANSWER), "spread": ("crop_spread", *ANSWER)}
#: Rules and the configuration under which they run; the others under "all".
WHERE = {
    "extract_features": "answer",
    "unzip_checkpoint": "answer",
    "demo_corpus": "demo",
    "demo_untrained_checkpoint": "demo",
    "fetch_checkpoint": "fetched",
    **dict.fromkeys(("compile_length", "infer_length", "gather_embeddings"), "lengths"),
    **dict.fromkeys(("tabulate_lengths", "plot_lengths"), "lengths"),
    "tabulate_spread": "spread",
}
ASIDE = {"demo_checkpoint"}  # asked for by its file alone
# What the rule's script is, where it is not called as the rule is.
SCRIPTS = {
    "show_benchmarks": "write_page",
    "show_answers": "write_page",
    "demo_untrained_checkpoint": "demo_checkpoint",
    "choose_setting": "recommend",
    "compile_length": "compile_engine",
    "infer_length": "infer",
}
#: Those that every test run tries, in a graph of few jobs.
QUICK = {"unzip_checkpoint"}


#: Name and text of every rule that has an output.
BLOCKS = {name: block for name, block in rule_files.RULES.items() if "\n    output:\n" in block}
RULES = sorted(BLOCKS.keys() - ASIDE)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_rule_has_a_key_and_tells_its_script_of_the_job(name):
    block = BLOCKS[name]
    assert block.count("        key=KEYS.param(),\n        job=KEYS.job_name,\n") == 1
    assert block.count("{params.script:q} --job {params.job:q} ") == 1
    assert re.search(r"\n        code=(stage|engine|network)_code\(", block), "its code is no param"


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """A finished run of every configuration; made when asked for."""
    code = stand_in_code(tmp_path_factory.mktemp("stand_in") / "code")
    made = {}

    def project(name):
        if name not in made:
            made[name] = Project(tmp_path_factory.mktemp(name) / "project", code)
            settings = {"batch_sizes": [4], "shards": 2, **CONFIGURATIONS[name]}
            (made[name].folder / "config.yaml").write_text(json.dumps(settings))
        targets = TARGETS.get(name, ANSWER)
        status, output = made[name].call(*targets)
        assert status == 0, output
        return made[name], targets

    return project


@pytest.mark.parametrize(
    "rule", [pytest.param(rule, marks=() if rule in QUICK else pytest.mark.slow) for rule in RULES]
)
def test_a_rule_that_fails(projects, rule):
    """Its code has changed, and it fails: twice the same, in a smaller call, and never again when the cause is gone."""
    project, targets = projects(WHERE.get(rule, "all"))
    script = project.code / "workflow_scripts" / f"{SCRIPTS.get(rule, rule)}.py"
    with script.open("a") as stream:
        stream.write(f"\nCHANGED = {rule!r}\n")
    (project.folder / "fault.json").write_text(json.dumps({"rule": rule, "mode": "fail"}))
    keep_going = ["--keep-going"] * (RULES.index(rule) % 2)
    for _ in range(2):
        code, output = project.call(*targets, *keep_going)
        assert code != 0, output
        assert f"Error in rule {rule}:" in output
    answer = project.folder / "results/eer_bs4.txt"
    code, output = project.call("results/eer_bs4.txt")
    assert (code == 0) == answer.exists()
    (project.folder / "fault.json").unlink()
    code, output = project.call(*targets)
    assert code == 0, output
    ran = {job.split()[0] for job in jobs_in(output)}
    assert rule in ran
    assert "Nothing to be done" in project.call(*targets)[1]


def test_all_rules_are_run_here():
    assert set(WHERE) | QUICK | ASIDE <= BLOCKS.keys()
    assert len(RULES) > 15
