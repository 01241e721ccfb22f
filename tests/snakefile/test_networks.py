"""What the configuration tells of brought graphs before the first job."""

from __future__ import annotations

import pytest
from support.graphs import CONTRACT, Onnx, Tdnn, program

from asv import engines
from asv.errors import InputError
from asv.snakefile import benchmarks, feature_sets, networks, options
from asv.snakefile.config import check


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A contract, and a graph of each kind; one with metadata of WeSpeaker."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    program(tmp_path / "program.pt", Tdnn())
    graph = Onnx()
    graph.save(tmp_path / "model.onnx")
    graph.metadata = {"framework": "wespeaker", "sample_rate": "16000", "normalize_samples": "0"}
    graph.save(tmp_path / "wespeaker.onnx")
    (tmp_path / "folder").mkdir()
    graph.save(tmp_path / "folder" / "w.onnx")


def of(archive, family, contract="contract.yaml", **settings):
    network = {"family": family, "contract": contract, **settings.pop("network", {})}
    return {"checkpoint": {"archive": archive}, "network": network, **settings}


def test_the_networks_file_and_what_it_is_compared_with(files):
    onnx = check(of("model.onnx", "onnx"))
    script = check(of("program.pt", "torchscript"))
    assert networks.file_name(onnx) == "network.onnx"
    assert networks.file_name(script) == networks.file_name(check({})) == "network.torchscript.pt"
    assert [networks.reference(c) for c in (onnx, script, check({}))] == ["openvino-f32", *["torchscript-f32"] * 2]
    assert networks.warning(onnx) is None
    assert "executes the program program.pt" in networks.warning(script)
    assert benchmarks.unsupported(onnx, "torchscript-f32", None, "") == engines.foreign("torchscript", ".onnx")
    assert "TorchScript" in benchmarks.unsupported(onnx, "torch_aie-fp16", None, "")


def test_the_contract_of_metadata_or_of_a_file(files):
    assert feature_sets.stated_of_brought(check(of("model.onnx", "onnx")))[1] == "contract.yaml"
    for archive in ("wespeaker.onnx", "folder"):
        config = check(of(archive, "onnx", None))
        contract, whose = feature_sets.stated_of_brought(config)
        assert (contract.n_mels, whose) == (80, "wespeaker, as its metadata say")
        assert "--contract-from 'wespeaker, as its metadata say'" in options.of_network(config)


def test_settings_become_words(files):
    network = {"input": "a b", "output": 1, "layout": "frames_mels"}
    words = options.of_network(check(of("model.onnx", "onnx", network=network, features={"frames": "whole"})))
    assert "--graph-input 'a b' --graph-output 1 --layout frames_mels" in words
    assert "--frames whole" in words
    assert options.of_unzip(check(of("model.onnx", "onnx"))) == "--family onnx "


BAD = {
    "no contract": (("model.onnx", "onnx", None), {}, ["network.contract: model.onnx has no metadata 'framework'"]),
    "no contract, a program": (("program.pt", "torchscript", None), {}, ["network.contract: ", "bring-your-own.md"]),
    "no contract, a URL": (
        ("https://x.org/a.onnx", "onnx", None),
        {"checkpoint": {"archive": "https://x.org/a.onnx", "sha256": "0" * 64}},
        ["network.contract: network.family: onnx needs one", "metadata are read of a file or folder on this machine"],
    ),
    "they disagree": (
        ("wespeaker.onnx", "onnx"),
        {},
        ["metadata of wespeaker.onnx disagree with contract.yaml", "scale is 1.0"],
    ),
    "no file": (("none.onnx", "onnx"), {}, ["checkpoint.archive: no file or folder 'none.onnx'"]),
    "an engine of TorchScript": (
        ("model.onnx", "onnx"),
        {"engine": "torchscript"},
        ["engine: torchscript reads TorchScript", "set engine: openvino"],
    ),
    "an NPU": (("model.onnx", "onnx"), {"engine": "torch_aie"}, ["engine: torch_aie reads TorchScript"]),
    "an input of a program": (("program.pt", "torchscript"), {"input": "x"}, ["network.input: a TorchScript program"]),
    "attention": (
        ("model.onnx", "onnx"),
        {"outputs": ["embedding", "attention"]},
        ["network.outputs: attention is mod"],
    ),
    "a family's layout": (
        ("demo", "modelzoo", None),
        {"layout": "frames_mels"},
        ["network.layout: is for a graph of you"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name, files):
    where, settings, words = BAD[name]
    own = {key: settings[key] for key in settings if key in ("engine", "checkpoint")}
    network = {key: settings[key] for key in settings if key not in own}
    config = of(*where, network=network) | own
    with pytest.raises(InputError) as caught:
        check(config)
    for part in words:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("line", "words"), [("n_mel: 24", "did you mean n_mels"), ("hop_length: 0", "not within 2 to")]
)
def test_a_wrong_field_of_the_contract(line, words, files, tmp_path):
    name = line.split(":")[0]
    text = "".join(row + "\n" for row in CONTRACT.splitlines() if not row.startswith(f"{name}:")) + line + "\n"
    (tmp_path / "contract.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"contract.yaml: this contract .*\n.*\n?.*{words}"):
        check(of("model.onnx", "onnx"))
