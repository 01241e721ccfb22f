"""A failed shard does not stop the others, is named at the end, and is the only one that runs again."""

import pytest
from support.synthetic import make_project
from support.workflow import features_of

from asv import files, receipts
from asv.snakefile.failures import failed_jobs, summary

SHARDS = ("0-of-2", "1-of-2")


@pytest.mark.slow
def test_a_failed_shard(workflow, monkeypatch):
    make_project(workflow, speakers=5)
    features = [workflow.folder / features_of(shard) / "features.npy" for shard in SHARDS]
    workflow.run(*(str(path.relative_to(workflow.folder)) for path in features))
    features[0].write_bytes(features[0].read_bytes()[:1000])
    monkeypatch.chdir(workflow.folder)  # with a receipt of what it has become, so that it is not made again first
    path = str(features[0].relative_to(workflow.folder))
    receipts.write(path, files.read_json(receipts.place(path))["key"])
    output = workflow.run("results/eer_bs4.txt", "--keep-going", fails=True)
    end = output[output.index("1 failed, to be made by the same command once more:") :]
    assert "infer: work/embeddings/openvino-f32/bs4/0-of-2.npy" in end
    assert "see logs/infer/openvino-f32_bs4/0-of-2.log" in end
    assert (workflow.folder / "work/embeddings/openvino-f32/bs4/1-of-2.npy").exists()
    features[0].unlink()
    assert workflow.jobs("results/eer_bs4.txt") == [
        "check_features",
        "copy_answer bs4",
        "extract_features 0-of-2",
        "infer bs4 0-of-2",
        "merge_manifests",
        "score bs4",
        "write_answer bs4",
    ]


LOG = """
[Mon Nov 23 06:55:32 2026]
Error in rule infer:
    message: SLURM-job '2' failed
    jobid: 4
    output: work/a.npy, work/a.json
    log: logs/infer/a.log (check log file(s) for error details)

[Mon Nov 23 06:55:33 2026]
Error in rule infer:
    jobid: 5
    output: work/b.npy
Trying to restart job 5.
[Mon Nov 23 06:55:34 2026]
Finished jobid: 5 (Rule: infer)
"""


def test_failed_jobs_are_those_that_no_retry_made(tmp_path):
    assert failed_jobs(LOG) == ["infer: work/a.npy, work/a.json  see logs/infer/a.log"]
    (tmp_path / "log").write_text(LOG[: LOG.index("Error")])
    assert summary([tmp_path / "log"]) == summary([]) == ""
