"""A change rebuilds the stale stages and nothing else: Snakemake is run for real, and the jobs that ran are compared.

The tests share one tree, which each of them changes, runs and leaves up to date: what one of them left stale would be
among the jobs of the next.
"""

import hashlib
import os
import shutil
import time

import pytest
import torch
from support.families import state_of
from support.paths import REPO
from support.synthetic import make_project, write_checkpoint, write_voice
from support.workflow import Workflow

from asv.dataset.shards import shard_of
from asv.network.family_interface import Facts

CONFIG = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
batch_sizes: [1, 4]
shards: 3
"""
TARGETS = ("results/eer_bs4.txt",)


class Project(Workflow):
    """A workflow with a copy of the code, so that code can be changed."""

    def __init__(self, folder):
        super().__init__(folder)
        self.code = folder / "code"
        ignored = shutil.ignore_patterns("__pycache__", ".*", "work", "results", "logs", "tests")
        shutil.copytree(REPO, self.code, ignore=ignored)

    def command(self, *arguments):
        python, *words = super().command(*arguments)  # a virtual environment may be in the repository
        return [python, *(word.replace(str(REPO), str(self.code)) for word in words)]

    def age(self, path):
        """Give a file a later modification time than any before (times count in whole seconds)."""
        time.sleep(1.1)  # not a time to come: Snakemake refuses an output that is older than its input
        os.utime(self.folder / path)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = make_project(Project(tmp_path_factory.mktemp("project")), CONFIG, speakers=6)
    ran = project.jobs(*TARGETS)
    shards = sorted({shard_of(f"id{speaker}", 3) for speaker in range(6)})
    assert shards == [0, 1, 2], "the speakers of this test must fill all shards"
    assert ran == sorted(
        [
            "unzip_checkpoint",
            "trace_network",
            "check_features",
            "convert_network",
            "compile_engine bs4",
            "merge_manifests",
            "score bs4",
            "write_answer bs4",
            "copy_answer bs4",
        ]
        + [f"{rule}{shard}-of-3" for rule in ("extract_features ", "infer bs4 ") for shard in shards]
    )
    return project


def after_a_wav(speaker):
    """What follows from a change in one speaker's wavs."""
    shard = f"{shard_of(speaker, 3)}-of-3"
    return sorted(
        [
            f"extract_features {shard}",
            f"infer bs4 {shard}",
            "check_features",
            "merge_manifests",
            "score bs4",
            "write_answer bs4",
            "copy_answer bs4",
        ]
    )


ANSWER = ["copy_answer bs4", "write_answer bs4"]
SCORING = sorted([*ANSWER, "score bs4"])
FROM_INFERENCE = sorted(
    [f"infer bs4 {shard}-of-3" for shard in range(3)] + ["score bs4", "write_answer bs4", "copy_answer bs4"]
)
FROM_COMPILE = sorted([*FROM_INFERENCE, "compile_engine bs4"])
FROM_CONVERSION = sorted([*FROM_COMPILE, "convert_network"])
FROM_TRACE = sorted([*FROM_CONVERSION, "trace_network", "check_features"])
FEATURES = [f"extract_features {shard}-of-3" for shard in range(3)]
FROM_MANIFESTS = sorted([*FROM_INFERENCE, "check_features", "merge_manifests"])
FROM_FEATURES = sorted([*FROM_MANIFESTS, *FEATURES])


def test_a_touched_wav(project):
    project.age("wavs/id1/s0/00000.wav")
    assert project.jobs(*TARGETS) == after_a_wav("id1")


@pytest.mark.slow
def test_a_replaced_wav(project):
    before = (project.folder / "results/openvino-f32/scores_bs4/trials.tsv").read_bytes()
    write_voice(project.folder / "wavs/id2/s0/00000.wav", pitch=300, seed=99)
    project.age("wavs/id2/s0/00000.wav")
    assert project.jobs(*TARGETS) == after_a_wav("id2")
    assert (project.folder / "results/openvino-f32/scores_bs4/trials.tsv").read_bytes() != before


@pytest.mark.slow
def test_a_new_speaker(project):
    write_voice(project.folder / "wavs/id77/s0/00000.wav", pitch=200)
    assert project.jobs(*TARGETS) == after_a_wav("id77")


@pytest.mark.slow
def test_a_deleted_utterance(project):
    (project.folder / "wavs/id77/s0/00000.wav").unlink()
    write_voice(project.folder / "wavs/id77/s1/00000.wav", pitch=200)
    assert project.jobs(*TARGETS) == after_a_wav("id77")
    shutil.rmtree(project.folder / "wavs/id77")
    assert project.jobs(*TARGETS) == after_a_wav("id77")


def test_a_wav_of_equal_length_replaced_and_the_run_stopped_half_way(project):
    path = project.folder / "wavs/id3/s0/00000.wav"
    size = path.stat().st_size
    write_voice(path, pitch=310, seed=98)
    assert path.stat().st_size == size
    project.age(path)
    shard = f"{shard_of('id3', 3)}-of-3"
    (features,) = project.folder.glob(f"work/features/*/{shard}/features.npy")
    stopped = project.jobs(str(features.relative_to(project.folder)))
    assert stopped == [f"extract_features {shard}"]
    assert project.jobs(*TARGETS) == sorted([*SCORING, f"infer bs4 {shard}", "check_features", "merge_manifests"])


def test_another_checkpoint(project):
    write_checkpoint(project.folder / "checkpoint.zip", seed=1)
    project.age("checkpoint.zip")
    assert project.jobs(*TARGETS) == sorted([*FROM_TRACE, "unzip_checkpoint"])


@pytest.mark.slow
def test_an_archive_that_is_replaced_by_an_older_one(project):
    write_checkpoint(project.folder / "checkpoint.zip", seed=2)
    os.utime(project.folder / "checkpoint.zip", (1e9, 1e9))
    assert project.jobs(*TARGETS) == sorted([*FROM_TRACE, "unzip_checkpoint"])


@pytest.mark.slow
def test_another_batch_size(project):
    shards = [f"infer bs7 {shard}-of-3" for shard in range(3)]
    assert project.jobs("results/eer_bs7.txt") == sorted(
        ["compile_engine bs7", *shards, "score bs7", "write_answer bs7", "copy_answer bs7"]
    )
    assert project.jobs(*TARGETS, "--forcerun", "write_answer") == ANSWER
    assert (project.folder / "results/eer_bs7.txt").exists()  # of the same settings

    project.configure(CONFIG + "scoring: {bootstrap: {seed: 1}}\n")
    assert "results/eer_bs7.* is of other settings" in project.run(*TARGETS)
    left = {str(path.relative_to(project.folder)) for path in project.folder.rglob("eer_bs7.json")}
    assert left == {"results/outdated/eer_bs7.json", "results/outdated/openvino-f32/eer_bs7.json"}
    project.configure(CONFIG)


@pytest.mark.slow
def test_another_engine_option(project):
    project.configure(CONFIG + "engines: {openvino: {options: {ENABLE_CPU_PINNING: false}}}\n")
    assert project.jobs(*TARGETS) == FROM_COMPILE
    project.configure(CONFIG)
    assert project.jobs(*TARGETS) == FROM_COMPILE


@pytest.mark.slow
def test_another_engine(project):
    project.configure(CONFIG + "engine: torchscript\n")
    assert project.jobs(*TARGETS) == FROM_COMPILE
    project.configure(CONFIG)
    assert project.jobs(*TARGETS) == ["copy_answer bs4"]


def test_another_trial_list(project):
    lines = (project.folder / "trials.txt").read_text().splitlines(keepends=True)
    (project.folder / "trials.txt").write_text("".join(lines[:-3]))
    project.age("trials.txt")
    assert project.jobs(*TARGETS) == SCORING


@pytest.mark.slow
def test_another_setting_of_scoring(project):
    (project.folder / "cohort.txt").touch()
    for setting in (
        "bootstrap: {replicates: 0}",
        "bootstrap: {seed: 1}",
        "subtract_mean: dataset",
        "as_norm: {cohort: cohort.txt}",
        "centroid: {enabled: false}",
        "on_missing_trial: skip",
    ):
        project.configure(CONFIG + f"scoring: {{{setting}}}\n")
        assert project.jobs(*TARGETS, dry=True) == SCORING, setting
    project.configure(CONFIG)


@pytest.mark.slow
def test_another_cohort(project):
    (project.folder / "cohort.txt").write_text("id3/s0/00000.wav\nid4/s0/00000.wav\n")
    project.configure(CONFIG + "scoring: {as_norm: {cohort: cohort.txt}}\n")
    project.jobs(*TARGETS)
    with (project.folder / "cohort.txt").open("a") as stream:
        stream.write("id5/s0/00000.wav\n")
    project.age("cohort.txt")
    assert project.jobs(*TARGETS) == SCORING
    project.configure(CONFIG)
    assert project.jobs(*TARGETS) == SCORING


@pytest.mark.slow
def test_another_mel_parameter(project):
    project.configure(CONFIG + "features: {f_max: 7600}\n")
    assert project.jobs(*TARGETS) == FROM_FEATURES
    assert "OVERRIDDEN: f_max 7600 (key" in (project.folder / "results/eer_bs4.txt").read_text()
    project.configure(CONFIG)
    assert project.jobs(*TARGETS) == FROM_MANIFESTS, "the former features are still there"


def features_of(project):
    """Digests of all features, by the keys that they lie under."""
    found = {}
    for path in sorted(project.folder.glob("work/features/*/*/features.npy")):
        found.setdefault(path.parts[-3], []).append(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


@pytest.mark.slow
def test_another_family_and_back(project):
    facts = Facts(16, 80, 40, 12, 20, True, 56, False, 5)
    torch.save(state_of("wespeaker", facts), project.folder / "wespeaker.pt")
    project.configure(CONFIG.replace("checkpoint.zip", "wespeaker.pt") + "network: {family: wespeaker}\n")
    before = features_of(project)
    assert project.jobs(*TARGETS) == sorted({*FROM_FEATURES, *FROM_TRACE, "unzip_checkpoint"})
    after = features_of(project)
    (own,) = set(after) - set(before)
    assert {key: after[key] for key in before} == before, "the former features are kept"
    assert "by the contract of wespeaker (key 01a69215)" in (project.folder / "results/eer_bs4.txt").read_text()

    torch.save(state_of("wespeaker", facts, seed=1), project.folder / "wespeaker.pt")
    project.age("wespeaker.pt")
    assert project.jobs(*TARGETS) == sorted([*FROM_TRACE, "unzip_checkpoint"]), "another checkpoint of the family"

    module = project.code / "workflow_scripts/asv/network/families/wespeaker.py"
    text = module.read_text()
    module.write_text(text + "\nCHANGED = 1\n")
    assert project.jobs(*TARGETS) == FROM_TRACE, "the family's module, but not its contract"
    assert features_of(project) == after

    assert "f_min=20.0" in text
    module.write_text(text.replace("f_min=20.0", "f_min=30.0"))
    assert project.jobs(*TARGETS) == sorted({*FROM_FEATURES, *FROM_TRACE}), "a value of the contract"
    assert features_of(project)[own] == after[own]
    module.write_text(text)

    project.configure(CONFIG)
    assert project.jobs(*TARGETS) == sorted({*FROM_MANIFESTS, *FROM_TRACE, "unzip_checkpoint"}), "no features"
    assert project.jobs(*TARGETS) == []


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("extract_features.py", FROM_FEATURES),
        ("asv/features/crops.py", FROM_FEATURES),
        ("asv/engines/openvino.py", FROM_COMPILE),
        ("asv/network/openvino_model.py", FROM_CONVERSION),
        ("asv/engines/torchscript.py", FROM_TRACE),  # the reference, whose outputs an artefact is compared with
        ("asv/engines/mindietorch.py", []),  # another engine's
        ("asv/inference/embed.py", FROM_INFERENCE),
        ("asv/scoring/metrics.py", SCORING),
        ("asv/scoring/bootstrap.py", SCORING),
        ("asv/scoring/notes.py", ANSWER),
        ("asv/demo/espeak.py", []),  # the demo's
    ],
)
def test_changed_code(project, module, stale):
    """What would run, each time against the code of the last run."""
    path = project.code / "workflow_scripts" / module
    text = path.read_text()
    path.write_text(f"{text}\nCHANGED = 1\n")
    assert project.jobs(*TARGETS, dry=True) == stale
    path.write_text(text)


def test_code_that_was_changed_runs(project):
    with (project.code / "workflow_scripts/asv/inference/embed.py").open("a") as stream:
        stream.write("\nCHANGED = 1\n")
    assert project.jobs(*TARGETS) == FROM_INFERENCE
    assert project.jobs(*TARGETS) == []


def test_words_cost_nothing(project):
    for path in (project.code / "workflow_scripts").rglob("*.py"):
        text = path.read_text()
        path.write_text(text.replace('"""\n\nfrom', ' In other words.\n"""\n\n# A comment.\nfrom', 1))
    assert project.jobs(*TARGETS) == []


def test_touched_code(project):
    project.age(project.code / "workflow_scripts/infer.py")
    project.age(project.code / "workflow_scripts/asv/scoring/metrics.py")
    assert project.jobs(*TARGETS) == []


@pytest.mark.slow
def test_another_version_of_the_engines_package(project):
    info = project.folder / "other_versions" / "openvino-2999.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: openvino\nVersion: 2999.1\n")
    project.environment["PYTHONPATH"] = str(info.parent)
    assert project.jobs(*TARGETS) == FROM_CONVERSION
    assert "openvino 2999.1," in (project.folder / "results/eer_bs4.txt").read_text()


def test_a_data_set_that_moved(project):
    (project.folder / "wavs").rename(project.folder / "moved")
    project.configure(CONFIG.replace("root: wavs", "root: moved"))
    assert project.jobs(*TARGETS) == []
