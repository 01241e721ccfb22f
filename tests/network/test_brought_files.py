"""Which file is a graph that a user brings: content decides, and the family must be named."""

from __future__ import annotations

import zipfile

import pytest
import torch
from support.graphs import Onnx, Tdnn, program

from asv.errors import InputError
from asv.network import archive, file_kinds


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file of each kind, by the family that reads it."""
    folder = tmp_path_factory.mktemp("made")
    torch.save(Tdnn().state_dict(), folder / "weights.bin")
    return {
        "modelzoo": folder / "weights.bin",
        "torchscript": program(folder / "program.bin", Tdnn()),
        "onnx": Onnx().save(folder / "model.bin"),
    }


def take(path, family, target):
    archive.extract_checkpoint(path, target, kinds=file_kinds.read_by(family))


@pytest.mark.parametrize("family", ["torchscript", "onnx"])
@pytest.mark.parametrize("place", ["itself", "zip", "folder"])
def test_a_graph_is_found_by_its_content(family, place, made, tmp_path):
    path, target = made[family], tmp_path / "taken"
    if place == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            packed.write(made[family], "export/graph.bin")
            packed.writestr("README.md", "words")
        path = tmp_path / "a.zip"
    elif place == "folder":
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "README.md").write_text("words")
        (tmp_path / "in" / "graph.bin").write_bytes(made[family].read_bytes())
        path = archive.checkpoint_in_folder(tmp_path / "in", file_kinds.read_by(family))
    take(path, family, target)
    assert target.read_bytes() == made[family].read_bytes()


@pytest.mark.parametrize(
    ("kind", "family", "words"),
    [
        (
            "torchscript",
            "modelzoo",
            r"a TorchScript archive, not weights; .*set network.family: torchscript, which exec",
        ),
        ("onnx", "wespeaker", r"an ONNX model; set network.family: onnx"),
        ("modelzoo", "onnx", r"a checkpoint, and network.family: onnx takes a ONNX model; set network.family to whose"),
        (
            "modelzoo",
            "torchscript",
            r"a checkpoint, and network.family: torchscript takes a TorchScript program; set netw",
        ),
        ("torchscript", "onnx", r"a TorchScript archive.*takes a ONNX model; .*set network.family: torchscript, which"),
        ("onnx", "torchscript", r"an ONNX model, and network.family: torchscript takes .*; set network.family: onnx"),
    ],
)
def test_another_kind_names_the_setting(kind, family, words, made, tmp_path):
    with pytest.raises(InputError, match=words.replace("takes a ONNX", "takes an ONNX")):
        take(made[kind], family, tmp_path / "taken")
    assert not (tmp_path / "taken").exists() or kind == "torchscript"


def test_a_folder_of_two_lists_them(made, tmp_path):
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(made["onnx"].read_bytes())
    with pytest.raises(InputError, match=r"expected one ONNX model in .*found 2: a.onnx, b.onnx; name the file"):
        archive.checkpoint_in_folder(tmp_path, file_kinds.read_by("onnx"))


def test_a_folder_of_weights_holds_no_program(made, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(made["modelzoo"].read_bytes())
    with pytest.raises(InputError, match=r"expected one TorchScript program in .*found none; there is: checkpoint.pt"):
        archive.checkpoint_in_folder(tmp_path, file_kinds.read_by("torchscript"))
