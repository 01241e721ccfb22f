"""The workflow on a real Slurm of one node: every job asks for what it is given, and a killed one is made again."""

import re
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from slurm.private_slurm import PrivateSlurm, missing
from support.paths import REPO
from support.rule_files import LOCAL
from support.synthetic import make_project
from support.workflow import Workflow

from asv.files import read_json

ABSENT = missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(ABSENT is not None, reason=f"no private Slurm on this machine: {ABSENT}"),
]

CONFIG = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
batch_sizes: [4]
benchmark: {engines: [torchscript-f32, openvino-f32], seconds: 0.05, count: 2, runs: 2}
"""
MAIN = "results/eer_bs4.txt"
# Two cores to a "node" that claims more, so that only what is asked for keeps other jobs off; short waits.
QUICK = ("--cores", "2", "--latency-wait", "20", "--seconds-between-status-checks", "2", "--retries", "0")
QUICK_SLURM = (*QUICK, "--slurm-init-seconds-before-status-checks", "8")


@pytest.fixture(scope="module")
def slurm():
    folder = tempfile.mkdtemp(prefix="slurm-")  # not below pytest's folders, which are closed to munge
    with PrivateSlurm(folder) as started:
        yield started
    shutil.rmtree(folder)


class ClusterWorkflow(Workflow):
    """The workflow through a profile as shipped, but that TorchScript stands in for an engine on a device."""

    def __init__(self, folder, profile, slurm):
        super().__init__(folder)
        self.environment.update(slurm.environment)
        self.profile = folder / "profiles" / profile
        shutil.copytree(REPO / "profiles" / profile, self.profile)
        text = (self.profile / "config.yaml").read_text()
        assert "'torch_aie-'" in text
        (self.profile / "config.yaml").write_text(text.replace("'torch_aie-'", "'torchscript-'"))

    def command(self, *arguments):
        start = super().command()
        start = start[: start.index("--cores")]
        quick = QUICK_SLURM if self.profile.name == "slurm" else QUICK
        return [*start, *arguments, "--workflow-profile", str(self.profile), *quick]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A finished local run, at as many threads an engine as on the cluster: one."""
    workflow = make_project(Workflow(tmp_path_factory.mktemp("local")), CONFIG, speakers=5)
    workflow.run(MAIN)
    return workflow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, slurm):
    """A finished main job, then all benchmarks, through profiles/slurm."""
    workflow = make_project(ClusterWorkflow(tmp_path_factory.mktemp("cluster"), "slurm", slurm), CONFIG, speakers=5)
    workflow.output = workflow.run(MAIN) + workflow.run("all_benchmarks")
    workflow.records = slurm.jobs()
    return workflow


def started_jobs(output):
    """What Snakemake says of the jobs that it started: rule, whether it ran locally, threads, resources, Slurm's id."""
    found = []
    for run in output.split("Building DAG of jobs")[1:]:  # job numbers begin anew in each
        slurm_ids = dict(re.findall(r"Job (\d+) has been submitted with SLURM jobid (\d+)", run))
        for block in re.split(r"\n\s*\n|\n(?=\[)", run):
            if head := re.search(r"^(local)?rule (\w+):$", block, re.M):
                fields = dict(re.findall(r"^    (\w+): (.*)$", block, re.M))
                resources = dict(re.findall(r"(\w+)=([^,]+)", fields.get("resources", "")))
                job = {"rule": head[2], "local": bool(head[1]), "threads": int(fields.get("threads", 1)), **resources}
                found.append({**job, "slurm": slurm_ids.get(fields["jobid"])})
    return [job for job in found if not job["rule"].startswith("all")]


def span(record):
    return record["StartTime"], record["EndTime"]  # ISO 8601 sorts as text


def test_every_job_that_is_not_local_ran_in_slurm_with_what_it_asked_for(cluster):
    jobs = started_jobs(cluster.output)
    assert {job["rule"] for job in jobs if job["local"]} <= LOCAL
    assert not {job["rule"] for job in jobs if not job["local"]} & LOCAL
    sent = [job for job in jobs if not job["local"]]
    assert len({job["slurm"] for job in sent}) == len(sent) == len(cluster.records) > 15
    for job in sent:
        record = cluster.records[job["slurm"]]
        assert record["JobState"] == "COMPLETED", job
        assert record["Comment"].startswith(f"rule_{job['rule']}")
        assert record["CPUs/Task"] == str(job["threads"]), job
        assert record["MinMemoryNode"] == f"{job['mem_mb']}M", job
        hours, minutes = divmod(int(job["runtime"]), 60)
        assert record["TimeLimit"] == f"{hours:02}:{minutes:02}:00", job
        assert ("TresPerNode" in record) == ("gres" in job), job
        assert (record["OverSubscribe"] == "NO") == ("slurm_extra" in job), job


def test_the_profiles_requests_reach_the_jobs(cluster):
    """Those of the profile's text, so that a fault in how they are read is seen."""
    profile = yaml.safe_load((REPO / "profiles/slurm/config.yaml").read_text())
    wanted = {rule: resources.get("mem_mb") for rule, resources in profile["set-resources"].items()}
    for job in started_jobs(cluster.output):
        text = wanted.get(job["rule"]) or profile["default-resources"]["mem_mb"]
        assert int(job["mem_mb"]) == int(text.removesuffix(" * attempt")), job


def test_devices_are_asked_for_by_their_engines_only_and_never_shared(cluster):
    device = [record for record in cluster.records.values() if "TresPerNode" in record]
    assert {record["TresPerNode"] for record in device} == {"gres:npu:1"}
    assert all("torchscript-f32" in record["Comment"] for record in device)
    rules = {record["Comment"].split("_wildcards_")[0] for record in device}
    assert rules == {"rule_compile_engine", "rule_infer", "rule_benchmark_engine"}
    others = [record for record in cluster.records.values() if "openvino" in record["Comment"]]
    assert others
    assert not any("TresPerNode" in record for record in others)
    spans = sorted(map(span, device))
    assert len(spans) >= 4
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:])), spans


def test_measurements_have_the_node_to_themselves_and_the_threads_that_they_asked_for(cluster):
    measured = [
        r for r in cluster.records.values() if re.match(r"rule_(benchmark_engine|measure_machine)", r["Comment"])
    ]
    assert len(measured) == 3
    for record in measured:
        start, end = span(record)
        for other in cluster.records.values():
            other_start, other_end = span(other)
            assert other is record or other_end <= start or other_start >= end, (record["Comment"], other["Comment"])
        assert record["CPUs/Task"] == "2"
    threads = [read_json(path)["threads"] for path in (cluster.folder / "work/benchmarks").rglob("*.json")]
    assert threads == [2, 2, 2]
    inference = [read_json(path)["threads"] for path in (cluster.folder / "work/embeddings").rglob("*-of-?.json")]
    assert set(inference) == {1}


def assert_same_results(workflow, local):
    patterns = ("work/features/*/*/features.npy", "work/embeddings/openvino-f32/bs4/*.npy")
    paths = [path.relative_to(local.folder) for pattern in patterns for path in local.folder.glob(pattern)]
    assert len(paths) == 4
    for path in paths:
        np.testing.assert_array_equal(np.load(workflow.folder / path), np.load(local.folder / path), str(path))
    scores = "results/openvino-f32/scores_bs4/trials.tsv"
    assert (workflow.folder / scores).read_bytes() == (local.folder / scores).read_bytes()
    protocols = [read_json(w.folder / "results/eer_bs4.json")["protocols"] for w in (workflow, local)]
    assert protocols[0] == protocols[1]


def test_results_equal_those_of_a_local_run(cluster, local):
    assert_same_results(cluster, local)


def test_a_second_call_submits_nothing(cluster, slurm):
    before = len(slurm.jobs())
    assert "Nothing to be done" in cluster.run(MAIN, "all_benchmarks")
    assert len(slurm.jobs()) == before


def test_through_cluster_generic(tmp_path, slurm, local):
    before = slurm.jobs()
    workflow = make_project(ClusterWorkflow(tmp_path, "cluster-generic", slurm), CONFIG, speakers=5)
    jobs = started_jobs(workflow.run(MAIN, "results/torchscript-f32/eer_bs4.txt"))
    records = [record for number, record in slurm.jobs().items() if number not in before]
    sent = [job for job in jobs if not job["local"]]
    assert sorted(record["JobName"] for record in records) == sorted(job["rule"] for job in sent)
    assert {job["rule"] for job in jobs if job["local"]} <= LOCAL
    asked = sorted((job["rule"], str(job["threads"]), f"{job['mem_mb']}M") for job in sent)
    assert sorted((r["JobName"], r["CPUs/Task"], r["MinMemoryNode"]) for r in records) == asked
    assert {record["JobState"] for record in records} == {"COMPLETED"}
    device = [record["JobName"] for record in records if "TresPerNode" in record]
    assert sorted(device) == ["compile_engine", "infer", "infer"]
    assert len(list((tmp_path / "logs/cluster").glob("*.log"))) == len(records)
    assert_same_results(workflow, local)


def kill_when_running(slurm, rule, before):
    """scancel the rule's job as soon as it runs; returns its id."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for number, record in slurm.jobs().items():
            if number not in before and f"rule_{rule}" in record["Comment"] and record["JobState"] == "RUNNING":
                slurm.command("scancel", number)
                return number
        time.sleep(0.2)
    raise AssertionError(f"no job of {rule} ran within two minutes")


def test_a_killed_job_is_reported_and_made_by_the_next_run(tmp_path, slurm, local):
    """One is cancelled, one takes too long, some take too much memory; the rest of the work is done all the same."""
    before = slurm.jobs()
    workflow = make_project(ClusterWorkflow(tmp_path, "slurm", slurm), CONFIG, speakers=5)
    benchmark = "work/benchmarks/openvino-f32/bs4.json"
    starved = ("infer:mem_mb=110", "benchmark_engine:runtime=1")  # in place of all of the profile's
    workflow.configure(CONFIG.replace("seconds: 0.05", "seconds: 100"))
    process = workflow.start(MAIN, benchmark, "work/benchmarks/machine.json", "--set-resources", *starved)
    cancelled = kill_when_running(slurm, "measure_machine", before)
    output, _ = process.communicate(timeout=600)
    assert process.returncode != 0
    records = {}
    for number, record in slurm.jobs().items():
        if number not in before:
            records.setdefault(record["Comment"].split("_wildcards_")[0], []).append(record)
    states = {rule.removeprefix("rule_"): [record["JobState"] for record in found] for rule, found in records.items()}
    assert [record["JobId"] for record in records["rule_measure_machine"]] == [cancelled]
    assert states["measure_machine"] == ["CANCELLED"]
    assert states["benchmark_engine"] == ["TIMEOUT"]
    assert states["extract_features"] == ["COMPLETED", "COMPLETED"]
    assert len(states["infer"]) == 2
    for record in records["rule_infer"]:
        assert record["JobState"] in ("FAILED", "OUT_OF_MEMORY")  # the word depends on Slurm's version
        assert "exceeded memory limit" in Path(record["StdOut"]).read_text()
    for rule in ("measure_machine", "benchmark_engine", "infer"):
        assert f"Error in rule {rule}:" in output
    assert "4 failed, to be made by the same command once more:" in output
    workflow.configure(CONFIG)
    again = workflow.run(MAIN, benchmark, "work/benchmarks/machine.json")
    assert {job["rule"] for job in started_jobs(again) if not job["local"]} == {
        "measure_machine",
        "benchmark_engine",
        "infer",
        "score",
    }
    assert_same_results(workflow, local)
