"""Contracts: their arithmetic, what is refused and in which words, keys, and files."""

import dataclasses
import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from support.paths import SCRIPTS
from support.peer_contracts import MODELZOO, NEMO, PEERS, RESEMBLYZER, SPEECHBRAIN, TAORUIJIE, WESPEAKER
from support.random_contracts import contracts

from asv.errors import InputError
from asv.features import contract_fields, contract_file
from asv.features.contract import NEUTRAL, Contract


def changed(contract, **values):
    """A copy, None being a value."""
    return dataclasses.replace(contract, **values)


def refusal(function, *arguments, **named):
    """The words of the InputError that a call ends with, or None; any other exception goes through."""
    try:
        function(*arguments, **named)
    except InputError as error:
        return str(error)
    return None


@given(contracts(), st.integers(1, 300))
def test_frames_and_samples_are_inverse(contract, frames):
    samples = contract.samples(frames)
    assert contract.frames(samples) == frames
    assert contract.frames(samples - 1) < frames
    assert contract.frames(0) == 0


@given(contracts(), st.integers(0, 2000))
def test_frames_never_fall(contract, samples):
    assert 0 <= contract.frames(samples) <= contract.frames(samples + 1)
    assert contract.frames(contract.fewest_samples) >= 1


def test_frames_of_no_crop():
    with pytest.raises(ValueError, match="0 frames"):
        MODELZOO.samples(0)


def test_every_field_has_a_rule_and_a_comment():
    names = [field.name for field in dataclasses.fields(Contract)]
    assert sorted(names) == sorted(contract_fields.FIELDS)
    assert set(NEUTRAL) < set(names)
    lines = (SCRIPTS / "asv/features/contract.py").read_text(encoding="utf-8").splitlines()
    for name in names:
        (at,) = (i for i, line in enumerate(lines) if line.startswith(f"    {name}: ") and " = " in line)
        above = " ".join(line for line in lines[max(0, at - 4) : at] if line.startswith("    #"))
        assert "#" in lines[at] or name in ("n_fft", "deviation_eps", "offset") or above, name


@pytest.mark.parametrize("name", PEERS)
def test_what_is_neutral_changes_nothing(name):
    """A contract with a neutral value left out is the same."""
    mapping = {name: value for name, value in PEERS[name].to_mapping().items() if NEUTRAL.get(name, ...) != value}
    assert Contract.from_mapping(mapping, "test") == PEERS[name]


@given(contracts())
def test_there_and_back(contract):
    text = json.dumps(contract.to_mapping())
    again = Contract.from_mapping(json.loads(text), "test")
    assert again == contract
    assert again.key() == contract.key()
    assert again.differences(contract) == []


# Written down, so that another version of the program finds the features that this one has made.
KEYS = {
    "modelzoo": "76d82b46",
    "speechbrain": "8ace42ed",
    "wespeaker": "01a69215",
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_for_ever(name):
    assert PEERS[name].key() == KEYS[name]


def test_the_key_is_that_of_the_values():
    assert changed(MODELZOO, f_max=8000, offset=1, f_min=-0.0).key() == MODELZOO.key()
    assert isinstance(changed(MODELZOO, f_max=8000).f_max, float)
    assert len({contract.key() for contract in PEERS.values()}) == len(PEERS)


def test_a_window_as_long_as_the_transform_has_one_place():
    kaldi = changed(WESPEAKER, n_fft=400)
    assert kaldi.window_placement == "centre"
    assert kaldi == changed(WESPEAKER, n_fft=400, window_placement="centre")
    assert kaldi.frames(32_240) == 200


def test_overriding():
    assert MODELZOO.overridden(n_fft=None, volume=None) is not None
    assert MODELZOO.overridden(n_fft=None) == MODELZOO
    assert MODELZOO.overridden(n_fft=512, n_mels=64) == changed(MODELZOO, n_fft=512, n_mels=64)
    with pytest.raises(TypeError, match="windw"):
        MODELZOO.overridden(windw="hann")
    with pytest.raises(InputError, match=r"win_length: 400 exceeds n_fft \(256\)"):
        MODELZOO.overridden(n_fft=256)


def test_differences():
    other = changed(MODELZOO, n_fft=512, window="hamming", volume=-30, mel_area_norm=False)
    assert other.differences(MODELZOO) == [
        "volume -30.0, not null",
        "window hamming, not hann",
        "n_fft 512, not 400",
        "mel_area_norm false, not true",
    ]


def test_a_contract_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODELZOO.n_fft = 512
    assert len({MODELZOO, Contract(), NEMO}) == 2


# A contract, values that do not go with it, the field that is named, and words.
IMPOSSIBLE = [
    (MODELZOO, {"win_length": 401}, "win_length", r"401 exceeds n_fft \(400\)"),
    (MODELZOO, {"n_fft": 401}, "n_fft", "401 is odd; it must be even, such as 402"),
    (NEMO, {"window_placement": "left"}, "window_placement", "left goes with edges: snip"),
    (WESPEAKER, {"edges": "zeros"}, "window_placement", "with edges: zeros frames are centred"),
    (WESPEAKER, {"drop_last": True}, "drop_last", "goes with centred frames"),
    (MODELZOO, {"window": "povey"}, "window_periodic", "a Povey window is symmetric"),
    (MODELZOO, {"preemphasis": 0.97}, "preemphasis_over", "none, but preemphasis is 0.97"),
    (TAORUIJIE, {"preemphasis": 0}, "preemphasis", "0, but preemphasis_over is signal_reflected"),
    (MODELZOO, {"f_min": 8000.0}, "f_max", r"8000 must lie above f_min \(8000\)"),
    (MODELZOO, {"f_max": 8001.0}, "f_max", r"not above half of sample_rate \(8000\)"),
    (MODELZOO, {"n_mels": 202}, "n_mels", "202 bands of a spectrum of 201 bins"),
    (WESPEAKER, {"n_mels": 257}, "n_mels", "257 bands of a spectrum of 256 bins"),
    (WESPEAKER, {"mel_area_norm": True}, "mel_area_norm", "goes with mel: slaney or htk"),
    (SPEECHBRAIN, {"mel_area_norm": True}, "mel_area_norm", "speechbrain does not divide"),
    (RESEMBLYZER, {"floor": 1e-5}, "floor", "1e-05 has no use without a logarithm"),
    (RESEMBLYZER, {"floor_rule": "add"}, "floor_rule", "add has no use without a logarithm"),
    (MODELZOO, {"floor": 0.0}, "floor", "log: ln has no value at 0"),
    (SPEECHBRAIN, {"floor": 0}, "floor", "log: db has no value at 0"),
    (MODELZOO, {"top_db": 80}, "top_db", "80 goes with log: db, not with ln"),
    (NEMO, {"subtract_mean": False}, "deviation", "unbiased goes with subtract_mean: true"),
    (NEMO, {"deviation_eps": 0}, "deviation_eps", "0, but silent bands have a deviation of 0"),
    (MODELZOO, {"deviation_eps": 1e-5}, "deviation_eps", "1e-05 has no use with deviation: none"),
    (MODELZOO, {"gain": 0.0}, "gain", "0 would make all features equal"),
    # Values that are impossible whatever the others are.
    (MODELZOO, {"sample_rate": 0}, "sample_rate", "0 is not within 1000 to 1000000"),
    (MODELZOO, {"sample_rate": 16000.0}, "sample_rate", "16000.0 is not a whole number"),
    (MODELZOO, {"sample_rate": True}, "sample_rate", "true is not a whole number"),
    (MODELZOO, {"sample_rate": 10**5000}, "sample_rate", "a whole number of 16610 bits is not within"),
    (MODELZOO, {"scale": True}, "scale", "true is not a finite number"),
    (MODELZOO, {"scale": float("nan")}, "scale", "nan is not a finite number"),
    (MODELZOO, {"offset": float("-inf")}, "offset", "-inf is not a finite number"),
    (MODELZOO, {"scale": 10**400}, "scale", "a whole number of 1329 bits is not within"),
    (MODELZOO, {"scale": "1"}, "scale", "'1' is not a finite number"),
    (MODELZOO, {"scale": b"1"}, "scale", "a bytes is not a finite number"),
    (MODELZOO, {"scale": None}, "scale", "null is not a finite number$"),
    (MODELZOO, {"volume": "loud"}, "volume", "'loud' is not a finite number or null"),
    (MODELZOO, {"volume": 3}, "volume", "3 is not within -120 to 0"),
    (MODELZOO, {"floor": 1e-40}, "floor", "1e-40 is too small for single precision"),
    (MODELZOO, {"gain": 1e-300}, "gain", "too small for single precision"),
    (MODELZOO, {"n_fft": 1 << 17}, "n_fft", "131072 is not within 2 to 65536"),
    (MODELZOO, {"win_length": 1}, "win_length", "1 is not within 2 to"),
    (MODELZOO, {"hop_length": 0}, "hop_length", "0 is not within 2 to"),
    (MODELZOO, {"n_mels": 0}, "n_mels", "0 is not within 1 to 1024"),
    (MODELZOO, {"power": 3}, "power", "3 is not within 1 to 2"),
    (MODELZOO, {"preemphasis": 1.5, "preemphasis_over": "frame"}, "preemphasis", "1.5 is not within 0 to 1"),
    (MODELZOO, {"remove_dc": 0}, "remove_dc", "0 is neither true nor false"),
    (MODELZOO, {"window": "hanning"}, "window", "'hanning' is none of hann, hamming, povey"),
    (MODELZOO, {"window": None}, "window", "null is none of hann"),
    (MODELZOO, {"window": ["hann"]}, "window", "a list is none of hann"),
    (MODELZOO, {"window": "x" * 1000}, "window", r"x{50,60} \.\.\. is none of"),
    (MODELZOO, {"mel": "bark"}, "mel", "'bark' is none of htk, slaney, kaldi, speechbrain"),
]


@pytest.mark.parametrize(("contract", "values", "field", "words"), IMPOSSIBLE)
def test_what_is_impossible_is_refused_by_name(contract, values, field, words):
    with pytest.raises(InputError, match=words) as caught:
        changed(contract, **values)
    heading, *faults = str(caught.value).splitlines()
    assert heading == "the contract of the features is wrong:"
    assert f"  {field}: " in "".join(faults)
    assert len(faults) == 1
    if not any(isinstance(value, str) and value[:1].isdigit() for value in values.values()):  # text is read there
        with pytest.raises(InputError, match=words):
            Contract.from_mapping({**contract.to_mapping(), **values}, "test")


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        Contract(n_fft=0, window="x", gain=float("inf"))
    assert len(str(caught.value).splitlines()) == 4


REQUIRED = sorted(set(contract_fields.FIELDS) - set(NEUTRAL))


@pytest.mark.parametrize("name", REQUIRED)
def test_what_matters_may_not_be_omitted(name):
    mapping = {key: value for key, value in NEMO.to_mapping().items() if key != name}
    with pytest.raises(InputError, match=rf"^mine.yaml: .* wrong:\n  {name}: missing; "):
        Contract.from_mapping(mapping, "mine.yaml")


def test_what_has_no_meaning_may_be_omitted():
    mapping = RESEMBLYZER.to_mapping()
    for name in ("floor", "floor_rule", "window_placement", *NEUTRAL):
        if name != "volume":
            del mapping[name]
    assert Contract.from_mapping(mapping, "test") == RESEMBLYZER


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("floor", "1e-5", 1e-5),
        ("f_max", "8e3", 8000.0),
        ("n_fft", "512", 512),
        ("volume", "null", None),
        ("top_db", "none", None),
        ("subtract_mean", "true", True),
    ],
)
def test_numbers_and_truth_values_may_be_text(name, text, value):
    assert Contract.from_mapping({**MODELZOO.to_mapping(), name: text}, "test") == changed(MODELZOO, **{name: value})


def test_an_unknown_field_is_told_its_nearest():
    mapping = {**MODELZOO.to_mapping(), "windw": "hann", "layout": "FT", "hop": 160, 7: 7}
    with pytest.raises(InputError) as caught:
        Contract.from_mapping(mapping, "mine.yaml", {"windw": 3})
    _, *faults = str(caught.value).splitlines()
    assert faults[0] == "  windw (line 3): unknown field; did you mean window?"
    assert faults[1].startswith("  layout: unknown field; the fields are sample_rate, ")
    assert faults[2] == "  hop: unknown field; did you mean hop_length?"
    assert faults[3].startswith("  7: unknown field; ")


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from([10**400, "1e999", "nan", "9" * 5000, b"x", 1j, object()]),
        st.sampled_from(sorted({value for values in contract_fields.CHOICES.values() for value in values})),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(contract_fields.FIELDS)


@given(st.dictionaries(NAMES | st.text(max_size=12) | st.integers(), ANYTHING, max_size=40), contracts(), st.booleans())
@example({10**5000: 1, None: 2, (1, 2): 3, float("nan"): 4}, MODELZOO, True)
def test_any_mapping_is_a_contract_or_refused(mapping, contract, whole):
    mapping = {**contract.to_mapping(), **mapping} if whole else mapping
    text = refusal(Contract.from_mapping, mapping, "test")
    if text:
        assert text.startswith("test: ")
        assert max(map(len, text.splitlines())) < 500
    else:
        read = Contract.from_mapping(mapping, "test")
        assert Contract.from_mapping(read.to_mapping(), "test") == read


@given(NAMES, ANYTHING)
def test_one_value_of_any_kind(name, value):
    text = refusal(changed, MODELZOO, **{name: value})
    assert text is None or text.startswith("the contract of the features is wrong:\n  ")


@pytest.mark.parametrize("mapping", [None, [], "x", 5])
def test_what_is_no_mapping(mapping):
    with pytest.raises(InputError, match="is no contract"):
        Contract.from_mapping(mapping, "test")


def test_a_contract_needs_neither_numpy_nor_torch():
    code = "import sys; import asv.features.contract; print(sorted({'numpy', 'torch', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Files.


@given(contracts(), st.sampled_from(["yaml", "json", "indented json"]))
def test_files_of_contracts(tmp_path_factory, contract, form):
    mapping = contract.to_mapping()
    text = yaml.safe_dump(mapping) if form == "yaml" else json.dumps(mapping, indent=2 if " " in form else None)
    path = tmp_path_factory.getbasetemp() / "contract"
    path.write_text(text, encoding="utf-8")
    assert contract_file.read(path) == contract


RESEMBLYZERS_FILE = """
# The features of Resemblyzer's network.
sample_rate: 16000
volume: -30        # dB
edges: zeros
window: hann
window_periodic: true
win_length: 400
n_fft: 400
hop_length: 160
power: 2
mel: slaney
mel_area_norm: yes
n_mels: 40
f_min: 0
f_max: 8e3
log: none
cut: frames
"""


def test_a_file_by_hand(tmp_path):
    path = tmp_path / "contract.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + RESEMBLYZERS_FILE.encode())
    assert contract_file.read(path) == RESEMBLYZER


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mel: slaney", "mel: bark", r"\n  mel \(line 12\): 'bark' is none of"),
        ("n_mels: 40", "n_mel: 40", r"\n  n_mel \(line 14\): unknown field; did you mean n_mels\?$"),
        ("n_mels: 40", "n_mels: 40\nn_mels: 80", "n_mels stands in line 14 and again in line 15; delete one"),
        ("n_mels: 40", "n_mels: [40]", r"n_mels \(line 14\): a list is not a whole number"),
        ("n_mels: 40", "n_mels: {a: 40}", r"n_mels \(line 14\): a mapping is not a whole number"),
        ("n_mels: 40", "n_mels: 0x28", "'0x28' is not a whole number"),
        ("n_mels: 40", "n_mels: 4:30", "'4:30' is not a whole number"),
        ("n_mels: 40", "n_mels: " + "9" * 5000, "is not a whole number"),
        ("n_mels: 40", "n_mels: .nan", "'.nan' is not a whole number"),
        ("f_min: 0", "f_min: .inf", "'.inf' is not a finite number"),
        ("f_min: 0", "f_min: inf", r"f_min \(line 15\): inf is not a finite number"),
        ("f_min: 0", "f_min:", r"null is not a finite number"),
        ("log: none", "log: no", "'no' is none of none, ln, db"),
        ("log: none", "log: ln", r"\n  floor: missing; a number\n  floor_rule: missing; one of clamp, add$"),
        ("mel_area_norm: yes", "mel_area_norm: !!bool maybe", "'maybe' is neither true nor false"),
        ("mel: slaney", "mel: !!python/object/apply:os.system ['false']", "a list is none of"),
        ("f_min: 0", "f_min: 9000", r"\n  f_max \(line 16\): 8000 must lie above f_min \(9000\)"),
        ("log: none", "? [1]\n: 2", "line 17 has no name of a field"),
        ("log: none", "log: 'none", "not YAML in line"),
        ("log: none", "- x", "not YAML in line 17"),
        ("log: none", "log: none\n---\nlog: ln", "not YAML in line 18: but found another document"),
        ("log: none", "log: *x", "not YAML in line 17: found undefined alias"),
        ("log: none", "log: " + "[" * 20_000, "not YAML"),
        ("log: none", 'log: "\\UFFFFFFFF"', "not YAML"),
        ("log: none", "log: \0", "not YAML"),
    ],
)
def test_faults_of_files_have_lines(tmp_path, old, new, words):
    path = tmp_path / "mine.yaml"
    path.write_text(RESEMBLYZERS_FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        contract_file.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"# nothing\n", "it is empty"),
        (b"- 1\n", "line 1 is neither"),
        (b"hann\n", "line 1 is neither"),
        ("fenêtre: hann".encode("latin-1"), "not UTF-8"),
        (b"\xff\xfea\0:\0", "not UTF-8"),
        (b"#" * (1 << 17), "more than 64 KB"),
    ],
)
def test_files_that_are_none(tmp_path, content, words):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"mine.yaml: .*{words}"):
        contract_file.read(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none.yaml: .* cannot be read: No such file"):
        contract_file.read(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        contract_file.read(tmp_path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.integers(0, 400), st.integers(0, 40))
def test_any_bytes_are_read_or_refused(tmp_path_factory, noise, at, length):
    path = tmp_path_factory.getbasetemp() / "any"
    for content in (noise, RESEMBLYZERS_FILE.encode()[:at] + noise[:length] + RESEMBLYZERS_FILE.encode()[at:]):
        path.write_bytes(content)
        text = refusal(contract_file.read, path)
        assert text is None or text.startswith(f"{path}: ")
