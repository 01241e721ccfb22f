"""`snakemake accuracy_by_length` for real: equal to separate runs, nothing more than is stale, nothing unasked."""

from collections import Counter

import pytest
import torch
from support.scripts import assert_one_error, run_script
from support.synthetic import make_project, write_trials, write_voice
from support.workflow import Workflow

from asv import files

CONFIG = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
engine: torchscript
batch_sizes: [1]
shards: 2
scoring: {bootstrap: {replicates: 50}}
accuracy_by_length: {frames: [60, 120], crops: [1, 2]}
"""
OWN = {"compile_length", "infer_length", "gather_embeddings", "tabulate_lengths", "plot_lengths", "accuracy_by_length"}
TABLE = {"accuracy_by_length": 1, "plot_lengths": 1, "tabulate_lengths": 1}


def rules(jobs):
    return Counter(job.split()[0] for job in jobs)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose table is made; both shards have speakers."""
    project = make_project(Workflow(tmp_path_factory.mktemp("lengths")), CONFIG, speakers=6)
    ran = rules(project.jobs("accuracy_by_length"))
    cells = {"extract_features": 12, "infer_length": 10, "gather_embeddings": 5, "compile_length": 3}
    # Features of the answers, 200 frames, are looked at for their fit to the network.
    assert ran == {**cells, **TABLE, "unzip_checkpoint": 1, "trace_network": 1, "check_features": 1}
    return project


def row_of(project):
    return {row["setting"]: row for row in files.read_json(project.folder / "results/accuracy_by_length.json")["rows"]}


@pytest.mark.slow
def test_the_results_are_there(project):
    assert list(row_of(project)) == ["whole", "60x1", "60x2", "120x1", "120x2"]
    results = {path.name for path in (project.folder / "results").iterdir()}
    assert {f"accuracy_by_length.{suffix}" for suffix in ("tsv", "md", "json", "svg", "png")} <= results


@pytest.mark.slow
def test_nothing_is_left_to_do(project):
    assert "Nothing to be done" in project.run("accuracy_by_length")


@pytest.mark.parametrize(("setting", "features"), [("120x2", "{frames: 120, crops: 2}"), ("whole", "{frames: whole}")])
@pytest.mark.slow
def test_numbers_are_those_of_a_run_of_its_own(project, workflow, setting, features):
    make_project(workflow, f"{CONFIG}\nfeatures: {features}\n", speakers=6)
    workflow.run("results/eer_bs1.txt")
    answer = files.read_json(workflow.folder / "results/eer_bs1.json")
    assert row_of(project)[setting]["eer"] == answer["protocols"]["trials"]["eer"]
    assert row_of(project)[setting]["min_dcf"] == answer["protocols"]["trials"]["min_dcf"]["0.01"]
    (key,) = [path.name for path in (workflow.folder / "work/features").iterdir()]
    ours = project.folder / "work/lengths" / key / "torchscript-f32"
    for path in (workflow.folder / "work/embeddings/torchscript-f32/bs1").glob("*.npy"):
        assert (ours / path.name).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_another_frame_count_makes_only_its_own_settings(project):
    words = ("--config", "accuracy_by_length={frames: [60, 120, 150], crops: [1, 2]}")
    new = {"extract_features": 4, "infer_length": 4, "gather_embeddings": 2, "compile_length": 1}
    assert rules(project.jobs("accuracy_by_length", *words)) == {**new, **TABLE}
    assert rules(project.jobs("accuracy_by_length")) == TABLE


@pytest.mark.slow
def test_an_ordinary_run_has_nothing_of_it(project):
    for target in ("results/eer_bs1.txt", "all_benchmarks"):
        jobs = rules(project.jobs(target, "--config", "benchmark={engines: [torchscript-f32]}", dry=True))
        assert not OWN & set(jobs)
        assert "extract_features" not in jobs  # the table has looked at them, too


@pytest.mark.slow
def test_short_utterances_are_dropped_from_all_settings(workflow):
    config = CONFIG.replace("crops: [1, 2]", "crops: [1]") + "features: {short: reject}\n"
    make_project(workflow, config, speakers=6)
    write_voice(workflow.folder / "wavs/id1/s0/00000.wav", pitch=130, seconds=1.1)
    write_voice(workflow.folder / "wavs/id2/s0/short.wav", pitch=170, seconds=0.5)
    names = sorted(path.relative_to(workflow.folder / "wavs").as_posix() for path in workflow.folder.rglob("*.wav"))
    write_trials(workflow.folder / "trials.txt", names)
    workflow.run("accuracy_by_length")
    table = files.read_json(workflow.folder / "results/accuracy_by_length.json")
    assert table["utterances"] == {"found": 25, "compared": 23, "dropped": 2, "rejected": 0}
    assert [(row["setting"], row["rejected"]) for row in table["rows"]] == [("whole", 0), ("60x1", 1), ("120x1", 2)]
    counts = table["trials"]
    assert counts["dropped"] > 0 == counts["skipped"]
    assert counts["listed"] == counts["scored"] + counts["dropped"]


@pytest.mark.slow
def test_crops_that_cannot_be_had(project):
    words = ("--config", "features={placement: start}", "accuracy_by_length={crops: [2]}")
    output = project.run("accuracy_by_length", "--dry-run", *words, fails=True)
    assert "accuracy_by_length.crops: has no 1, and features.placement: start takes one crop" in output
    project.run("results/eer_bs1.txt", "--dry-run", *words)


def test_a_network_of_fixed_frames(tmp_path):
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Linear(80 * 20, 4)

        def forward(self, features):
            return self.last(features.reshape(features.shape[0], 80 * 20))

    torch.jit.trace(Fixed(), torch.zeros(1, 80, 20)).save(str(tmp_path / "fixed.pt"))
    words = ["--network", tmp_path / "fixed.pt", "--engine", "torchscript-f32", "--batch-size", "1"]
    code, stderr = run_script("compile_engine.py", *words, "--shape", 80, 20, "--output", tmp_path / "right")
    assert code == 0, stderr
    for frames in (30, "whole"):
        outcome = run_script("compile_engine.py", *words, "--shape", 80, frames, "--output", tmp_path / "wrong")
        assert_one_error(outcome, "features.frames, accuracy_by_length.frames: the network cannot run")
    assert not (tmp_path / "wrong").exists()
