"""The workflow on NPU engines, run by Snakemake for real with the strict stand-in in the plug-in's place.

Once in Snakemake's own interpreter, and once in another: that of ``ASV_NPU_PYTHON``, which is meant to be a Python 3.9
with torch 2.0.1 and NumPy 1.24, as torch_aie needs them.
"""

import json
import os
import subprocess

import numpy as np
import pytest
import torch
from support.paths import STAND_IN
from support.synthetic import make_project
from support.workflow import Workflow

pytestmark = pytest.mark.slow

CONFIG = """
dataset: {{root: wavs, trials: [trials.txt]}}
checkpoint: {{archive: checkpoint.zip}}
engine: torch_aie
batch_sizes: [3]
engines:
  torch_aie: {{python: {python}, env_scripts: [set_env.sh], devices: [0, 1]}}
  mindietorch: {{python: {python}, env_scripts: [set_env.sh]}}
benchmark: {{engines: {engines}, seconds: 0.05, count: 2, runs: 2}}
"""
LABELS = ["torch_aie-fp16", "torch_aie-f32", "mindietorch-f32"]
MEASURED = ["torch_aie-fp16", "mindietorch-f32"]


def prepare(folder, engines, python="null"):
    """A small data set and checkpoint, and an environment script that puts the stand-in in the plug-in's place.

    As CANN's do, it reads a variable that is not set, and ends with a status of its own.
    """
    workflow = make_project(Workflow(folder), CONFIG.format(engines=engines, python=python))
    (folder / "set_env.sh").write_text(f"export PYTHONPATH={STAND_IN}:$PYTHONPATH$NOT_SET_ANYWHERE\nfalse\n")
    return workflow


@pytest.fixture(scope="module", params=["null", os.environ.get("ASV_NPU_PYTHON")], ids=["own", "other"])
def python(request):
    """The interpreter of the NPU engines, as config.yaml names it."""
    if request.param is None:
        pytest.skip("ASV_NPU_PYTHON names no interpreter (Python 3.9 with torch 2.0.1 and NumPy 1.24)")
    return request.param


@pytest.fixture(scope="module")
def project(tmp_path_factory, python):
    workflow = prepare(tmp_path_factory.mktemp("project"), f"[torchscript-f32, {', '.join(MEASURED)}]", python)
    workflow.output = workflow.run(
        "results/eer_bs3.txt",
        "all_benchmarks",
        "results/torch_aie-f32/eer_bs3.txt",
        "results/torch_aie-fp16/bin_bs3/output_bs3",
    )
    return workflow


def read_json(project, path):
    return json.loads((project.folder / path).read_text())


def eer(project, label):
    [protocol] = [
        p for n, p in read_json(project, f"results/{label}/eer_bs3.json")["protocols"].items() if n == "trials"
    ]
    return protocol["eer"]


@pytest.mark.parametrize("label", ["torch_aie-f32", "mindietorch-f32"])
def test_float32_gives_the_references_eer(project, label):
    assert eer(project, label) == pytest.approx(eer(project, "torchscript-f32"), abs=1e-4)


def test_both_precisions_pass_the_gate(project):
    rows = {row["engine"]: row for row in read_json(project, "results/benchmarks.json")["rows"]}
    assert [rows[label]["gate"] for label in MEASURED] == ["PASS", "PASS"]
    assert rows["torch_aie-fp16"]["min_cosine"] < 1 - 1e-9  # float16 was really used
    for label in MEASURED:
        parts = [rows[label][name] for name in ("to_device_ms", "compute_ms", "from_device_ms")]
        assert min(parts) > 0
        assert sum(parts) <= rows[label]["latency_mean_ms"]  # means over the same batches
        assert rows[label]["device_throughput"] == pytest.approx(3000 / parts[1])
        assert rows[label]["peak_share"] is None  # of the CPU, which computed nothing


def test_it_ran_in_the_interpreter_that_was_named(project, python):
    versions = read_json(project, "work/engines/torch_aie-fp16/bs3/artefact.json")["versions"]
    assert versions["torch"] == (torch.__version__ if python == "null" else version_of(python, "torch"))


def version_of(python, package):
    command = [python, "-c", f"from importlib import metadata; print(metadata.version({package!r}))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_auto_is_float16(project):
    answer = read_json(project, "results/eer_bs3.json")
    assert answer["engine"]["name"] == "torch_aie"
    assert answer["engine"]["precision"] == "fp16"
    assert answer["engine"]["precision_from"] == "request"
    assert answer == read_json(project, "results/torch_aie-fp16/eer_bs3.json")


def test_artefacts_have_the_originals_names(project):
    for label in LABELS:
        name = label.split("-")[0]
        folder = project.folder / f"work/engines/{label}/bs3"
        assert {p.name for p in folder.glob("[!.]*")} == {f"ecapa_tdnn_{name}_bs3.pt", "artefact.json"}


def test_a_stand_in_is_named_everywhere(project):
    """Nothing made with it can be taken for an NPU's."""
    shown = ["results/eer_bs3.txt", "results/benchmarks.tsv", "results/benchmarks.html", "results/answers.html"]
    for path in [*shown, *(f"results/{label}/eer_bs3.txt" for label in LABELS)]:
        assert "no NPU" in (project.folder / path).read_text(), path
    assert "STAND-IN" in (project.folder / "results/eer_bs3.txt").read_text().splitlines()[0]
    table = (project.folder / "results/benchmarks.md").read_text()
    assert table.count("(STAND-IN)") == len(MEASURED)
    assert "STAND-IN for mindietorch-f32" in table
    assert project.output.count("(STAND-IN)") == len(MEASURED)  # in the table on the terminal, too
    for label in LABELS:
        records = [f"work/engines/{label}/bs3/artefact.json"]
        records += [f"work/benchmarks/{label}/bs3.json"] if label in MEASURED else []
        records += [
            str(p.relative_to(project.folder)) for p in project.folder.glob(f"work/embeddings/{label}/bs3/*-of-?.json")
        ]
        for record in records:
            assert "no NPU" in read_json(project, record)["stand_in"], record
            assert read_json(project, record)["versions"][label.split("-")[0]] == "0+standin"
    rows = {row["engine"]: row for row in read_json(project, "results/benchmarks.json")["rows"]}
    assert all(not rows[label]["best"] for label in MEASURED)
    assert "Fastest that passes the gate, one batch after another: torchscript-f32" in table


def test_the_reference_is_not_marked(project):
    assert "STAND-IN" not in (project.folder / "results/torchscript-f32/eer_bs3.txt").read_text()


def test_published_figures_are_not_beside_a_stand_ins(project):
    """Those of chips say nothing beside it."""
    assert "Published by others" not in (project.folder / "results/benchmarks.md").read_text()


def test_embeddings_as_the_originals_files(project):
    folder = project.folder / "results/torch_aie-fp16/bin_bs3"
    rows = [line.split("\t") for line in (folder / "output_bs3/utterances.tsv").read_text().splitlines()[1:]]
    parts = sorted(project.folder.glob("work/embeddings/torch_aie-fp16/bs3/*.npy"))
    embeddings = np.concatenate([np.load(path) for path in parts])
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(embeddings) + 1)]
    speakers = sorted({row[2] for row in rows})
    assert len(speakers) > 1
    for (index, utterance, speaker, label), embedding in zip(rows, embeddings):
        np.testing.assert_array_equal(np.fromfile(folder / f"output_bs3/mels{index}_0.bin", np.float32), embedding)
        [number] = torch.load(folder / f"speaker/speakers{index}.pt", weights_only=True)  # as postprocess.py reads it
        assert number.item() == int(label) == speakers.index(speaker)
        assert utterance.startswith(speaker)


def test_a_second_call_does_nothing_and_another_place_neither(project):
    """Where a job runs makes nothing stale; what it computes does."""
    assert project.jobs("results/eer_bs3.txt", dry=True) == []
    text = (project.folder / "config.yaml").read_text()
    project.configure(text.replace("devices: [0, 1]", "devices: [1]").replace("set_env.sh]", "./set_env.sh]"))
    assert project.jobs("results/eer_bs3.txt", dry=True) == []
    project.configure(text.replace("devices: [0, 1]", "optimization_level: 1"))
    stale = project.jobs("results/eer_bs3.txt", dry=True)
    assert {job.split()[0] for job in stale} == {"compile_engine", "infer", "score", "write_answer", "copy_answer"}
    project.configure(text)


def test_the_doctor(project):
    output = project.run("npu_doctor")
    for part in (
        "torch_aie: ready",
        "devices       0 ok, 1 ok",
        "0+standin",
        "mindietorch: ready",
        "STAND-IN",
        "set_env.sh",
    ):
        assert part in output


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ("set_env.sh], devices: [0, 1]|set_env.sh], devices: [0, 5]", ["device 5 is absent", "npu-smi info"]),
        ("env_scripts: [set_env.sh], devices: [0, 1]|devices: [0]", ["torch_aie is not installed in", ".python"]),
    ],
)
def test_what_is_missing_is_said_before_any_work(tmp_path, change, parts):
    workflow = prepare(tmp_path, "[torchscript-f32]")
    old, new = change.split("|")
    text = (tmp_path / "config.yaml").read_text()
    assert old in text
    workflow.configure(text.replace(old, new))
    output = workflow.run("results/eer_bs3.txt", fails=True)
    for part in ("torch_aie cannot run here", "npu_doctor", *parts):
        assert part in output
    assert "Traceback" not in output
    assert not (tmp_path / "work").exists()
    # The doctor says the same, and ends with an error.
    output = workflow.run("npu_doctor", fails=True)
    for part in ("torch_aie: 2 problems", "MISSING", "no /dev/davinci*", *parts):
        assert part in output
    # Its picture is the last that is said.
    assert output.endswith((tmp_path / "logs/npu_doctor.log").read_text())


def test_in_a_benchmark_what_is_missing_is_a_row(tmp_path):
    workflow = prepare(tmp_path, "[torchscript-f32, torch_aie-fp16]")
    text = (tmp_path / "config.yaml").read_text().replace("env_scripts: [set_env.sh]", "env_scripts: []")
    workflow.configure(text.replace("engine: torch_aie", "engine: openvino"))
    output = workflow.run("all_benchmarks", "--dry-run", "--printshellcmds")
    assert "torch_aie-fp16:3:torch_aie: import failed: No module named" in output
    assert "engine=torch_aie" not in output
