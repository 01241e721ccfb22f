"""Metadata of sherpa-onnx in ONNX models: whose contract they tell, and what must agree with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.graphs import Onnx

from asv.errors import InputError
from asv.network import families
from asv.network.brought import onnx_model, sherpa

# As sherpa-onnx's export scripts write them.
WESPEAKER = {"framework": "wespeaker", "language": "English", "output_dim": "192", "sample_rate": "16000"}
WESPEAKER |= {"normalize_samples": "0", "comment": "wespeaker_en"}
THREE_D = {"framework": "3d-speaker", "output_dim": "192", "sample_rate": "16000"}
THREE_D |= {"normalize_samples": "1", "feature_normalize_type": "global-mean"}
NEMO = {"framework": "nemo", "output_dim": "192", "sample_rate": "16000", "feature_normalize_type": "per_feature"}
NEMO |= {"window_size_ms": "25", "window_stride_ms": "10", "window_type": "hann", "feat_dim": "80"}


@pytest.mark.parametrize(
    ("metadata", "family"),
    [(WESPEAKER, "wespeaker"), (THREE_D, "3dspeaker"), (NEMO, "nemo")],
    ids=lambda value: str(value),
)
def test_the_toolkits_own_contract_counts(metadata, family):
    found, whose = sherpa.contract_of(metadata, "x.onnx")
    assert found == families.module(family).CONTRACT
    assert whose == f"{family}, as its metadata say"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (
            {},
            r"network.contract: x.onnx has no metadata 'framework' \(wespeaker, 3d-speaker, nemo are known\).*write",
        ),
        ({"framework": "kaldi"}, r"x.onnx names the framework 'kaldi'"),
        (
            WESPEAKER | {"sample_rate": "8000"},
            r"metadata of x.onnx disagree with the contract of wespeaker: sample_rate is",
        ),
        (WESPEAKER | {"normalize_samples": "1"}, r"normalize_samples is 1, and the contract's scale is 32768.0"),
        (WESPEAKER | {"feat_dim": "many"}, r"feat_dim is many, and the contract's n_mels is 80"),
        (NEMO | {"window_type": "povey"}, r"window_type is povey, and the contract's window is hann"),
        (NEMO | {"window_size_ms": "32"}, r"window_size_ms is 32, and the contract's win_length is 400"),
        (THREE_D | {"feature_normalize_type": "per_feature"}, r"per_feature, deviation is none"),
    ],
)
def test_what_is_refused(metadata, words):
    with pytest.raises(InputError, match=words):
        sherpa.contract_of(metadata, "x.onnx")


def test_a_contract_file_is_compared_by_name():
    other = replace(families.module("wespeaker").CONTRACT, subtract_mean=False)
    with pytest.raises(
        InputError, match=r"metadata of x.onnx disagree with mine.yaml: feature_normalize_type is global-m"
    ):
        sherpa.check(THREE_D | {"normalize_samples": "0"}, other, "x.onnx", "mine.yaml")
    sherpa.check(WESPEAKER, other, "x.onnx", "mine.yaml")  # its metadata say nothing of the mean
    sherpa.check({"sample_rate": "8000"}, other, "x.onnx", "mine.yaml")  # not sherpa-onnx's


def test_the_size_of_an_embedding():
    sherpa.check_embedding(WESPEAKER, 192, "x.onnx")
    with pytest.raises(
        InputError, match=r"x.onnx: its metadata say output_dim 192, and the output has 512.*network.output"
    ):
        sherpa.check_embedding(WESPEAKER, 512, "x.onnx")


def test_metadata_are_read_without_the_graph(tmp_path):
    graph = Onnx()
    graph.metadata = WESPEAKER
    path = graph.save(tmp_path / "x.onnx")
    assert onnx_model.metadata(path) == WESPEAKER
    assert onnx_model.metadata_of(onnx_model.parse(path.read_bytes(), path)) == WESPEAKER
    graph.metadata = {}
    assert onnx_model.metadata(graph.save(tmp_path / "y.onnx")) == {}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file(share, tmp_path):
    graph = Onnx()
    graph.metadata = WESPEAKER
    path = graph.save(tmp_path / "x.onnx")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    if share:
        with pytest.raises(InputError, match=r"x.onnx: a truncated or damaged ONNX file"):
            onnx_model.metadata(path)
    else:
        assert onnx_model.metadata(path) == {}  # what it is not is said where the file is taken
