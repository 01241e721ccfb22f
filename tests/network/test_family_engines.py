"""Traced networks of every family: any batch size, any number of frames, and the same numbers on OpenVINO."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.families import SMALL, seeded

from asv import engines, vectors
from asv.engine_interface import Job
from asv.network import families
from asv.network.trace import check_trace, count_parameters, gflop, trace

FAMILIES = [name for name in families.names() if name != "modelzoo"]  # whose engines tests/inference has
# The width of the golden files' small networks; bands and embedding of other sizes where the file is another.
VARIANTS = {
    **{name: replace(SMALL[name], channels=64, aggregated=192) for name in FAMILIES},
    "wespeaker without context, with bn2": replace(
        SMALL["wespeaker"], channels=64, aggregated=192, context=False, embedding_norm=True
    ),
}


def family_of(variant):
    return variant.split()[0]


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def traced(request, tmp_path_factory):
    """``(network, facts, path of its trace, trace)``."""
    facts = VARIANTS[request.param]
    network = seeded(family_of(request.param), facts)
    graph = trace(network, (facts.n_mels, 200))
    path = tmp_path_factory.mktemp("network") / "network.pt"
    graph.save(str(path))
    return network, facts, path, graph


def features_of(facts, batch, frames):
    """Values as different from one another as those of real features, about their mean."""
    return 3 * np.random.default_rng(frames).standard_normal((batch, facts.n_mels, frames)).astype(np.float32)


@pytest.mark.parametrize(("batch", "frames"), [(1, 200), (4, 200), (3, 57), (2, 998)])
def test_a_trace_runs_with_any_batch_size_and_number_of_frames(traced, batch, frames):
    network, facts, _, graph = traced
    features = torch.from_numpy(features_of(facts, batch, frames))
    with torch.no_grad():
        torch.testing.assert_close(graph(features), network(features), rtol=1e-5, atol=1e-5)


def test_a_trace_is_compared_in_its_own_scale(traced):
    network, facts, _, graph = traced
    assert check_trace(graph, network, (facts.n_mels, 200)) < 1e-5


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("frames", [200, 57])
def test_openvino_agrees(traced, tmp_path, precision, frames):
    if reason := engines.unsupported(f"openvino-{precision}"):
        pytest.skip(reason)
    network, facts, path, _ = traced
    job = Job(4, (facts.n_mels, frames), precision)
    engine = engines.module("openvino")
    engine.compile_artefact(path, tmp_path, job)
    features = features_of(facts, 4, frames)
    found = engine.load(tmp_path, job).run(features)
    with torch.no_grad():
        expected = network(torch.from_numpy(features)).numpy()
    lowest = vectors.cosines(found, expected).min()
    assert lowest >= (0.99999 if precision == "f32" else 0.999)  # the latter: accuracy_gate.min_cosine
    if precision == "f32":
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_openvino_runs_one_graph_with_any_number_of_frames(traced):
    """For whole utterances; batch size 1."""
    import openvino

    network, facts, path, _ = traced
    shape = openvino.PartialShape([1, facts.n_mels, openvino.Dimension(10, -1)])
    model = openvino.convert_model(torch.jit.load(str(path)), input=[(shape, openvino.Type.f32)])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for frames in (200, 57, 311):
        features = features_of(facts, 1, frames)
        with torch.no_grad():
            expected = network(torch.from_numpy(features)).numpy()
        assert np.abs(compiled([features])[0] - expected).max() < 1e-5 * np.abs(expected).max()


def test_work_is_counted_without_what_is_the_same_in_every_frame():
    """3.75 GMAC with mean and deviation repeated for every frame; 2/3 of the attention's first layer are saved."""
    facts = replace(SMALL["speechbrain"], channels=1024, n_mels=80, aggregated=3072, squeeze=128, attention=128)
    with torch.device("meta"):
        network = families.module("speechbrain").build(replace(facts, embedding=192)).eval()
        work = gflop(network, (80, 200)) / 2
    assert work == pytest.approx(3.75 - 128 * 6144 * 200 / 1e9, abs=0.02)
    assert count_parameters(network) == sum(parameter.numel() for parameter in network.parameters())
