"""A really trained network, brought as TorchScript and as ONNX: cosines and EERs that are known, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest
from support import resemblyzer

from asv import engines
from asv.audio.reading import AudioRules, read_audio
from asv.engine_interface import Job
from asv.features.contract_file import read
from asv.features.front_end import FrontEnd
from asv.network.brought import onnx_graph, script
from asv.scoring.metrics import equal_error_rate, error_rates

WANTED = {None: onnx_graph.Wanted(frames=None), 160: onnx_graph.Wanted(frames=160)}


@pytest.fixture(scope="module")
def samples(speech):
    """Samples of all utterances of the trials, by file."""
    _, pairs = resemblyzer.trials(speech)
    files = sorted({file for pair in pairs for file in pair})
    return {file: read_audio(speech / "fsdd16k" / file, AudioRules()).samples for file in files}


def contract_of(text, folder):
    path = folder / "contract.yaml"
    path.write_text(text)
    return read(path)


def embeddings(run, contract, samples, frames):
    front_end = FrontEnd(contract)
    made = (front_end.whole(s) if frames is None else front_end.crop(s, 0, frames) for s in samples.values())
    return dict(zip(samples, (run(np.ascontiguousarray(features[np.newaxis]))[0].copy() for features in made)))


def cosines(of, pairs):
    unit = {file: vector / np.linalg.norm(vector) for file, vector in of.items()}
    return np.array([unit[a] @ unit[b] for a, b in pairs])


def brought(family, folder, frames):
    """The network's file."""
    contract, graph = contract_of(resemblyzer.CONTRACT, folder), folder / "graph"
    if family == "onnx":
        resemblyzer.save_onnx(graph)
        path = folder / "network.onnx"
        path.write_bytes(onnx_graph.bring(graph, contract, "it", WANTED[frames], graph).content)
    else:
        resemblyzer.save_torchscript(graph)
        path = folder / "network.torchscript.pt"
        script.bring(graph, contract.n_mels, WANTED[frames], graph).traced.save(str(path))
    return path


@pytest.mark.parametrize("frames", [None, 160])
@pytest.mark.parametrize(
    ("family", "engine"), [("onnx", "openvino"), ("torchscript", "openvino"), ("torchscript",) * 2]
)
def test_cosines_and_eer_are_the_known_ones(family, engine, frames, samples, speech, tmp_path):
    network, artefact = brought(family, tmp_path, frames), tmp_path / "artefact"
    artefact.mkdir()
    job = Job(1, (40, frames), "f32")
    engines.module(engine).compile_artefact(network, artefact, job)
    session = engines.module(engine).load(artefact, job)
    labels, pairs = resemblyzer.trials(speech)
    contract = contract_of(resemblyzer.CONTRACT, tmp_path)
    found = cosines(embeddings(session.run, contract, samples, frames), pairs)
    np.testing.assert_allclose(found[:5], resemblyzer.FIRST_COSINES[frames], atol=1e-4)
    assert 100 * equal_error_rate(error_rates(found, labels))[0] == pytest.approx(resemblyzer.EER[frames], abs=0.06)


@pytest.fixture(scope="module")
def right(samples, tmp_path_factory):
    """The network by PyTorch, and the embeddings of the right contract."""
    import torch

    network = resemblyzer.network()

    def run(batch):
        with torch.no_grad():
            return network(torch.from_numpy(batch).transpose(1, 2)).numpy()

    return run, embeddings(run, contract_of(resemblyzer.CONTRACT, tmp_path_factory.mktemp("right")), samples, None)


@pytest.mark.slow
@pytest.mark.parametrize("changed", resemblyzer.WRONG)
def test_a_wrong_contract_does_not_fail_but_shows_in_the_cosines(changed, right, samples, speech, tmp_path):
    run, expected = right
    eer, mean = resemblyzer.WRONG[changed]
    labels, pairs = resemblyzer.trials(speech)
    found = embeddings(run, contract_of(resemblyzer.with_field(changed), tmp_path), samples, None)
    assert np.mean([found[file] @ expected[file] for file in samples]) == pytest.approx(mean, abs=2e-3)
    assert 100 * equal_error_rate(error_rates(cosines(found, pairs), labels))[0] == pytest.approx(eer, abs=0.12)
