"""Large data sets: what is stale is found exactly, and disks do not fill up. Nothing here is timed."""

import json
import os

import pytest
from support.scripts import write_sound
from support.synthetic import CONFIG, make_project
from support.workflow import Workflow, features_of

from asv.dataset.shards import shard_of

SHARDS = 16
SPEAKERS, SESSIONS, UTTERANCES = 1251, 20, 6


def write_large_tree(root):
    """Files that are no audio: they are looked at and rejected, which is quick. All of a speaker are one, by links."""
    for speaker in range(SPEAKERS):
        paths = [root / f"id{speaker}" / f"s{s}" / f"{u}.wav" for s in range(SESSIONS) for u in range(UTTERANCES)]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path == paths[0]:
                path.touch()
            else:
                os.link(paths[0], path)


@pytest.mark.slow
def test_one_change_among_150_000_files(tmp_path):
    write_large_tree(tmp_path / "wavs")
    workflow = Workflow(tmp_path)
    workflow.configure(f"dataset: {{root: wavs}}\nshards: {SHARDS}\n")
    shards = [f"{shard}-of-{SHARDS}" for shard in range(SHARDS)]
    targets = [f"{features_of(shard)}/features.npy" for shard in shards]
    assert workflow.jobs(*targets) == sorted(f"extract_features {shard}" for shard in shards)
    assert workflow.jobs(*targets, dry=True) == []

    replaced = tmp_path / "wavs" / "id700" / "s7" / "3.wav"
    replaced.unlink()
    write_sound(replaced)
    stale = [f"extract_features {shard_of('id700', SHARDS)}-of-{SHARDS}"]
    assert workflow.jobs(*targets, dry=True) == stale
    assert workflow.jobs(*targets) == stale

    write_sound(tmp_path / "wavs" / "newcomer" / "s0" / "0.wav")
    stale = [f"extract_features {shard_of('newcomer', SHARDS)}-of-{SHARDS}"]
    assert workflow.jobs(*targets) == stale
    assert workflow.jobs(*targets) == []


@pytest.mark.slow
def test_features_that_are_not_kept_are_used_and_deleted_one_after_another(tmp_path):
    workflow = make_project(Workflow(tmp_path), CONFIG + "shards: 16\nfeatures: {keep: false}\n", speakers=24)
    workflow.run("results/eer_bs4.txt")
    assert not list(tmp_path.glob("work/features/*/*/features.npy"))
    records = [json.loads(p.read_text()) for p in (tmp_path / ".snakemake/metadata").rglob("*") if p.is_file()]
    started = {rule: {r["starttime"] for r in records if r["rule"] == rule} for rule in ("extract_features", "infer")}
    # Most shards are extracted only after the first was used.
    assert sum(time > min(started["infer"]) for time in started["extract_features"]) > len(started["infer"]) / 2
