"""What happens before the first job, without Snakemake."""

import os
from types import SimpleNamespace

import pytest

from asv import engines
from asv.errors import InputError
from asv.snakefile import internals, start


def job(script, *, shard=None, engine=None, kind=None, **output):
    return SimpleNamespace(
        params={"script": f"/x/{script}.py"} if script else {},
        wildcards=SimpleNamespace(shard=shard, engine=engine, features=kind),
        output=SimpleNamespace(**output),
    )


def snakemake(**facts):
    usual = {"makes_nothing": False, "makes_report": False, "allowed_rules": set()}
    return SimpleNamespace(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "folder", "message"),
    [
        ({"allowed_rules": {"score"}}, None, "--allowed-rules takes whatever lies there for current"),
        ({}, "/elsewhere", "workdir: was set after /elsewhere had been looked at"),
    ],
)
def test_what_no_run_begins_with(facts, folder, message):
    with pytest.raises(InputError, match=message):
        start.begin_run(snakemake(**facts), start.Before(folder or os.getcwd(), {}), None)


@pytest.mark.parametrize(
    ("limit", "kept"), [((100, 1), False), ((100, 2), True), ((99, 1), True), ((100, 60), True), (None, True)]
)
def test_snakemakes_own_limit_of_jobs_per_second_is_lifted(limit, kept):
    given = limit and SimpleNamespace(max_jobs=limit[0], timespan=limit[1])
    settings = SimpleNamespace(max_jobs_per_timespan=given)
    internals.Snakemake(SimpleNamespace(scheduling_settings=settings)).lift_default_rate_limit()
    assert settings.max_jobs_per_timespan is (given if kept else None)


@pytest.mark.parametrize("report", [False, True])
def test_only_a_report_must_be_of_what_is_current(report):
    asked = []
    graph = SimpleNamespace(require_current=lambda: asked.append(1))
    start.begin_run(snakemake(makes_nothing=True, makes_report=report), start.before(), graph)
    assert len(asked) == report


def test_engines_of_the_jobs_that_load_one():
    jobs = [job("infer", engine="b-f32"), job("compile_engine", engine="a-f32"), job("score", engine="c-f32")]
    found = start.labels_to_run([*jobs, *jobs, job("infer", engine="a-f32"), job(""), job("merge_manifests")])
    assert found == {"a-f32": {"compile_engine", "infer"}, "b-f32": {"infer"}}


def test_an_engine_that_cannot_run_here(monkeypatch):
    monkeypatch.setattr(engines, "unsupported", lambda label: "no bfloat16" if label.endswith("bf16") else None)
    start.require_engines(["openvino-f32", "torchscript-f32", "torch_aie-fp16"])
    with pytest.raises(InputError, match="openvino-bf16 cannot run here: no bfloat16"):
        start.require_engines(["openvino-bf16"])


@pytest.mark.parametrize(("keep", "expected"), [(True, 1300 - 7), (False, 1200)])
def test_space(tmp_path, keep, expected):
    """Features that are deleted after use are there for as many shards as there are cores."""
    (tmp_path / "old.npy").write_bytes(b"1234567")
    sizes = {"a": 12, "b": 1}
    dataset = SimpleNamespace(utterances=lambda shard: range(sizes[shard]))
    config = {"features": {"keep": keep}}
    sets = {"k": SimpleNamespace(bytes_per_utterance=100)}
    jobs = [
        job("extract_features", shard="a", kind="k", features=tmp_path / "new.npy"),
        job("extract_features", shard="b", kind="k", features=tmp_path / "old.npy"),
        job("infer", shard="b"),
        job("", shard="of another workflow"),
    ]
    needed = start.space_needed(jobs, start.Inputs(config, dataset, [], [], "", sets), cores=1)
    assert needed == {"features": expected, "embeddings": 2048}
