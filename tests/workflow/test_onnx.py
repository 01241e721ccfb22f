"""The network as ONNX: exported, run by ONNX Runtime, taken away and brought back."""

import json
import shutil

import pytest
from support.synthetic import CONFIG, make_project

ANSWERS = [f"results/{engine}-f32/eer_bs4.txt" for engine in ("onnxruntime", "openvino", "torchscript")]
# Of bs4 with one shard, from the artefact on.
AFTER_EXPORT = ["compile_engine bs4", "infer bs4 0-of-1", "score bs4", "write_answer bs4"]


@pytest.fixture
def project(workflow):
    return make_project(workflow, CONFIG + "shards: 1\n")


def eer(workflow, engine):
    answer = json.loads((workflow.folder / f"results/{engine}-f32/eer_bs4.json").read_text())
    return [protocol["eer"] for protocol in answer["protocols"].values()]


@pytest.mark.slow
def test_exported_run_and_brought_back(project):
    project.run(*ANSWERS)
    assert eer(project, "onnxruntime") == eer(project, "torchscript") == eer(project, "openvino")

    project.configure(CONFIG + "shards: 1\nonnx: {opset: 14}\n")
    assert project.jobs(*ANSWERS, dry=True) == sorted(["export_onnx", *AFTER_EXPORT])
    project.configure(CONFIG + "shards: 1\nengines: {onnxruntime: {graph_optimization_level: basic}}\n")
    assert project.jobs(*ANSWERS, dry=True) == AFTER_EXPORT

    before = eer(project, "onnxruntime")
    shutil.copy(project.folder / "results/network.onnx", project.folder / "taken_away.onnx")
    brought = "network: {family: onnx}\nengine: onnxruntime\nshards: 1\n"
    project.configure(CONFIG.replace("checkpoint.zip", "taken_away.onnx") + brought)
    ran = project.jobs("results/eer_bs4.txt")
    assert "trace_network" in ran
    assert "export_onnx" not in ran  # an ONNX network is run as it is
    assert not [job for job in ran if job.startswith("extract_features")]  # its metadata hold the contract
    assert eer(project, "onnxruntime") == before
    assert "by the contract of the file itself" in (project.folder / "results/eer_bs4.txt").read_text()


@pytest.mark.slow
def test_whole_utterances_and_a_provider_that_is_not_there(project):
    project.configure(CONFIG + "features: {frames: whole}\nengine: onnxruntime\nshards: 1\n")
    project.run("results/eer_bs1.txt", "results/torchscript-f32/eer_bs1.txt", "results/openvino-f32/eer_bs1.txt")
    answers = [
        json.loads((project.folder / f"results/{engine}-f32/eer_bs1.json").read_text())["protocols"]
        for engine in ("onnxruntime", "torchscript", "openvino")
    ]
    assert len({json.dumps([protocol["eer"] for protocol in found.values()]) for found in answers}) == 1

    project.configure(CONFIG + "engine: onnxruntime\nengines: {onnxruntime: {providers: [CUDAExecutionProvider]}}\n")
    output = project.run("results/eer_bs4.txt", fails=True)
    assert "Error in rule compile_engine" in output
    log = (project.folder / "logs/compile_engine/onnxruntime-f32_bs4.log").read_text()
    assert "error: engines.onnxruntime.providers: no CUDAExecutionProvider" in log
