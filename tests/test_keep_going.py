"""A failed shard does not stop the others, is named at the end, and is the only one that runs again."""

from synthetic import write_checkpoint, write_tree, write_trials

CONFIG = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
"""
SHARDS = ("0-of-2", "1-of-2")


def test_a_failed_shard(workflow):
    write_trials(workflow.folder / "trials.txt", write_tree(workflow.folder / "wavs"))
    write_checkpoint(workflow.folder / "checkpoint.zip")
    workflow.configure(CONFIG)
    features = [workflow.folder / f"work/features/{shard}/features.npy" for shard in SHARDS]
    workflow.run(*(str(path.relative_to(workflow.folder)) for path in features))
    features[0].write_bytes(features[0].read_bytes()[:1000])  # as a full disk would leave it
    output = workflow.run("results/eer_bs4.txt", "--keep-going", fails=True)
    end = output[output.index("Exiting because a job execution failed") :]
    assert "work/embeddings/openvino-f32/bs4/0-of-2.npy" in end
    assert "work/embeddings/openvino-f32/bs4/1-of-2.npy" not in end
    features[0].unlink()
    assert workflow.jobs("results/eer_bs4.txt") == [
        "copy_answer bs4",
        "extract_features 0-of-2",
        "infer bs4 0-of-2",
        "merge_manifests",
        "score bs4",
    ]
