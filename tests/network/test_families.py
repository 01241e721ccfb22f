"""The contract of asv/network/family_interface.py, which every family keeps."""

import importlib
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from support.families import SMALL, seeded, state_of
from support.paths import REPO, SCRIPTS
from support.scripts import assert_one_error, run_script

from asv.errors import InputError
from asv.features.contract import Contract
from asv.network import families
from asv.network.ecapa_options import mark_faults
from asv.network.family_interface import CarriesFrontEnd, Facts, Family, Figures, Output, Published

NAMES = families.names()
# What may differ between two networks of a family.
VARIANTS = [
    *SMALL.items(),
    ("speechbrain", replace(SMALL["speechbrain"], context=False)),
    ("wespeaker", replace(SMALL["wespeaker"], context=False)),
    ("wespeaker", replace(SMALL["wespeaker"], embedding_norm=True, classes=None)),
    ("taoruijie", replace(SMALL["taoruijie"], context=False, embedding_norm=False)),
]


def shapes_of(family, facts):
    """Names and shapes of a network in a file, with the classifier that the facts tell of."""
    module = families.module(family)
    with torch.device("meta"):
        network = module.build(facts)
    shapes = {module.file_name(name): tuple(value.shape) for name, value in network.state_dict().items()}
    if facts.classes and module.CLASSES:
        shapes[module.CLASSES] = (facts.classes, facts.embedding)
    return shapes


def test_families_are_found():
    assert sorted(["modelzoo", "speechbrain", "3dspeaker", "wespeaker", "taoruijie", "nemo"]) == NAMES
    assert families.DEFAULT in NAMES
    with pytest.raises(InputError, match=r"network\.family: unknown family 'wespeeker'; there are .*wespeaker"):
        families.module("wespeeker")
    assert {families.source(name).parent for name in NAMES} == {families.FOLDER}
    assert {families.source(name) for name in NAMES} == set(families.FOLDER.glob("[!_]*.py"))


def test_the_snakefile_can_import_them_without_torch():
    code = "import sys; from asv.network import families; [families.module(n) for n in families.names()]; "
    code += "sys.exit(bool({'torch', 'numpy', 'torchaudio'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_family_has_what_it_must_have(name):
    module = families.module(name)
    assert isinstance(module, Family)
    assert isinstance(module, CarriesFrontEnd) == hasattr(module, "FRONT_END") == hasattr(module, "front_end")
    assert name == module.NAME
    assert isinstance(module.OUTPUT, Output)
    assert isinstance(module.CONTRACT, Contract)
    assert next(iter(module.MARKS.values()))[0] == "channels"
    assert name in SMALL, "add a small network to support/families.py"
    for published in module.PUBLISHED:
        assert isinstance(published, Published)
        assert all(isinstance(figures, Figures) for figures in published.figures)
        assert published.sha256 is None or families.published(name, published.sha256.upper()) is published
    assert families.published(name, "0" * 64) is None


@pytest.mark.parametrize(("name", "facts"), VARIANTS)
def test_facts_are_read_off_the_shapes_that_they_make(name, facts):
    shapes = shapes_of(name, facts)
    assert families.module(name).recognise(shapes) == facts
    assert not list(mark_faults(families.module(name).MARKS, shapes))
    for first in list(families.module(name).MARKS):
        assert families.module(name).recognise({n: s for n, s in shapes.items() if n != first}) is None


@pytest.mark.parametrize(("name", "facts"), VARIANTS)
def test_no_two_weights_have_one_name(name, facts):
    module = families.module(name)
    names = list(seeded(name, facts).state_dict())
    assert len({module.file_name(each) for each in names}) == len(names)


@pytest.mark.parametrize(("name", "facts"), VARIANTS)
@pytest.mark.parametrize("frames", [200, 57])
def test_it_builds_the_network_that_the_facts_tell_of(name, facts, frames):
    network = seeded(name, facts)
    features = torch.randn(3, facts.n_mels, frames)
    with torch.no_grad():
        output = network(features)
        embedding = output[0] if families.module(name).OUTPUT.attention else output
        layers, norm = families.module(name).first_norm(network)
        before = layers(features)
    assert embedding.dtype == torch.float32
    assert embedding.shape == (3, facts.embedding)
    unit = torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-5)
    assert unit == families.module(name).OUTPUT.unit
    assert isinstance(norm, torch.nn.BatchNorm1d)
    assert before.shape == (3, facts.channels, frames)
    assert norm.num_features == facts.channels
    assert (before >= 0).all()  # after the ReLU
    assert norm is next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm1d))


@pytest.mark.parametrize("name", NAMES)
def test_no_family_takes_another_ones_names(name):
    shapes = shapes_of(name, SMALL[name])
    same = {"speechbrain", "3dspeaker"}
    assert {other for other in NAMES if families.module(other).recognise(shapes)} == (same if name in same else {name})


@pytest.mark.parametrize("channels", [12, 4096])
def test_widths_that_no_such_network_has(channels):
    shapes = shapes_of("wespeaker", SMALL["wespeaker"])
    shapes["layer1.conv.weight"] = (channels, 64, 5)
    shapes["layer2.se_res2block.3.linear1.weight"] = (12, channels)
    assert families.module("wespeaker").recognise(shapes) is None


@pytest.mark.parametrize(
    ("name", "facts", "millions"),
    [
        ("speechbrain", Facts(1024, 80, 3072, 128, 128, True, 192, False), 20.77),
        ("3dspeaker", Facts(1024, 80, 3072, 128, 128, True, 192, False), 20.77),
        ("speechbrain", Facts(512, 80, 1536, 128, 128, True, 192, False), 6.19),
        ("wespeaker", Facts(512, 80, 1536, 128, 128, True, 192, False), 6.19),
        ("wespeaker", Facts(1024, 80, 1536, 128, 128, True, 192, False), 14.66),
        ("taoruijie", Facts(1024, 80, 1536, 128, 256, True, 192, True), 15.44),
        ("nemo", Facts(1024, 80, 3072, 128, 128, True, 192, False), 20.92),
    ],
)
def test_parameters_are_as_many_as_published(name, facts, millions):
    with torch.device("meta"):
        network = families.module(name).build(facts)
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == millions


def test_each_contract_is_its_own():
    """Features that two families shared by mistake would look right."""
    assert len({families.module(name).CONTRACT.key() for name in NAMES}) == len(NAMES)


def test_published_figures_are_those_of_the_documents():
    text = (REPO / "docs/checkpoints.md").read_text(encoding="utf-8").partition("## What their authors publish")[2]
    rows = [line.split("|")[1:-1] for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    documented = [tuple(float(cell) if cell.strip() else None for cell in row[-3:]) for row in rows[2:]]
    files = [file for name in NAMES for file in families.module(name).PUBLISHED]
    figures = [figures for file in files for figures in file.figures]
    figures.append(importlib.import_module("asv.network.families.speechbrain").VOXCELEB2_ALONE)
    known = [(each.o, each.e, each.h) for each in figures]
    assert sorted(documented, key=str) == sorted(known, key=str)


def test_bands_that_are_not_the_networks_are_refused(tmp_path):
    """features.n_mels, before an engine sees the graph."""
    torch.save(state_of("wespeaker"), tmp_path / "avg_model.pt")
    words = ["--checkpoint", tmp_path / "avg_model.pt", "--family", "wespeaker", "--output", tmp_path / "n.pt"]
    words += ["--sidecar", tmp_path / "n.json", "--norm", tmp_path / "n.npz"]
    words += ["--reference", tmp_path / "r.npz", "--n-mels", "80"]
    outcome = run_script("trace_network.py", *words)
    assert_one_error(outcome, "takes 64 mel bands and its features have 80; set features.n_mels: 64")
    assert not (tmp_path / "n.pt").exists()
