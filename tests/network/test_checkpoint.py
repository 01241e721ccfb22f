"""Checkpoints that nobody has checked: never executed, and refused with the names of what is wrong."""

import argparse
import collections
import datetime
import enum
import functools
import io
import os
import pathlib
import pickle
import random

import numpy as np
import pytest
import torch

from asv.errors import InputError
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EcapaTdnn


@functools.lru_cache
def seeded(channels, speakers):
    torch.manual_seed(0)
    return EcapaTdnn(channels, speakers).state_dict()


def weights_of(channels=8, speakers=3):
    """Weights that a test may change."""
    return {name: value.clone() for name, value in seeded(channels, speakers).items()}


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def refused(path):
    with pytest.raises(InputError) as caught:
        load_network(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def refused_weights(folder, weights):
    return refused(saved(folder / "c.pt", {"model_state_dict": weights}))


# What is accepted


@pytest.mark.parametrize("channels", [8, 16, 32])
@pytest.mark.parametrize("speakers", [1, 5, 1211])
def test_width_and_number_of_speakers_are_read_off_the_weights(tmp_path, channels, speakers):
    weights = weights_of(channels, speakers)
    network, facts = load_network(saved(tmp_path / "c.pt", {"step": 7, "model_state_dict": weights}))
    sizes = {"family": "modelzoo", "channels": channels, "n_mels": 80, "aggregated": 3 * channels, "squeeze": 128}
    sizes |= {"attention": 128, "context": False, "embedding": 192, "embedding_norm": True, "classes": speakers}
    told = {"speakers": speakers, "training_set": {1211: "VoxCeleb1 dev"}.get(speakers), "front_end": [], "step": 7}
    assert facts == {**sizes, **told, "weights": "model_state_dict", "omitted": []}
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name


def as_module(weights):
    return {f"module.{name}": value for name, value in weights.items()}


def without_classifier(weights):
    return {name: value for name, value in weights.items() if not name.startswith("speaker_embedding.")}


@pytest.mark.parametrize(
    ("wrap", "speakers", "step"),
    [
        (lambda w: {"step": 1, "model_state_dict": w, "optimizer_state_dict": {"state": {}}}, 3, 1),
        (lambda w: {"model_state_dict": collections.OrderedDict(w), "step": "many"}, 3, None),
        (lambda w: w, 3, None),
        (as_module, 3, None),
        (lambda w: {"model_state_dict": as_module(w), "step": 0}, 3, 0),
        (lambda w: {"model_state_dict": without_classifier(w)}, None, None),
        (lambda w: as_module(without_classifier(w)), None, None),
    ],
    ids=["whole", "ordered", "bare", "bare module.", "module.", "no classifier", "bare module., no classifier"],
)
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_ways_to_save_it_lead_to_the_same_network(tmp_path, wrap, speakers, step, new):
    weights = weights_of()
    path = saved(tmp_path / "c.pt", wrap(weights), _use_new_zipfile_serialization=new)
    network, facts = load_network(path)
    assert (facts["speakers"], facts["step"]) == (speakers, step)
    for name, value in without_classifier(network.state_dict()).items():
        assert torch.equal(value, weights[name]), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types_are_converted_to_float32(tmp_path, dtype):
    weights = {n: v.to(dtype) if v.is_floating_point() else v for n, v in weights_of().items()}
    network, _ = load_network(saved(tmp_path / "c.pt", {"model_state_dict": weights}))
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert torch.equal(network.fc.weight, weights["fc.weight"].float())


def assert_same(network, weights):
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(value, weights[name].float()), name


def before(prefix, weights):
    return {prefix + name: value for name, value in weights.items()}


OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
LIGHTNING = {"epoch": 3, "global_step": 12, "pytorch-lightning_version": "2.2.0", "optimizer_states": [OPTIMIZER]}


@pytest.mark.parametrize("prefix", ["", "_orig_mod.module.", "model.", "a.b.encoder."])
@pytest.mark.parametrize(
    ("wrap", "place"),
    [
        (lambda w: w, "top level"),
        *((lambda w, key=key: {"epoch": 1, key: w}, key) for key in ("state_dict", "model", "net", "x y")),
        (lambda w: {**LIGHTNING, "state_dict": w, "hyper_parameters": {"lr": 1e-3}}, "state_dict"),
        (lambda w: {"model": {"state_dict": w}, "optimizer": OPTIMIZER}, "model.state_dict"),
        (lambda w: ({"epoch": 1}, w), "1"),
        (lambda w: collections.defaultdict(dict, net=w), "net"),
    ],
)
def test_weights_are_found_in_any_wrapper_behind_any_prefix(tmp_path, wrap, place, prefix):
    weights = weights_of()
    network, facts = load_network(saved(tmp_path / "c.pt", wrap(before(prefix, weights))))
    assert_same(network, weights)
    assert facts["weights"] == place + (f", without the prefix {prefix}" if prefix else "")
    assert facts["speakers"] == 3


def test_what_is_omitted_is_named(tmp_path):
    weights = before("model.", weights_of()) | before("loss.", {"weight": torch.ones(3, 192)})
    content = {**LIGHTNING, "state_dict": weights, "callbacks": {}, "args": argparse.Namespace(lr=1)}
    _, facts = load_network(saved(tmp_path / "c.ckpt", content))
    assert facts["omitted"] == ["optimizer_states", "callbacks", "args (argparse.Namespace)", "loss"]
    assert facts["step"] == 12
    _, facts = load_network(saved(tmp_path / "c.pt", {**weights_of(), "loss.weight": torch.ones(3, 192)}))
    assert facts["omitted"] == ["loss"]


class Colour(enum.Enum):
    RED = 1


class Settings(dict):
    """As the dictionaries with attributes that frameworks keep their settings in."""


EXTRAS = {
    "arguments": argparse.Namespace(lr=1e-3, path=pathlib.Path("x")),
    "path": pathlib.PurePosixPath("a/b"),
    "date": datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    "enum": Colour.RED,
    "number": np.float64(3.5),
    "array": np.arange(6.0).reshape(2, 3),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "dictionary": Settings(a=Settings(b=1)),
    "set": {1, 2, frozenset("a")},
    "bytes": b"\0\1" * 100,
    "bytearray": bytearray(b"abc"),
    "complex": 1j,
    "range": range(3),
    "large": 1 << 100_000,
    "tuple keys": {(1, 2): 3, None: 4, 1.5: 5, b"x": 6},
    "partial": functools.partial(print, 1),
    "tensor": torch.ones(3).to_sparse(),
    "dtype": torch.float32,
    "generator": torch.get_rng_state(),
    "scheduler": torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.ones(1)], lr=1), 1).state_dict(),
}


@pytest.mark.filterwarnings("ignore")  # of sparse tensors, and of pickle protocols
@pytest.mark.parametrize(("new", "protocol"), [(True, 5), (False, 2)], ids=["zip", "legacy"])
@pytest.mark.parametrize("extra", list(EXTRAS))
def test_harmless_extras_do_not_make_weights_unreadable(tmp_path, extra, new, protocol):
    weights = weights_of()
    content = {"extra": EXTRAS[extra], "model_state_dict": weights, "also": [EXTRAS[extra]]}
    path = saved(tmp_path / "c.pt", content, _use_new_zipfile_serialization=new, pickle_protocol=protocol)
    network, facts = load_network(path)
    assert_same(network, weights)
    assert all("asv" not in part for part in facts["omitted"])


def test_two_places_of_weights_want_a_choice(tmp_path):
    one, other = weights_of(), {name: value + 1 for name, value in weights_of().items()}
    path = saved(tmp_path / "c.pt", {"model": before("module.", one), "ema": other})
    assert "weights in 2 places; set checkpoint.weights to one of: ema, model.module" in refused(path)
    assert_same(load_network(path, wanted="ema")[0], other)
    assert_same(load_network(path, wanted="model.module")[0], one)
    with pytest.raises(InputError, match=r"checkpoint.weights: no weights at 'mode'; choose from: ema, model.module"):
        load_network(path, wanted="mode")
    both = before("model.", one) | before("model_ema.", other)
    path = saved(tmp_path / "d.pt", {"state_dict": both})
    assert "state_dict.model, state_dict.model_ema" in refused(path)
    network, facts = load_network(path, wanted="state_dict.model_ema")
    assert_same(network, other)
    assert facts["omitted"] == ["model"]
    assert_same(load_network(saved(tmp_path / "e.pt", one), wanted=".")[0], one)


def test_one_dictionary_under_two_names_is_one_place(tmp_path):
    weights = weights_of()
    _, facts = load_network(saved(tmp_path / "c.pt", {"model": weights, "best": weights}))
    assert facts["weights"] == "model"


def test_counters_of_batches_may_lack_or_be_of_any_kind(tmp_path):
    weights = {n: v for n, v in weights_of().items() if not n.endswith("num_batches_tracked")}
    network, _ = load_network(saved(tmp_path / "c.pt", weights))
    assert_same(network, weights)
    assert {int(v) for n, v in network.state_dict().items() if n.endswith("num_batches_tracked")} == {0}
    weights["batchnorm_in.num_batches_tracked"] = torch.tensor(3.5)
    weights["batchnorm_99.num_batches_tracked"] = torch.ones(2, dtype=torch.int16)
    load_network(saved(tmp_path / "c.pt", weights))


def test_messages_name_the_users_file_and_what_is_in_it(tmp_path):
    content = {"epoch": 3, "state_dict": {"encoder.w": torch.ones(2, 3), "encoder.b": torch.ones(2)}}
    path = saved(tmp_path / "checkpoint.pt", content)
    with pytest.raises(InputError, match=r"^mine\.ckpt: no conv1d_in.*In it: epoch \(int\), state_dict \(2 names: "):
        load_network(path, source="mine.ckpt")


@pytest.mark.parametrize(
    ("names", "network"),
    [
        (["blocks.0.conv.weight", "blocks.1.norm.norm.weight"], "SpeechBrain's x-vector"),
        (["front.layer1.0.conv1.weight", "front.seg_1.weight"], "WeSpeaker's ResNet"),
        (["sincnet.wav_norm1d.weight", "lstm.weight_ih_l0", "linear.0.weight"], "pyannote's segmentation"),
        (["decoder._pooling.attention_layer.0.conv_layer.weight"], "NeMo's TitaNet"),
    ],
)
def test_networks_that_no_family_reads_are_named(tmp_path, names, network):
    message = refused(saved(tmp_path / "c.pt", {"model": {name: torch.ones(1) for name in names}}))
    assert f"it seems to be {network}" in message


# What could run code


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch, about the pickle's version
@pytest.mark.parametrize("place", ["alone", "step", "weights", "optimizer", "pickle"])
@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_malicious_pickle_is_never_executed(tmp_path, place, form):
    payload = Payload(tmp_path / "executed")
    content = {
        "step": {"step": payload, "model_state_dict": weights_of()},
        "weights": {"model_state_dict": {**weights_of(), "fc.bias": payload}},
        "optimizer": {"model_state_dict": weights_of(), "optimizer_state_dict": payload},
    }.get(place, payload)
    path = tmp_path / "c.pt"
    if place == "pickle":
        path.write_bytes(pickle.dumps(payload))
        assert "a plain Python pickle" in refused(path)
    elif place == "alone":
        message = refused(saved(path, content, _use_new_zipfile_serialization=form == "zip"))
        assert "In it: nothing but posix.mkdir" in message
    elif place == "weights":
        message = refused(saved(path, content, _use_new_zipfile_serialization=form == "zip"))
        assert "not plain arrays of floating-point numbers: fc.bias (posix.mkdir)" in message
    else:
        _, facts = load_network(saved(path, content, _use_new_zipfile_serialization=form == "zip"))
        assert facts["omitted"] == [f"{'step' if place == 'step' else 'optimizer_state_dict'} (posix.mkdir)"]
    assert not (tmp_path / "executed").exists()
    if place == "pickle":  # the test can fail: an unsafe loader runs it
        pickle.loads(path.read_bytes())
        assert (tmp_path / "executed").exists()


@pytest.mark.filterwarnings("ignore")  # of torch, which keeps the source of old files
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"model": m}, torch.nn.DataParallel], ids=["", "model", "DP"])
def test_weights_of_a_whole_module_are_read_without_making_it(tmp_path, wrap, new):
    module = EcapaTdnn(8, 3)
    network, facts = load_network(saved(tmp_path / "c.pt", wrap(module), _use_new_zipfile_serialization=new))
    assert facts["speakers"] == 3
    assert_same(network, module.state_dict())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_torchscript_is_not_a_checkpoint(tmp_path):
    with torch.no_grad():
        torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(str(tmp_path / "c.pt"))
    message = refused(tmp_path / "c.pt")
    assert "a TorchScript archive, not weights; save model.state_dict() with torch.save" in message
    assert "weights_only" not in message


# What is not a checkpoint


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"not a checkpoint", b"\x80\x02}q\x00.", random.Random(0).randbytes(1000), b"PK\3\4" + bytes(100)],
    ids=["empty", "one byte", "text", "pickle", "random", "zip"],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "c.pt").write_bytes(content)
    kinds = ("an empty file", "not known", "begins with 'not a checkpoint'", "a plain Python pickle", "end is missing")
    assert any(kind in refused(tmp_path / "c.pt") for kind in kinds)


def test_missing_file_is_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "gone.pt")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_truncated_checkpoint_is_refused(tmp_path, kept, new):
    path = saved(tmp_path / "c.pt", {"model_state_dict": weights_of()}, _use_new_zipfile_serialization=new)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refused(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_random_damage_ends_in_a_reason_or_in_a_network(tmp_path, new):
    """150 files with damaged pickles: never another exception."""
    stream = io.BytesIO()
    torch.save({"model_state_dict": {"conv1d_in.weight": torch.ones(1)}}, stream, _use_new_zipfile_serialization=new)
    good, dice = stream.getvalue(), random.Random(1)
    for _ in range(150):
        content = bytearray(good)
        for _ in range(dice.choice((1, 3, 9))):
            content[dice.randrange(len(content))] = dice.choice((0, 46, 255, dice.randrange(256)))
        (tmp_path / "c.pt").write_bytes(content)
        refused(tmp_path / "c.pt")


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        torch.ones(3),
        {},
        {"model_state_dict": {}},
        {"model_state_dict": [torch.ones(1)]},
        {"model_state_dict": {"fc.bias": 3}},
        {"epoch": 3, "fc.bias": torch.ones(192)},
        None,
    ],
    ids=["list", "tensor", "empty", "no weights", "list of weights", "number", "mixed", "None"],
)
def test_content_without_a_dictionary_of_tensors(tmp_path, content):
    message = refused(saved(tmp_path / "c.pt", content))
    assert "no conv1d_in.weight (C, 80, 5)" in message
    assert "In it: " in message


# Weights of something else


@pytest.mark.parametrize(
    "first",
    [None, torch.ones(8), torch.ones(()), torch.ones(0, 80, 5), torch.empty(10**6, 80, 5, device="meta")],
    ids=["missing", "vector", "scalar", "no channels", "a million channels"],
)
def test_first_layer_that_is_of_no_such_network(tmp_path, first):
    weights = weights_of()
    del weights["conv1d_in.weight"]
    if first is not None:
        weights["conv1d_in.weight"] = first
    message = refused_weights(tmp_path, weights)
    assert "conv1d_in.weight (C, 80, 5)" in message
    assert "not an ECAPA-TDNN of this kind" in message


def test_missing_weights_are_listed_by_name(tmp_path):
    weights = weights_of()
    del weights["fc.bias"], weights["batchnorm_3.running_mean"], weights["speaker_embedding.weight_g"]
    message = refused_weights(tmp_path, weights)
    assert "C = 8" in message
    assert "missing: batchnorm_3.running_mean, fc.bias, speaker_embedding.weight_g" in message
    assert "surplus" not in message


def test_surplus_weights_are_listed_by_name(tmp_path):
    message = refused_weights(tmp_path, {**weights_of(), "fc2.bias": torch.ones(1), "zz": torch.ones(1)})
    assert "surplus: fc2.bias, zz" in message


def test_many_names_are_counted_rather_than_listed(tmp_path):
    message = refused_weights(tmp_path, {**weights_of(), **{f"x{i:03}": torch.ones(1) for i in range(100)}})
    assert "surplus: x000, x001" in message
    assert "and 92 more" in message


def test_other_shapes_are_listed_with_both(tmp_path):
    message = refused_weights(tmp_path, {**weights_of(), "fc.weight": torch.ones(10, 48)})
    assert "misshapen: fc.weight (10, 48) instead of (192, 48)" in message


@pytest.mark.parametrize("shape", [(), (3,), (0, 192), (3, 192, 1)])
def test_classifier_of_another_shape(tmp_path, shape):
    message = refused_weights(tmp_path, {**weights_of(), "speaker_embedding.weight_v": torch.ones(shape)})
    assert "misshapen: speaker_embedding.weight_" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["fc.weight", "batchnorm_in.running_var", "speaker_embedding.weight_v"])
def test_weights_that_are_not_finite_are_named(tmp_path, value, name):
    weights = weights_of()
    weights[name].view(-1)[-1] = value
    message = refused_weights(tmp_path, weights)
    assert message.endswith(f"NaN or infinite: {name}")


def test_double_that_float32_cannot_hold_is_infinite(tmp_path):
    weights = weights_of()
    weights["fc.bias"] = weights["fc.bias"].double()
    weights["fc.bias"][0] = 1e300
    assert "NaN or infinite: fc.bias" in refused_weights(tmp_path, weights)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "convert",
    [
        lambda t: t.mul(100).to(torch.int8),
        lambda t: t.to(torch.complex64),
        lambda t: t.to_sparse(),
        lambda t: t.to("meta"),
        lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
        lambda t: torch.ones(1).expand(t.shape),
    ],
    ids=["integer", "complex", "sparse", "meta", "quantised", "one number repeated"],
)
def test_tensors_that_are_not_plain_numbers_are_named(tmp_path, convert):
    weights = weights_of()
    weights["fc.weight"] = convert(weights["fc.weight"])
    message = refused_weights(tmp_path, weights)
    assert "not plain arrays of floating-point numbers: fc.weight" in message


def test_all_faults_are_told_at_once(tmp_path):
    weights = weights_of()
    del weights["fc.bias"]
    weights["fc.weight"] = torch.ones(3)
    weights["batchnorm_2.bias"][0] = float("nan")
    weights["other"] = torch.ones(1)
    message = refused_weights(tmp_path, weights)
    for part in ("missing: fc.bias", "surplus: other", "misshapen: fc.weight", "NaN or infinite: batchnorm_2.bias"):
        assert part in message
