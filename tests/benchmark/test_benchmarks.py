"""The benchmark, run by Snakemake for real on a small network: one table, nothing twice, never beside other jobs."""

import json
import shutil
from typing import get_type_hints

import numpy as np
import pytest
import torch
from support.scripts import assert_one_error, run_script
from support.synthetic import make_project
from support.workflow import Workflow

from asv import cpus, engines, files, receipts, vectors
from asv.benchmark import best, table
from asv.benchmark.row import Row
from asv.engine_interface import Job
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EmbeddingOnly

CONFIG = """
dataset: {{root: wavs, trials: [trials.txt]}}
checkpoint: {{archive: checkpoint.zip}}
batch_sizes: {batches}
benchmark: {{engines: [torchscript-f32, openvino-f32], seconds: 0.05, count: 2, runs: 2}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    workflow = make_project(Workflow(tmp_path_factory.mktemp("project")), CONFIG.format(batches="[1, 3]"))
    workflow.output = workflow.run("all_benchmarks", "--cores", "8")
    return workflow


def rows(project):
    return json.loads((project.folder / "results/benchmarks.json").read_text())["rows"]


def intervals(folder):
    """Start and end of every job, by rule, as Snakemake recorded them."""
    records = [json.loads(p.read_text()) for p in (folder / ".snakemake/metadata").rglob("*") if p.is_file()]
    return {(r["rule"], str(r["log"])): (r["starttime"], r["endtime"]) for r in records}


def test_the_table(project):
    table = rows(project)
    network = json.loads((project.folder / "results/benchmarks.json").read_text())["network"]
    assert [(row["engine"], row["batch_size"]) for row in table] == [
        (engine, batch) for engine in ("torchscript-f32", "openvino-f32") for batch in (1, 3)
    ]
    assert [row["gate"] for row in table] == ["reference", "reference", "PASS", "PASS"]
    for kind in ("throughput", "latency"):
        marks = [mark for row in table for mark in row["best"] if mark.startswith(kind)]
        assert marks == [kind] or (len(marks) > 1 and {*marks} == {f"{kind} within noise"})
    for row in table:
        assert row["throughput_low"] <= row["throughput"] <= row["throughput_high"]
        assert row["engine_throughput"] >= row["throughput"] > 0
        assert row["latency_p99_ms"] is None
        assert 1 <= row["threads"] <= 8
        assert row["gflops"] == pytest.approx(row["throughput"] * network["gflop"])
    printed = (project.folder / "results/benchmarks.md").read_text()
    (header,) = [line for line in printed.splitlines() if line.startswith("| engine ")]
    assert header not in project.output  # the terminal has the columns that fit
    assert "| engine          | batch | crops/s | latency ms | EER %" in project.output
    assert "All columns, notes and the machine: results/benchmarks.md" in project.output
    assert "Fastest that passes the gate" in printed
    assert "Ascend 310P3" not in printed  # figures of another network compare with nothing here
    header, *lines = (project.folder / "results/benchmarks.tsv").read_text().splitlines()
    assert len(lines) == 4
    assert header.startswith("engine\tname\tprecision\tbatch_size")


def assert_measurements_were_alone(folder, count):
    jobs = intervals(folder)
    measured = {key: span for key, span in jobs.items() if key[0] in ("benchmark_engine", "measure_machine")}
    assert len(measured) == count
    assert len(jobs) > 20
    for key, (start, end) in measured.items():
        for other, (other_start, other_end) in jobs.items():
            assert other == key or other_end <= start or other_start >= end, f"{other} ran beside {key}"


def test_a_measurement_is_alone(project):
    assert_measurements_were_alone(project.folder, 5)  # with --cores 8


@pytest.mark.slow
def test_a_second_call_does_nothing_and_a_batch_size_more_measures_only_that(project):
    assert project.jobs("all_benchmarks", dry=True) == []
    project.configure(CONFIG.format(batches="[1, 3, 2]"))
    ran = project.jobs("all_benchmarks")
    assert {job for job in ran if "bs" in job} == {job for job in ran if "bs2" in job}
    assert sum(job.startswith("benchmark_engine") for job in ran) == 2
    assert "measure_machine" not in ran
    assert len(rows(project)) == 6
    assert_measurements_were_alone(project.folder, 7)  # the new ones with --cores 2


@pytest.mark.slow
def test_the_gate_catches_perturbed_weights(project, tmp_path, monkeypatch):
    """An artefact made from slightly other weights takes the place of the right one, and is given its receipt."""
    copy = Workflow(tmp_path / "copy")
    shutil.copytree(project.folder, copy.folder, symlinks=True)
    network, _ = load_network(copy.folder / "work/checkpoint/checkpoint.pt")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(
                0.1 * weight.std() * torch.randn(weight.shape, generator=generator) if weight.numel() > 1 else 0
            )
        torch.jit.trace(EmbeddingOnly(network), torch.zeros(1, 80, 200)).save(str(copy.folder / "other.pt"))
    artefact = copy.folder / "work/engines/openvino-f32/bs3"
    engines.module("openvino").compile_artefact(copy.folder / "other.pt", artefact, Job(3, (80, 200), "f32"))
    monkeypatch.chdir(copy.folder)
    receipt = receipts.place("work/engines/openvino-f32/bs3")
    receipts.write("work/engines/openvino-f32/bs3", files.read_json(receipt)["key"])
    output = copy.run("accuracy_gate", "--forcerun", "infer", fails=True)
    assert "1 of" in output
    assert "openvino-f32, batch size 3: lowest cosine 0." in output
    failing = [row for row in rows(copy) if row["gate"] == "FAIL"]
    assert [(row["engine"], row["batch_size"]) for row in failing] == [("openvino-f32", 3)]
    # The table is written whatever the gate says.
    assert failing[0]["faults"][0] in (copy.folder / "results/benchmarks.md").read_text()
    assert not failing[0]["best"]


def test_the_gate_passes(project):
    project.run("accuracy_gate")
    assert (project.folder / "results/accuracy_gate.txt").read_text().startswith("all ")


def test_cosines_by_hand():
    a = np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]])
    b = np.array([[2.0, 0.0], [4.0, 3.0], [0.0, -1.0]])
    np.testing.assert_allclose(vectors.cosines(a, b), [1.0, 0.96, -1.0])


def test_the_columns_of_the_table_are_those_of_a_row(project):
    (first, *_) = rows(project)
    assert set(table.TSV) == {*first} - {"faults", "best"} | {"remarks"}
    assert set(first) == set(get_type_hints(Row))
    header = (project.folder / "results/benchmarks.tsv").read_text().splitlines()[0].split("\t")
    # Programs may count them: those of version 1 keep their places.
    assert header.index("throughput") == 7
    assert header.index("remarks") == 35
    assert header[36:40] == ["cores", "cpu_quota", "throttled_share", "throttled_periods"]


def test_a_measurement_tells_cores_and_quota(project):
    for name in ("openvino-f32/bs1.json", "machine.json"):
        found = json.loads((project.folder / "work/benchmarks" / name).read_text())
        assert found["cores"] == cpus.allowed()
        assert found["cpu_quota"] == cpus.quota()
        assert (found["throttled_share"] is None) == (found["cpu_quota"] is None)


MACHINE = {
    "cpu": "A Processor",
    "flags": [],
    "threads": 1,
    "cores": 2,
    "cpu_quota": 0.5,
    "python": "3.11",
    "torch": "2",
}
MACHINE |= {"matmul_gflops": {"f32": 1.0}, "matmul_library": {"f32": "pytorch"}}


def test_nothing_but_unsupported_engines_is_a_table_of_rows(tmp_path):
    """By hand and with a full stop in the output's name, too, which is no suffix."""
    files.write_json(tmp_path / "machine.json", MACHINE)
    output = tmp_path / "run.v2"
    unsupported = [f"openvino-bf16:{batch}:this CPU offers FP32" for batch in (1, 4)]
    arguments = ["--unsupported", *unsupported, "--machine", tmp_path / "machine.json", "--output", output]
    assert run_script("tabulate_benchmarks.py", "--rows", *arguments)[0] == 0
    written = json.loads((tmp_path / "run.v2.json").read_text())
    assert [row["status"] for row in written["rows"]] == ["unsupported"] * 2
    text = (tmp_path / "run.v2.md").read_text()
    assert "This machine can run none of benchmark.engines" in text
    assert "A CPU quota (of a container or job) allowed 0.5 cores." in text
    header, *lines = [line.split("\t") for line in (tmp_path / "run.v2.tsv").read_text().splitlines()]
    assert tuple(header) == table.TSV
    assert [line[header.index("remarks")] for line in lines] == ["this CPU offers FP32"] * 2
    pictures = [
        part
        for name in ("throughput", "latency", "agreement")
        for part in (f"--{name}-output", tmp_path / f"{name}.svg")
    ]
    assert run_script("plot_benchmarks.py", "--benchmarks", f"{output}.json", *pictures) == (0, "")
    assert run_script("write_page.py", "--title", "Answers", "--input", "--output", tmp_path / "a.html")[0] == 0
    made_from = ["--benchmarks", f"{output}.json"]
    assert run_script("write_page.py", "--title", "Rows", *made_from, "--output", tmp_path / "b.html") == (0, "")
    assert "<td>unsupported; this CPU offers FP32</td>" in (tmp_path / "b.html").read_text()
    gate = run_script("check_gate.py", "--table", f"{output}.json", "--output", tmp_path / "gate.txt")
    assert_one_error(gate, "nothing to check: this machine can run none of 2 rows")
    assert run_script("tabulate_benchmarks.py", *arguments[3:])[0] == 2


def test_whole_utterances_have_no_shape_to_measure(tmp_path):
    (tmp_path / "artefact").mkdir()
    facts = {"engine": "openvino", "requested_precision": "f32", "input": [1, 80, None]}
    files.write_json(tmp_path / "artefact/artefact.json", facts)
    outcome = run_script("benchmark_engine.py", "--artefact", tmp_path / "artefact", "--output", tmp_path / "b")
    assert_one_error(outcome, "features.frames: whole utterances have no fixed shape", "set a number of frames")


@pytest.mark.slow
def test_a_recording_that_changes_makes_no_measurement_stale(tmp_path):
    """Another processor and another number of threads do."""
    workflow = make_project(Workflow(tmp_path), CONFIG.format(batches="[3]"), speakers=6, sessions=1)
    target = "work/benchmarks/torchscript-f32/bs3.json"
    workflow.run(target)
    for path in (tmp_path / "wavs").rglob("*.wav"):
        path.write_text("not audio")
    assert workflow.jobs(target, dry=True) == []
    assert workflow.jobs(target, "--cores", "1", dry=True) == ["benchmark_engine bs3"]


def tabulate(folder, **lists):
    """Outcome of a table of one row of OpenVINO and one of the reference."""
    files.write_json(folder / "machine.json", MACHINE)
    inputs = {name: [folder / f"{name}{number}.json" for number in range(2)] for name in ("benchmarks", "results")}
    inputs |= {"artefacts": [folder / "a", folder / "b"], "agreements": [folder / "agreement.json"], **lists}
    arguments = [word for name, paths in inputs.items() for word in (f"--{name}", *paths)]
    arguments += ["--machine", folder / "machine.json", "--output", folder / "table"]
    return run_script("tabulate_benchmarks.py", "--rows", "openvino-f32:4", "torchscript-f32:4", *arguments)


def test_a_measurement_that_is_not_there_is_named(tmp_path):
    assert_one_error(tabulate(tmp_path), "benchmarks0.json: no such file; `snakemake all_benchmarks` makes it")


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"agreements": []}, "--agreements: 0 files for 1 rows"),  # the reference has none
        ({"results": ["a", "b", "c"]}, "--results: 3 files for 2 rows"),
    ],
)
def test_as_many_files_as_rows(tmp_path, lists, message):
    code, output = tabulate(tmp_path, **lists)
    assert code == 2
    assert message in output


def test_what_this_machine_cannot_run_is_a_row():
    row = table.unsupported_row("openvino-bf16", 4, "this CPU offers FP32")
    cells = table.printed(row)
    assert cells[0] == "openvino-bf16"
    assert cells[-1] == "unsupported; this CPU offers FP32"
    assert set(cells[2:-1]) == {"–"}
    good = {**row, "status": "ok", "gate": "PASS", "throughput": 5.0, "latency_mean_ms": 1.0, "best": []}
    bad = {**row, "status": "ok", "gate": "FAIL", "throughput": 9.0, "latency_mean_ms": 0.1, "best": []}
    best.mark_best([row, good, bad])
    assert good["best"] == ["throughput", "latency"]
    assert bad["best"] == row["best"] == []
    assert best.recommendation([row, good, bad]).startswith(
        "Fastest that passes the gate, one batch after another: openvino-bf16"
    )
    assert best.recommendation([row]) == "No engine passes the accuracy gate."
    found = {"eer_increase": 0.001, "eer_increase_low": -0.001, "eer_increase_high": 0.003, "speakers_needed": 90}
    maybe = {**row, **found, "status": "ok", "gate": "UNDECIDED", "throughput": 8.0, "latency_mean_ms": 0.5, "best": []}
    best.mark_best([row, maybe])
    assert maybe["best"] == []
    words = (
        "undecided: openvino-bf16 at batch size 4, 8.0 crops/s, EER +0.100 (-0.100 to +0.300) points: some 90 speakers "
        "would settle it."
    )
    for rows_of in ([row, good, maybe], [row, maybe]):
        assert best.recommendation(rows_of).endswith(f"; {words}")
    assert table.kind(maybe) == "undecided"
    maybe["faults"] = ["the EER's increase, +0.100 points (-0.100 to +0.300), may or may not be above 0.2; ..."]
    assert table.shortened(maybe)["faults"] == ["EER +0.100 (-0.100 to +0.300): 90 speakers would settle it"]
    assert table.shortened({**maybe, "speakers_needed": None})["faults"][0].endswith(": not to be settled")
    assert table.shortened({**maybe, "faults": [*maybe["faults"], "minimum cosine"]})["faults"][1] == "minimum cosine"
    assert table.shortened(good) is good
