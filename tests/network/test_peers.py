"""Networks of the toolkits' own classes, with random weights, and ours of the file that they save."""

import pytest
import torch
from support.families import saved
from support.peers import peer

from asv.network.checkpoint import load_network

TOLERANCE = 5e-6  # of the largest value


def with_statistics(network):
    """The network, in evaluation mode, with batch norms that do something."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.copy_(torch.exp(0.1 * torch.randn(module.num_features)))
            torch.nn.init.normal_(module.weight, 1, 0.1)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


def assert_equal(path, family, network, bands, embedding):
    """Ours, of a file, gives what theirs gives, which takes ``(batch, frames, bands)``."""
    ours, facts = load_network(path, family)
    assert facts["embedding"] == embedding
    for frames in (200, 61):
        features = torch.randn(3, frames, bands)
        with torch.no_grad():
            theirs = network(features)
            theirs = (theirs[-1] if isinstance(theirs, tuple) else theirs).reshape(3, embedding)
            found = ours(features.transpose(1, 2))
        assert (found - theirs).abs().max() < TOLERANCE * theirs.abs().max()
        assert torch.nn.functional.cosine_similarity(found, theirs).min() > 0.999999
    return facts


@pytest.mark.parametrize(
    ("family", "module"),
    [
        ("speechbrain", "speechbrain.lobes.models.ECAPA_TDNN"),
        ("3dspeaker", "speakerlab.models.ecapa_tdnn.ECAPA_TDNN"),
    ],
)
@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize(("channels", "aggregated", "bands", "embedding"), [(64, 192, 80, 192), (32, 96, 40, 100)])
def test_speechbrain_and_3dspeaker(tmp_path, family, module, context, channels, aggregated, bands, embedding):
    torch.manual_seed(0)
    widths = [channels] * 4 + [aggregated]
    made = peer(module).ECAPA_TDNN(bands, channels=widths, lin_neurons=embedding, global_context=context)
    network = with_statistics(made)
    path = saved(tmp_path / "embedding_model.ckpt", network.state_dict())
    assert assert_equal(path, family, network, bands, embedding)["context"] == context


def test_speechbrain_with_lengths(tmp_path):
    """Its pipeline passes relative lengths of 1."""
    torch.manual_seed(0)
    network = with_statistics(peer("speechbrain.lobes.models.ECAPA_TDNN").ECAPA_TDNN(80, channels=[64] * 4 + [192]))
    path = saved(tmp_path / "embedding_model.ckpt", network.state_dict())
    assert_equal(path, "speechbrain", lambda features: network(features, torch.ones(3)), 80, 192)


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize(
    ("projection", "classes"), [("arc_margin", 12), ("arc_margin_intertopk_subcenter", 36), ("none of these", None)]
)
def test_wespeaker(tmp_path, context, norm, projection, classes):
    torch.manual_seed(0)
    models, projections = peer("wespeaker.models.ecapa_tdnn"), peer("wespeaker.models.projections")
    network = with_statistics(models.ECAPA_TDNN(64, 72, 56, global_context_att=context, emb_bn=norm))
    options = {"project_type": projection, "embed_dim": 56, "num_class": 12, "scale": 32.0, "easy_margin": False}
    network.add_module("projection", projections.get_projection(options))
    state = {n: v.float() if n.endswith("num_batches_tracked") else v for n, v in network.state_dict().items()}
    facts = assert_equal(saved(tmp_path / "avg_model.pt", state), "wespeaker", network, 72, 56)
    assert (facts["context"], facts["embedding_norm"]) == (context, norm)
    assert (facts["classes"], facts["omitted"]) == (classes, ["projection"])


def test_speechbrains_files_that_are_no_network(tmp_path):
    """What the messages about them take for granted: names in the files."""
    classifier = peer("speechbrain.lobes.models.ECAPA_TDNN").Classifier(192, out_neurons=40)
    assert list(classifier.state_dict()) == ["weight"]
    normalisation = peer("speechbrain.processing.features").InputNormalization()
    assert {"count", "glob_mean", "glob_std"} <= normalisation._statistics_dict().keys()
