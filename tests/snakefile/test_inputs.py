"""The user's files that a configuration names, without Snakemake."""

import subprocess
import sys

import pytest
from support.paths import SCRIPTS
from support.synthetic import write_tree, write_trials

from asv.errors import InputError
from asv.snakefile import inputs
from asv.snakefile.config import check

SNAKEFILE = ("benchmarks", "config", "config_files", "failures", "inputs", "job_keys", "start", "versions")
MADE = {"demo": "shipped.zip", "demo-c512": "work/c512.zip"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wavs(folder):
    write_trials(folder / "trials.txt", write_tree(folder / "wavs", speakers=3))
    return check({"dataset": {"root": "wavs", "trials": ["trials.txt"]}, "shards": 2})


def wildcards_of(path):
    return [part.split("}")[0] for part in path.split("{")[1:]]


def test_the_demo_needs_no_file():
    found = inputs.find_dataset(check({"shards": 2}), "work/wav")
    assert (found.roots, found.tree, found.layout) == (["work/wav"], None, "speaker/session/utterance")
    assert found.shards == ["0-of-2", "1-of-2"]
    assert found.stamp("0-of-2") == ""
    assert inputs.trial_lists(check({}), found, "work/list.txt") == ["work/list.txt"]


@pytest.mark.parametrize(("root", "expected"), [("a", ["a"]), (["a", "b"], ["a", "b"]), ("demo", ["work/wav"])])
def test_roots(root, expected):
    assert inputs.dataset_roots(check({"dataset": {"root": root}}), "work/wav") == expected


def test_a_data_set(wavs):
    found = inputs.find_dataset(wavs, "work/wav")
    assert len(found.tree.speakers) == 3
    assert set(found.shards) <= {"0-of-2", "1-of-2"}
    assert sum(len(found.utterances(shard)) for shard in found.shards) > 3


def test_a_shard_is_listed_once_in_a_run(wavs, folder):
    found = inputs.find_dataset(wavs, "work/wav")
    before = [found.stamp(shard) for shard in found.shards]
    file = next((folder / "wavs").rglob("*.wav"))
    file.write_bytes(file.read_bytes() + b"xx")
    assert [found.stamp(shard) for shard in found.shards] == before
    again = inputs.find_dataset(wavs, "work/wav")
    assert [again.stamp(shard) for shard in again.shards] != before


def test_lists_and_cohort(wavs):
    found = inputs.find_dataset(wavs, "work/wav")
    assert inputs.trial_lists(wavs, found, "") == ["trials.txt"]
    assert inputs.trial_lists(check({"dataset": {"root": "wavs", "trials": None}}), found, "") == []
    assert inputs.cohort(wavs) == []
    assert inputs.cohort(check({"scoring": {"as_norm": {"cohort": "trials.txt"}}})) == ["trials.txt"]


@pytest.mark.parametrize(
    ("settings", "function", "message"),
    [
        (
            {"dataset": {"trials": ["x.txt"]}},
            lambda c: inputs.trial_lists(c, None, ""),
            "dataset.trials: no file 'x.txt'",
        ),
        ({"scoring": {"as_norm": {"cohort": "x"}}}, inputs.cohort, "scoring.as_norm.cohort: no file 'x'"),
        (
            {"checkpoint": {"archive": "x.zip"}},
            lambda c: inputs.checkpoint_archive(c, MADE, ""),
            "checkpoint.archive: no file or folder 'x.zip'",
        ),
        ({"dataset": {"root": "x"}}, lambda c: inputs.find_dataset(c, ""), "dataset.root: no folder 'x'"),
    ],
)
def test_what_is_missing_is_told_with_the_folder_it_is_seen_from(folder, settings, function, message):
    with pytest.raises(InputError) as caught:
        function(check(settings))
    assert str(caught.value).startswith(f"{message} (seen from {folder})")


URL = "https://example.org/c.zip"


@pytest.mark.parametrize(
    ("archive", "path", "source"),
    [
        ("demo", "shipped.zip", "shipped.zip"),
        ("demo-c512", "work/c512.zip", "work/c512.zip"),
        (URL, "work/fetched.zip", URL),
        ("mine.zip", "mine.zip", "mine.zip"),
        ("exported", "exported/model.pt", "exported/model.pt"),
    ],
)
def test_the_checkpoints_archive(folder, archive, path, source):
    (folder / "mine.zip").touch()
    (folder / "exported").mkdir()
    (folder / "exported/model.pt").write_bytes(b"x")
    config = check({"checkpoint": {"archive": archive, "sha256": "0" * 64}})
    found = inputs.checkpoint_archive(config, MADE, "work/fetched.zip")
    assert str(found) == path
    assert inputs.checkpoint_source(config, found) == source


def test_braces_are_refused():
    inputs.refuse_wildcards({"dataset.trials": ["a.txt"], "checkpoint.archive": ["b"]}, wildcards_of)
    with pytest.raises(InputError, match=r"^dataset\.trials: 'x/\{b\}\.txt': Snakemake takes \{b\} in a name"):
        inputs.refuse_wildcards({"dataset.trials": ["a.txt", "x/{b}.txt"]}, wildcards_of)


def test_the_snakefile_needs_no_numpy():
    """Though Snakemake 9.27 imports it by itself where it is installed."""
    names = [*(f"asv.snakefile.{name}" for name in SNAKEFILE), "asv.scoring.table_formats", "asv.trials.protocols"]
    program = f"import sys, {', '.join(names)}; sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS).returncode == 0
