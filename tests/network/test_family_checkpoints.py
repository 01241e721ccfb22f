"""Checkpoints of every family: read as their toolkits save them; another family's, or another network's, is named."""

import io
import tarfile
import zipfile

import pytest
import torch
from support.families import SMALL, saved, seeded, state_of
from support.scripts import assert_one_error, run_script

from asv import files
from asv.errors import InputError
from asv.network import families
from asv.network.archive import checkpoint_in_folder, extract_checkpoint
from asv.network.checkpoint import load_network

NEW = [name for name in families.names() if name != "modelzoo"]  # modelzoo's are in test_checkpoint.py


def assert_same(network, family, seed=0):
    for name, value in seeded(family, seed=seed).state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(network.state_dict()[name], value), name


def refused(path, family, **options):
    with pytest.raises(InputError) as caught:
        load_network(path, family, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


# What is accepted


@pytest.mark.parametrize("family", NEW)
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_a_file_is_read_as_its_toolkit_saves_it(tmp_path, family, new):
    path = saved(tmp_path / "c.pt", state_of(family), _use_new_zipfile_serialization=new)
    network, facts = load_network(path, family)
    assert_same(network, family)
    assert not network.training
    sizes = SMALL[family]
    found = {key: facts[key] for key in ("family", "channels", "n_mels", "aggregated", "context", "embedding")}
    assert found == {
        **{"family": family, "channels": sizes.channels, "n_mels": sizes.n_mels, "context": sizes.context},
        **{"aggregated": sizes.aggregated, "embedding": sizes.embedding},
    }
    classifier = families.module(family).CLASSES
    assert facts["classes"] == facts["speakers"] == (5 if classifier else None)
    omitted = {"wespeaker": ["projection"], "taoruijie": ["speaker_loss"], "nemo": ["decoder"]}
    assert facts["omitted"] == omitted.get(family, [])


@pytest.mark.parametrize("family", NEW)
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "a.b."])
@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
def test_wrappers_and_prefixes(tmp_path, family, prefix, wrap):
    state = {prefix + name: value for name, value in state_of(family).items()}
    network, facts = load_network(saved(tmp_path / "c.pt", {wrap: state} if wrap else state), family)
    assert_same(network, family)
    own = "speaker_encoder." if family == "taoruijie" else ""
    assert facts["weights"] == f"{wrap or 'top level'}, without the prefix {prefix}{own}"
    assert facts["classes"] == (5 if families.module(family).CLASSES else None)


@pytest.mark.parametrize("family", NEW)
def test_counters_in_float_or_missing(tmp_path, family):
    state = state_of(family)
    counters = [name for name in state if name.endswith("num_batches_tracked")]
    averaged = {name: torch.tensor(33.3) if name in counters else value for name, value in state.items()}
    without = {name: value for name, value in state.items() if name not in counters}
    for content in (averaged, without):
        network, _ = load_network(saved(tmp_path / "c.pt", content), family)
        assert_same(network, family)


@pytest.mark.parametrize("family", ["wespeaker", "nemo"])
def test_without_the_classifier_nothing_is_known_of_the_speakers(tmp_path, family):
    module = families.module(family)
    state = {name: value for name, value in state_of(family).items() if not name.startswith(module.TRAINING_ONLY)}
    network, facts = load_network(saved(tmp_path / "avg_model.pt", state), family)
    assert_same(network, family)
    assert (facts["classes"], facts["speakers"], facts["training_set"], facts["omitted"]) == (None, None, None, [])


def test_the_encoder_of_taoruijie_alone(tmp_path):
    prefix = "speaker_encoder."
    state = {n.removeprefix(prefix): v for n, v in state_of("taoruijie").items() if n.startswith(prefix)}
    network, facts = load_network(saved(tmp_path / "c.model", state), "taoruijie")
    assert_same(network, "taoruijie")
    assert (facts["weights"], facts["speakers"]) == ("top level", None)


@pytest.mark.parametrize(
    ("classes", "speakers", "training_set"),
    [
        (5994, 5994, "VoxCeleb2 dev"),
        (17982, 5994, "VoxCeleb2 dev at three speeds"),
        (7205, 7205, "VoxCeleb1 and VoxCeleb2 dev"),
        (40, 40, None),
    ],
)
@pytest.mark.parametrize("family", ["wespeaker", "taoruijie", "nemo"])
def test_the_number_of_classes_tells_what_was_heard(tmp_path, family, classes, speakers, training_set):
    state = state_of(family)
    state[families.module(family).CLASSES] = torch.ones(classes, SMALL[family].embedding)
    _, facts = load_network(saved(tmp_path / "c.pt", state), family)
    assert (facts["classes"], facts["speakers"], facts["training_set"]) == (classes, speakers, training_set)


def test_several_places_want_a_choice(tmp_path):
    content = {"model": state_of("wespeaker"), "ema": state_of("wespeaker", seed=1)}
    path = saved(tmp_path / "c.pt", content)
    assert "weights in 2 places; set checkpoint.weights to one of: ema, model" in refused(path, "wespeaker")
    assert_same(load_network(path, "wespeaker", wanted="ema")[0], "wespeaker", seed=1)


# What is of another family, or no family


@pytest.mark.parametrize("family", families.names())
@pytest.mark.parametrize("given", ["modelzoo", "wespeaker", "taoruijie", "nemo"])
def test_a_file_of_another_family_names_the_setting(tmp_path, family, given):
    if family == given:
        return
    message = refused(saved(tmp_path / "c.pt", {"state_dict": state_of(given)}), family)
    assert f"(network.family: {family}); it is {families.module(given).TITLE}: set network.family: {given}." in message


@pytest.mark.parametrize("family", ["modelzoo", "wespeaker"])
@pytest.mark.parametrize("given", ["speechbrain", "3dspeaker"])
def test_a_file_of_two_families_names_both_and_what_tells_them_apart(tmp_path, family, given):
    message = refused(saved(tmp_path / "c.pt", state_of(given)), family)
    assert "3D-Speaker's ECAPA-TDNN or SpeechBrain's ECAPA-TDNN, whose names are the same and whose features" in message
    assert "set network.family: 3dspeaker or network.family: speechbrain, by the toolkit" in message


@pytest.mark.parametrize("family", families.names())
def test_a_classifier_is_no_network(tmp_path, family):
    path = saved(tmp_path / "classifier.ckpt", {"weight": torch.ones(7205, 192)})
    message = refused(path, family)
    assert "it seems to be SpeechBrain's classifier of 7205 training speakers" in message
    assert "give embedding_model.ckpt, which lies beside it" in message


@pytest.mark.parametrize("family", ["speechbrain", "wespeaker"])
def test_a_normalisation_is_no_network(tmp_path, family):
    content = {"count": 1, "glob_mean": torch.ones(192), "glob_std": torch.ones(1), "spk_dict_mean": {}}
    message = refused(saved(tmp_path / "mean_var_norm_emb.ckpt", content), family)
    assert "SpeechBrain's normalisation (mean_var_norm_emb.ckpt): give embedding_model.ckpt" in message


@pytest.mark.parametrize(
    ("names", "network"),
    [
        (["blocks.0.conv.weight", "blocks.1.norm.norm.weight"], "SpeechBrain's x-vector"),
        (["conv1.weight", "layer1.0.conv1.weight", "seg_1.weight"], "WeSpeaker's ResNet"),
        (["head.conv1.weight", "xvector.tdnn.linear.weight"], "3D-Speaker's or WeSpeaker's CAM++"),
        (["conv1.weight", "layer1.0.convs.0.weight", "seg_1.weight"], "3D-Speaker's ERes2Net"),
        (["sincnet.wav_norm1d.weight", "lstm.weight_ih_l0"], "pyannote's segmentation, for diarisation"),
        (["decoder._pooling.attention_layer.0.conv_layer.weight"], "NeMo's TitaNet"),
        (["lstm.weight_ih_l0", "linear.weight"], "an LSTM such as Resemblyzer's"),
    ],
)
@pytest.mark.parametrize("family", families.names())
def test_other_networks_are_named(tmp_path, family, names, network):
    content = {"state_dict": {name: torch.ones(4, 4, 3, 3) for name in names}}
    assert f"it seems to be {network}. In it: " in refused(saved(tmp_path / "c.ckpt", content), family)


# Weights that do not fit


def marks(family):
    """Names in the file of what identifies a family, without the first layer."""
    prefix = "speaker_encoder." if family == "taoruijie" else ""
    return [(prefix + name, name) for name in list(families.module(family).MARKS)[1:]]


@pytest.mark.parametrize("family", NEW)
def test_missing_and_misshapen_marks_are_named(tmp_path, family):
    for in_file, name in marks(family):
        state = state_of(family)
        del state[in_file]
        title = families.module(family).TITLE
        missing = refused(saved(tmp_path / "c.pt", state), family)
        assert f"the weights are not those of {title}; missing: {name}" in missing
        state[in_file] = torch.ones(3)
        assert f"misshapen: {name} (3,) instead of (" in refused(saved(tmp_path / "c.pt", state), family)


@pytest.mark.parametrize("family", NEW)
def test_missing_surplus_misshapen_and_infinite_weights_are_named(tmp_path, family):
    state = state_of(family)
    names = {name: name.removeprefix("speaker_encoder.") for name in state}
    bias, norm, infinite, *_ = [name for name, value in state.items() if value.dim() == 1]
    prefix = "speaker_encoder." if family == "taoruijie" else ""
    state[infinite][0] = float("nan")
    del state[bias]
    state[norm] = torch.ones(3)
    state[f"{prefix}other.weight"] = torch.ones(2)
    message = refused(saved(tmp_path / "c.pt", state), family)
    for part in (f"missing: {names[bias]}", "surplus: other.weight", f"misshapen: {names[norm]} (3,) instead of"):
        assert part in message
    assert f"NaN or infinite: {names[infinite]}" in message
    assert f"C = {SMALL[family].channels}" in message


@pytest.mark.parametrize("family", NEW)
def test_a_width_that_cannot_be_split(tmp_path, family):
    prefix = "speaker_encoder." if family == "taoruijie" else ""
    state = state_of(family)
    first = prefix + next(iter(families.module(family).MARKS))
    squeeze = prefix + list(families.module(family).MARKS)[1]
    state[first] = torch.ones(12, *state[first].shape[1:])
    state[squeeze] = torch.ones(state[squeeze].shape[0], 12, *state[squeeze].shape[2:])
    assert "C = 12 is no multiple of 8" in refused(saved(tmp_path / "c.pt", state), family)


def test_a_context_of_another_width_is_misshapen(tmp_path):
    state = state_of("wespeaker")
    state["pool.linear1.weight"] = torch.ones(20, 80, 1)
    message = refused(saved(tmp_path / "c.pt", state), "wespeaker")
    assert "misshapen: pool.linear1.weight (20, 80, 1) instead of (20, 40, 1)" in message


# The front end in the file


WINDOWS = {
    "taoruijie": ("speaker_encoder.torchfbank.1.spectrogram.window", torch.hamming_window(400)),
    "nemo": ("preprocessor.featurizer.window", torch.hann_window(400, periodic=False)),
}


@pytest.mark.parametrize("family", sorted(WINDOWS))
def test_a_window_in_the_file_is_compared(tmp_path, family):
    name, window = WINDOWS[family]
    _, facts = load_network(saved(tmp_path / "c.pt", {**state_of(family), name: window}), family)
    assert facts["front_end"] == ["window"]
    other = torch.hann_window(400)
    message = refused(saved(tmp_path / "c.pt", {**state_of(family), name: other}), family)
    assert "its window is not that of the family's features (by " in message
    short = refused(saved(tmp_path / "c.pt", {**state_of(family), name: window[:320]}), family)
    assert "its window is not that of the family's features ((320,) instead of (400,))" in short
    bad = refused(saved(tmp_path / "c.pt", {**state_of(family), name: window[None, None]}), family)
    assert "its front end is misshapen" in bad
    assert "instead of (any)" in bad
    odd = refused(saved(tmp_path / "c.pt", {**state_of(family), name: window.to(torch.int32)}), family)
    assert f"not plain arrays of floating-point numbers: {name.removeprefix('speaker_encoder.')}" in odd
    nan = refused(saved(tmp_path / "c.pt", {**state_of(family), name: window * float("nan")}), family)
    assert "its window is not that of the family's features" in nan


# Archives


def in_bytes(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


BESIDE = {
    "classifier.ckpt": lambda: in_bytes({"weight": torch.ones(7205, 192)}),
    "mean_var_norm_emb.ckpt": lambda: in_bytes({"count": 1, "glob_mean": torch.ones(3), "glob_std": torch.ones(1)}),
    "label_encoder.txt": lambda: b"'id10001' => 0\n",
    "hyperparams.yaml": lambda: b"channels: [1024]\n",
}


def write_speechbrain(folder):
    (folder / "embedding_model.ckpt").write_bytes(in_bytes(state_of("speechbrain")))
    for name, content in BESIDE.items():
        (folder / name).write_bytes(content())


def test_the_network_is_found_among_speechbrains_files(tmp_path):
    folder = tmp_path / "spkrec-ecapa-voxceleb"
    folder.mkdir()
    write_speechbrain(folder)
    assert checkpoint_in_folder(folder) == str(folder / "embedding_model.ckpt")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    extract_checkpoint(tmp_path / "c.zip", tmp_path / "out.pt")
    assert_same(load_network(tmp_path / "out.pt", "speechbrain")[0], "speechbrain")
    (folder / "embedding_model.ckpt").unlink()
    with pytest.raises(InputError, match=r"found 2: classifier\.ckpt, mean_var_norm_emb\.ckpt; name the file, such as"):
        checkpoint_in_folder(folder)


def test_the_network_is_found_in_wespeakers_zip(tmp_path):
    folder = "voxceleb_ECAPA512"
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr(f"{folder}/avg_model.pt", in_bytes(state_of("wespeaker")))
        archive.writestr(f"{folder}/config.yaml", "model: ECAPA_TDNN_GLOB_c512\n")
    extract_checkpoint(tmp_path / "c.zip", tmp_path / "out.pt")
    assert_same(load_network(tmp_path / "out.pt", "wespeaker")[0], "wespeaker")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_nemo_archive(tmp_path, mode):
    with tarfile.open(tmp_path / "ecapa_tdnn.nemo", mode) as archive:
        for name, content in (("./model_config.yaml", b"a: 1\n"), ("./model_weights.ckpt", in_bytes(state_of("nemo")))):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    extract_checkpoint(tmp_path / "ecapa_tdnn.nemo", tmp_path / "out.pt")
    assert_same(load_network(tmp_path / "out.pt", "nemo")[0], "nemo")
    message = refused(tmp_path / "out.pt", "speechbrain")
    assert "it is NeMo's ECAPA-TDNN: set network.family: nemo" in message


# The stage


def traced(folder, family, *options):
    names = {"output": "network.pt", "sidecar": "network.json", "norm": "norm.npz", "reference": "reference.npz"}
    outputs = [f"--{option}={folder / name}" for option, name in names.items()]
    return run_script("trace_network.py", "--checkpoint", folder / "c.pt", "--family", family, *outputs, *options)


@pytest.mark.parametrize("family", ["3dspeaker", "wespeaker"])
def test_the_stage_traces_it(tmp_path, family):
    saved(tmp_path / "c.pt", state_of(family))
    assert traced(tmp_path, family, "--frames", 120) == (0, "")
    sidecar, facts = files.read_json(tmp_path / "network.json"), SMALL[family]
    assert (sidecar["family"], sidecar["embedding"], sidecar["n_mels"]) == (family, facts.embedding, facts.n_mels)
    assert sidecar["input"] == [facts.n_mels, 120]
    features = torch.randn(3, facts.n_mels, 90)
    with torch.no_grad():
        found, expected = torch.jit.load(tmp_path / "network.pt")(features), seeded(family)(features)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_only_modelzoo_gives_attention(tmp_path):
    saved(tmp_path / "c.pt", state_of("wespeaker"))
    outcome = traced(tmp_path, "wespeaker", "--outputs", "embedding", "attention")
    assert_one_error(outcome, "network.outputs: the family wespeaker gives no attention; set network.outputs: [embed")
    assert_one_error(traced(tmp_path, "wespaeker"), "network.family: unknown family 'wespaeker'; there are")
