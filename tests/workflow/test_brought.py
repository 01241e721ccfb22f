"""Whole runs with graphs that a user brings: a really trained network, on real speech."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from support import resemblyzer

FIELDS = """
dataset: {{root: {speech}/fsdd16k, trials: [{speech}/trials.txt]}}
checkpoint: {{archive: {archive}}}
network: {{family: {family}, contract: {contract}}}
features: {{{features}}}
scoring: {{bootstrap: {{replicates: 0}}, centroid: {{enabled: false}}}}
benchmark: {{engines: [openvino-f32, torchscript-f32], seconds: 0.1, count: 2, runs: 1}}
batch_sizes: [4]
"""
WHOLE, CROP = "frames: whole", "frames: 160, placement: start"


@pytest.fixture
def run(workflow, speech):
    """Runs the workflow with other settings; returns its output."""
    resemblyzer.save_torchscript(workflow.folder / "resemblyzer.pt")
    resemblyzer.save_onnx(workflow.folder / "resemblyzer.onnx")

    def run(family, features, *targets, contract=resemblyzer.CONTRACT, **options):
        (workflow.folder / "contract.yaml").write_text(contract)
        archive = {"onnx": "resemblyzer.onnx", "torchscript": "resemblyzer.pt"}[family]
        settings = {"speech": speech, "family": family, "archive": archive, "contract": "contract.yaml"}
        workflow.configure(FIELDS.format(features=features, **settings))
        return workflow.run(*targets, **options)

    return run


def eer(text):
    return float(re.match(r"EER ([\d.]+) %", text)[1])


def key(text):
    return re.search(r"40 mel bands by the contract of contract.yaml \(key (\w{8})\)", text)[1]


@pytest.mark.slow
def test_whole_utterances_by_both_and_with_a_wrong_contract(run, workflow):
    answer = workflow.folder / "results/eer_bs1.txt"
    output = run("onnx", WHOLE, "results/eer_bs1.txt")
    assert "executes the program" not in output
    text = answer.read_text()
    assert eer(text) == pytest.approx(resemblyzer.EER[None], abs=0.06)
    assert "resemblyzer.onnx (family onnx, a graph of your own), 1,423,616 parameters, embeddings of 256" in text
    assert "fit         cannot be checked: the graph does not begin with" in text
    right = key(text)

    output = run("torchscript", WHOLE, "results/eer_bs1.txt")
    assert "WARNING: network.family: torchscript executes the program resemblyzer.pt on this machine" in output
    assert "rule extract_features" not in output  # of the same contract
    assert eer(answer.read_text()) == pytest.approx(resemblyzer.EER[None], abs=0.06)

    output = run("torchscript", WHOLE, "results/eer_bs1.txt", contract=resemblyzer.with_field("power: 1"))
    assert "rule extract_features" in output
    assert eer(answer.read_text()) == pytest.approx(resemblyzer.WRONG["power: 1"][0], abs=0.12)
    assert key(answer.read_text()) != right

    output = run("onnx", WHOLE, "results/eer_bs1.txt")
    assert "rule extract_features" not in output  # the former ones are still there
    assert answer.read_text() == text
    assert "Nothing to be done" in run("onnx", WHOLE, "results/eer_bs1.txt")


@pytest.mark.slow
def test_crops_from_the_start_and_the_table_of_benchmarks(run, workflow):
    run("onnx", CROP, "results/benchmarks.md", "results/openvino-f32/eer_bs4.txt", "results/eer_bs4.txt")
    text = (workflow.folder / "results/eer_bs4.txt").read_text()
    assert eer(text) == pytest.approx(resemblyzer.EER[160], abs=0.06)
    first, second = json.loads((workflow.folder / "results/benchmarks.json").read_text())["rows"]
    assert (first["engine"], first["status"], first["gate"], first["gflops"]) == (
        "openvino-f32",
        "ok",
        "reference",
        None,
    )
    assert (second["engine"], second["status"]) == ("torchscript-f32", "unsupported")
    assert second["faults"] == [
        "torchscript reads TorchScript, and the network is an ONNX model (network.family: onnx)"
    ]
    assert "resemblyzer.onnx, its work is not counted" in (workflow.folder / "results/benchmarks.md").read_text()
    output = run("onnx", CROP, "results/torchscript-f32/eer_bs4.txt", fails=True)
    assert "error: engine: torchscript reads TorchScript, and the network is an ONNX model" in output

    shutil.rmtree(workflow.folder / "results")
    run("torchscript", CROP, "results/torchscript-f32/eer_bs4.txt", "results/openvino-f32/agreement_bs4.json")
    text = (workflow.folder / "results/torchscript-f32/eer_bs4.txt").read_text()
    assert eer(text) == pytest.approx(resemblyzer.EER[160], abs=0.06)
    agreement = json.loads((workflow.folder / "results/openvino-f32/agreement_bs4.json").read_text())
    assert agreement["min_cosine"] > 0.99999
