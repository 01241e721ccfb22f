"""The workflow on ascend_om, run by Snakemake for real with strict stand-ins in the tools' place.

Once more where the interpreter of ``ASV_NPU_PYTHON``, a Python 3.9 with NumPy, has what the stand-ins want (onnx and
onnxruntime): it runs the NPU's side.
"""

import json
import os
import subprocess
import sys

import pytest
from support.paths import STAND_IN
from support.synthetic import make_project
from support.workflow import Workflow

pytestmark = pytest.mark.slow

CONFIG = """
dataset: {{root: wavs, trials: [trials.txt]}}
checkpoint: {{archive: checkpoint.zip}}
engine: ascend_om
batch_sizes: [3]
engines:
  ascend_om: {{env_scripts: [set_env.sh], devices: [0, 1], backend: {backend}, python: {python}}}
benchmark: {{engines: [torchscript-f32, ascend_om-fp16], seconds: 0.05, count: 2, runs: 2}}
"""
AFTER_COMPILING = {"infer", "score", "write_answer", "copy_answer"}


def prepare(folder, backend="auto", wheel="2025", bin_folder=f"{STAND_IN}/bin", python="null"):
    """A small data set and checkpoint, and an environment script as CANN's: unset variables, a status of its own."""
    workflow = make_project(Workflow(folder), CONFIG.format(backend=backend, python=python))
    lines = [
        f"export PYTHONPATH={STAND_IN}:$PYTHONPATH$NOT_SET_ANYWHERE PATH={bin_folder}:$PATH",
        f"export ASCEND_TOOLKIT_HOME={STAND_IN}/toolkit STAND_IN_LOCKS={folder} STAND_IN_WHEEL={wheel}",
        "false",
    ]
    (folder / "set_env.sh").write_text("\n".join(lines) + "\n")
    return workflow


def other_python():
    """The interpreter of ``ASV_NPU_PYTHON``; skips where there is none that can run the stand-ins."""
    python = os.environ.get("ASV_NPU_PYTHON")
    if python is None or subprocess.run([python, "-c", "import numpy, onnx, onnxruntime"]).returncode:
        pytest.skip("ASV_NPU_PYTHON names no interpreter with NumPy, onnx and onnxruntime (Python 3.9)")
    return python


@pytest.fixture(scope="module", params=["ais_bench-2023", "ais_bench-2025", "acl-2023", "acl-2025", "acl-2025-other"])
def project(request, tmp_path_factory):
    backend, wheel, *other = request.param.split("-")
    python = other_python() if other else "null"
    workflow = prepare(tmp_path_factory.mktemp("project"), backend, wheel, python=python)
    workflow.backend = backend
    numpy = [sys.executable if python == "null" else python, "-c", "import numpy; print(numpy.__version__)"]
    workflow.numpy = subprocess.check_output(numpy, text=True).strip()
    workflow.output = workflow.run("results/eer_bs3.txt", "all_benchmarks", "accuracy_gate")
    return workflow


def read_json(project, path):
    return json.loads((project.folder / path).read_text())


def sidecars(project):
    """What ran, of every shard."""
    return sorted(project.folder.glob("work/embeddings/ascend_om-fp16/bs3/*[0-9].json"))


def eer(project, label):
    return read_json(project, f"results/{label}/eer_bs3.json")["protocols"]["trials"]["eer"]


def test_the_gate_is_passed_in_float16(project):
    rows = {row["engine"]: row for row in read_json(project, "results/benchmarks.json")["rows"]}
    row = rows["ascend_om-fp16"]
    assert row["gate"] == "PASS"
    assert row["min_cosine"] < 1 - 1e-9  # float16 was really used
    assert eer(project, "ascend_om-fp16") == pytest.approx(eer(project, "torchscript-f32"), abs=0.002)
    parts = [row[name] for name in ("to_device_ms", "compute_ms", "from_device_ms")]
    assert min(parts) > 0
    assert sum(parts) <= row["latency_mean_ms"] * 1.01  # of some wheels float32, since the session began


def test_what_ran_is_recorded(project):
    record = read_json(project, "work/engines/ascend_om-fp16/bs3/artefact.json")
    assert (record["cann"], record["atc"], record["precision"]) == ("8.0.0+standin", "8.0.0", "fp16")
    assert {read_json(project, path)["backend"] for path in sidecars(project)} == {project.backend}
    assert {read_json(project, path)["versions"]["numpy"] for path in sidecars(project)} == {project.numpy}
    for log in project.folder.glob("logs/infer/ascend_om-fp16_bs3/*.log"):
        assert "differs from the reference by" in log.read_text()


def test_a_stand_in_is_named_everywhere(project):
    """Nothing made with it can be taken for an NPU's."""
    shown = ["results/eer_bs3.txt", "results/benchmarks.tsv", "results/benchmarks.html", "results/answers.html"]
    for path in shown:
        assert "no NPU" in (project.folder / path).read_text(), path
    assert "STAND-IN for ascend_om-fp16" in (project.folder / "results/benchmarks.md").read_text()
    records = ["work/engines/ascend_om-fp16/bs3/artefact.json", "work/benchmarks/ascend_om-fp16/bs3.json"]
    for path in [*records, *sidecars(project)]:
        assert "no NPU" in read_json(project, path)["stand_in"], path
    assert (
        "Fastest that passes the gate, one batch after another: torchscript-f32"
        in (project.folder / "results/benchmarks.md").read_text()
    )


def test_what_makes_what_stale(project):
    """A second call does nothing, nor does another place; an option compiles again, an opset exports again."""
    target, text = "results/eer_bs3.txt", (project.folder / "config.yaml").read_text()
    stages = lambda: {job.split()[0] for job in project.jobs(target, dry=True)}  # noqa: E731
    try:
        assert stages() == set()
        project.configure(text.replace("devices: [0, 1]", "devices: [1]"))
        assert stages() == set()
        project.configure(text.replace("devices: [0, 1]", "buffer_optimize: off_optimize"))
        assert stages() == {"compile_engine", *AFTER_COMPILING}
        project.configure(text + "onnx: {opset: 12}\n")
        assert stages() == {"export_onnx", "compile_engine", *AFTER_COMPILING}
    finally:
        project.configure(text)


def test_compiling_needs_no_device(tmp_path):
    """Where neither a device is nor what runs a file; and what is then missing is told before any work."""
    workflow = prepare(tmp_path)
    with (tmp_path / "set_env.sh").open("a") as script:
        script.write("export STAND_IN_FAULTS=no-acl,no-ais-bench,device-absent\n")
    artefact = "work/engines/ascend_om-fp16/bs3"
    workflow.run(artefact)
    assert (tmp_path / artefact / "ecapa_tdnn_bs3.om").stat().st_mode & 0o777 == 0o600
    output = workflow.run("results/eer_bs3.txt", fails=True)
    for part in ("ascend_om cannot run here", "acl is not installed in", "npu_doctor"):
        assert part in output
    assert "Traceback" not in output
    assert not (tmp_path / "work" / "embeddings").exists()


def test_another_version_of_cann_compiles_again(tmp_path):
    workflow = prepare(tmp_path)
    artefact = "work/engines/ascend_om-fp16/bs3"
    workflow.run(artefact)
    assert workflow.jobs(artefact, dry=True) == []
    (tmp_path / "toolkit").mkdir()
    (tmp_path / "toolkit" / "ascend_toolkit_install.info").write_text("version=8.1.0\n")
    with (tmp_path / "set_env.sh").open("a") as script:
        script.write(f"export ASCEND_TOOLKIT_HOME={tmp_path}/toolkit\n")
    assert [job.split()[0] for job in workflow.jobs(artefact, dry=True)] == ["compile_engine"]


def test_without_the_toolchain_it_is_a_row_with_the_reason(tmp_path):
    workflow = prepare(tmp_path)
    text = (tmp_path / "config.yaml").read_text().replace("env_scripts: [set_env.sh], ", "")
    workflow.configure(text.replace("engine: ascend_om", "engine: torchscript"))
    workflow.run("all_benchmarks")
    (row,) = [line for line in (tmp_path / "results/benchmarks.md").read_text().splitlines() if "ascend_om" in line]
    assert "unsupported" in row
    assert "atc" in row
    output = workflow.run("npu_doctor", "--config", "engine=ascend_om", fails=True)
    for part in ("ascend_om: ", "atc: command not found", "name CANN's set_env.sh", "is not installed in"):
        assert part in output
