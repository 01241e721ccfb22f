"""The whole chain, run by Snakemake for real: results, independence, restarts, faults."""

import hashlib
import json
import re
import shutil
import signal
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest
from support.synthetic import CONFIG, make_project
from support.workflow import Workflow, digests, features_of

from asv.features.contract import Contract
from asv.network.families import modelzoo

CENTROIDS = {"centroid", "centroid_leave_one_out"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A finished run that other runs are compared with."""
    workflow = make_project(Workflow(tmp_path_factory.mktemp("reference")))
    workflow.run("results/eer_bs4.txt")
    return workflow


def embeddings_by_name(folder, pattern="openvino-f32/bs4", **settings):
    found = {}
    for path in (folder / "work/embeddings" / pattern).glob("*.npy"):
        manifest = (folder / features_of(path.stem, **settings) / "manifest.tsv").read_text().splitlines()[1:]
        found.update(zip((line.split("\t")[0] for line in manifest), np.load(path), strict=True))
    return found


def brute_force_eer(scores, targets):
    """EER by counting at every threshold, then along the segment that crosses the diagonal."""
    scores, targets = np.array(scores), np.array(targets, bool)
    points = [(0.0, 1.0)]
    for threshold in np.unique(scores)[::-1]:
        accepted = scores >= threshold
        points.append((np.mean(accepted[~targets]), np.mean(~accepted[targets])))
    for (f0, m0), (f1, m1) in zip(points, points[1:]):
        if m1 <= f1:
            return f0 + (m0 - f0) / ((m0 - f0) - (m1 - f1)) * (f1 - f0)
    raise AssertionError("the curve ends at (1, 0)")


@pytest.mark.slow
def test_real_speech_with_the_demo_checkpoint(workflow, speech):
    workflow.configure(f"dataset: {{root: {speech}/fsdd16k, trials: [{speech}/trials.txt]}}")
    workflow.run()
    result = json.loads((workflow.folder / "results/eer_bs4.json").read_text())
    rows = (workflow.folder / "results/openvino-f32/scores_bs4/trials.tsv").read_text().splitlines()[1:]
    listed = [line.split() for line in (speech / "trials.txt").read_text().splitlines()]
    rows = [row.split("\t") for row in rows]
    assert [[target, a, b] for a, b, target, _ in rows] == listed
    protocol = result["protocols"]["trials"]
    eer = brute_force_eer([float(row[3]) for row in rows], [row[2] == "1" for row in rows])
    assert protocol["eer"] == pytest.approx(eer, abs=1e-9)
    assert (protocol["targets"], protocol["nontargets"]) == (864, 864)
    assert protocol["md5"] == hashlib.md5((speech / "trials.txt").read_bytes()).hexdigest()
    assert result["utterances"] | {"reasons": {}} == result["utterances"]
    assert [result["utterances"][key] for key in ("found", "used", "rejected")] == [144, 144, 0]
    assert set(result["protocols"]) == {"trials", *CENTROIDS}
    assert result["protocols"]["centroid"]["md5"] is None
    text = (workflow.folder / "results/eer_bs4.txt").read_text()
    assert re.match(rf"EER {100 * eer:.3f} %   trials, 1,728 trials   \[DEMO checkpoint", text)
    # Scores come from the embeddings: recompute them from the stored ones.
    embeddings = embeddings_by_name(workflow.folder)
    for a, b, _, score in rows[:50]:
        x, y = np.float64(embeddings[a]), np.float64(embeddings[b])
        assert float(score) == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), abs=1e-12)


@pytest.mark.slow
def test_two_runs_from_scratch_are_identical(reference, tmp_path):
    other = make_project(Workflow(tmp_path / "other"))
    other.run("results/eer_bs4.txt")
    found, wanted = digests(other.folder), digests(reference.folder)
    assert len(wanted) > 12
    assert found == wanted


@pytest.mark.slow
def test_shards_and_batch_sizes_do_not_matter(reference, tmp_path):
    other = make_project(Workflow(tmp_path / "other"), CONFIG + "shards: 3\n")
    other.run("results/eer_bs4.txt", "results/eer_bs7.txt")
    wanted = embeddings_by_name(reference.folder)
    assert len(wanted) == 16
    for batch in ("bs4", "bs7"):
        found = embeddings_by_name(other.folder, f"openvino-f32/{batch}")
        assert found.keys() == wanted.keys()
        assert max(np.abs(found[name] - wanted[name]).max() for name in wanted) < 1e-5
    for name in ("trials", "centroid"):
        results = [json.loads((w.folder / "results/eer_bs4.json").read_text()) for w in (reference, other)]
        a, b = (result["protocols"][name] for result in results)
        assert a["eer"] == pytest.approx(b["eer"], abs=1e-9)


def kill(process):
    """SIGKILL to Snakemake and everything that it started, none of which can clean up."""
    parent = psutil.Process(process.pid)
    parent.suspend()  # lest it tidies up after a child, or starts another one
    family = [*parent.children(recursive=True), parent]
    for member in family:
        with suppress(psutil.NoSuchProcess):  # a job's short-lived helper
            member.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(family, timeout=10)


# A file of each stage, at whose writing everything is killed.
STAGES = {
    "extract_features": f"{features_of('0-of-2')}/features.npy",
    "merge_manifests": "results/rejected.tsv",
    "unzip_checkpoint": "work/checkpoint/checkpoint.pt",
    "trace_network": "work/network/network.json",
    "compile_engine": "work/engines/openvino-f32/bs4",
    "infer": "work/embeddings/openvino-f32/bs4/0-of-2.npy",
    "score": "work/protocols/openvino-f32/bs4.json",
    "write_answer": "results/openvino-f32/eer_bs4.txt",
    "copy_answer": "results/eer_bs4.txt",
}
# Loaded by every Python of a run: the file that HELD names is written, but never takes its place.
HOLD = """
import os, time
replace = os.replace
def hold(source, target, **options):
    while os.path.abspath(target) == os.environ.get("HELD"):
        time.sleep(1)
    replace(source, target, **options)
os.replace = hold
"""


def half_written(path):
    """Temporary files that an output is, or was, written to."""
    return list(path.parent.glob(f".{path.name}.*-*.tmp"))


def await_half_written(process, path):
    """Wait until a run writes an output."""
    end = time.monotonic() + 120
    while not half_written(path):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, f"{path} was not begun within two minutes"
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_in_every_stage_and_started_again(reference, tmp_path):
    other = make_project(Workflow(tmp_path / "other"))
    (tmp_path / "hold").mkdir()
    (tmp_path / "hold" / "sitecustomize.py").write_text(HOLD)
    for rule, target in STAGES.items():
        path = other.folder / target
        other.environment |= {"PYTHONPATH": str(tmp_path / "hold"), "HELD": str(path)}
        process = other.start(target, "--cores", "1")
        await_half_written(process, path)
        kill(process)
        assert process.returncode == -signal.SIGKILL, rule  # it had not ended
        assert half_written(path), rule
        assert not path.exists(), rule
    del other.environment["HELD"]
    ran = other.jobs("results/eer_bs4.txt")
    assert ran == ["copy_answer bs4"]  # whatever was finished is kept
    assert digests(other.folder) == digests(reference.folder)
    assert not list(other.folder.rglob(".*.tmp"))


def test_an_artefact_says_which_features_its_network_wants(reference):
    record = json.loads((reference.folder / "work/engines/openvino-f32/bs4/artefact.json").read_text())
    assert Contract.from_mapping(record["contract"], "artefact.json") == modelzoo.CONTRACT


def test_a_result_may_be_asked_for_at_any_batch_size(reference):
    assert "compile_engine bs5" in reference.jobs("results/torchscript-f32/eer_bs5.txt", dry=True)
    assert "extract_features 0-of-2" in reference.jobs(
        "results/eer_bs4.txt", "--config", "features={crops: 3, keep: false}", dry=True
    )
    output = reference.run("results/eer_bs0.txt", fails=True)
    assert "eer_bs0.txt" in output


@pytest.mark.slow
def test_no_trial_list(tmp_path):
    workflow = make_project(Workflow(tmp_path), "dataset: {root: wavs}\ncheckpoint: {archive: checkpoint.zip}\n")
    workflow.run()
    first = (tmp_path / "results/eer_bs4.txt").read_text().splitlines()[0]
    assert re.match(
        r"EER [\d.]+ %   centroids, leave-one-out \(no trial list was given or found\), [\d,]+ scores", first
    )
    assert set(json.loads((tmp_path / "results/eer_bs4.json").read_text())["protocols"]) == CENTROIDS


@pytest.mark.slow
def test_known_lists_are_found(tmp_path):
    workflow = make_project(Workflow(tmp_path), "dataset: {root: wavs}\ncheckpoint: {archive: checkpoint.zip}\n")
    shutil.move(tmp_path / "trials.txt", tmp_path / "wavs" / "veri_test2.txt")
    workflow.run()
    assert set(json.loads((tmp_path / "results/eer_bs4.json").read_text())["protocols"]) == {"veri_test2", *CENTROIDS}
    for none in ("[]", "null"):  # given from the command line, and not to be looked for
        workflow.run("results/eer_bs4.txt", "--config", f"dataset={{trials: {none}}}")
        assert set(json.loads((tmp_path / "results/eer_bs4.json").read_text())["protocols"]) == CENTROIDS


@pytest.mark.slow
def test_bad_audio_is_counted_or_ends_the_run(tmp_path):
    workflow = make_project(Workflow(tmp_path), "dataset: {root: wavs}\ncheckpoint: {archive: checkpoint.zip}\n")
    for name in ("id0/s0/broken.wav", "id1/s1/text.wav"):
        (tmp_path / "wavs" / name).write_text("not audio")
    output = workflow.run("results/eer_bs4.txt", "--config", "dataset={on_bad_audio: fail}", fails=True)
    assert "2 files cannot be used, and dataset.on_bad_audio is fail" in output  # the end of the failed job's log
    assert "id0/s0/broken.wav: unreadable" in output
    assert "id1/s1/text.wav: unreadable" in output
    assert not (tmp_path / "results/eer_bs4.txt").exists()
    ran = workflow.jobs("results/eer_bs4.txt")
    assert "extract_features 0-of-2" not in ran
    utterances = json.loads((tmp_path / "results/eer_bs4.json").read_text())["utterances"]
    assert [utterances[key] for key in ("found", "used", "rejected")] == [18, 16, 2]
    assert utterances["reasons"] == {"unreadable": 2}
    assert len((tmp_path / "results/rejected.tsv").read_text().splitlines()) == 3
    assert len((tmp_path / "results/utterances.tsv").read_text().splitlines()) == 17


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["engin=openvino"], "engin: unknown setting; did you mean engine?"),
        (["batch_sizes=[0]"], "batch_sizes.0"),
        (["engine=tensorrt"], "unknown engine 'tensorrt'; there are ascend_om, mindietorch, onnxruntime,"),
        (["dataset={root: nowhere}"], "dataset.root: no folder 'nowhere'"),
        (["dataset={trials: [absent.txt]}"], "dataset.trials: no file 'absent.txt'"),
        (["dataset={trials: [trials.txt, wavs/../trials.txt]}"], "'trials' is also the name of another list"),
        (["scoring={as_norm: {cohort: absent.txt}}"], "scoring.as_norm.cohort: no file 'absent.txt'"),
        (["checkpoint={archive: absent.zip}"], "checkpoint.archive: no file or folder 'absent.zip'"),
    ],
)
def test_faults_are_told_before_any_work(reference, arguments, message):
    output = reference.run("--config", *arguments, fails=True)
    assert message in output
    assert "Traceback" not in output
    assert "rule " not in output


def test_every_job_has_a_log_of_its_own(reference):
    targets = ("results/eer_bs4.txt", "all_benchmarks", "results/openvino-f32/bin_bs4/output_bs4", "npu_doctor")
    output = reference.run(*targets, "--forceall", "--dry-run")
    jobs, logs = [], []
    for block in re.split(r"\n\s*\n|\n(?=\[)", output):
        if match := re.search(r"^\s*(?:local)?rule (\w+):", block, re.M):
            jobs.append(match[1])
            logs += re.findall(r"^\s*log: logs/(\w+)(\S*\.log)", block, re.M)
    with_output = [job for job in jobs if not job.startswith("all")]
    assert [rule for rule, _ in logs] == with_output
    assert len(set(logs)) == len(logs) > len(set(with_output)) > 15
    logs = {path.relative_to(reference.folder / "logs").parts[0] for path in reference.folder.glob("logs/**/*.log")}
    assert {"extract_features", "trace_network.log", "compile_engine", "infer", "score"} <= logs
    log = reference.folder / features_of("0-of-2").replace("work/features", "logs/extract_features")
    assert "\r" not in log.with_suffix(".log").read_text()  # no progress bars
