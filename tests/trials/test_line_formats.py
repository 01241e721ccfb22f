"""Formats of trial lists: all that are known, whole files of one, and what is refused rather than guessed."""

import itertools

import pytest

from asv.errors import InputError
from asv.trials import line_formats
from asv.trials.line_formats import LABELS
from asv.trials.lists import read_trials

A, B, C = "id1/s/1.wav", "id1/s/2.wav", "id2/t/1.wav"
TRIALS = [(True, A, B), (False, A, C), (True, B, A), (False, B, C)]


@pytest.fixture
def read(tmp_path):
    def get(content):
        (tmp_path / "list.txt").write_text(content)
        trials = read_trials(tmp_path / "list.txt")
        rows = zip(trials.targets.tolist(), trials.first, trials.second)
        return [(target, trials.names[a], trials.names[b]) for target, a, b in rows], trials.format

    return get


@pytest.fixture
def refused(read):
    def get(content):
        with pytest.raises(InputError, match=r"list\.txt: ") as caught:
            read(content)
        return str(caught.value)

    return get


def written(words=("1", "0"), last=False, separator=" ", score=False, trials=TRIALS):
    lines = []
    for number, (target, a, b) in enumerate(trials):
        label = words[0] if target else words[1]
        fields = [a, b, label] if last else [label, a, b]
        lines.append(separator.join(fields + [f"{0.25 * number - 0.5:g}"] * score))
    return lines


@pytest.mark.parametrize("separator", [" ", "\t", ",", ";", ", ", "  \t"])
@pytest.mark.parametrize("words", LABELS, ids="/".join)
def test_every_format_is_read_and_named(read, words, separator):
    for last, score, case in itertools.product([False, True], [False, True], [str, str.upper, str.title]):
        rows, form = read("\n".join(written(tuple(map(case, words)), last, separator, score)))
        assert rows == TRIALS
        named = "/".join(words)
        assert form.startswith(f"enrolment test {named}" if last else f"{named} enrolment test")
        assert ("comma-separated" in form) == ("," in separator)
        assert ("semicolon-separated" in form) == (";" in separator)
        assert form.endswith("the scores after it are not read") == score


VOXCELEB, KALDI, LAST = "1/0 enrolment test (VoxCeleb)", "enrolment test target/nontarget (Kaldi)", "enrolment test 1/0"
HEADER, KALDI_WORDS = ", header line left out", ("target", "nontarget")
QUOTED = [f'1,"{a}","{b}"' if target else f'"0","{a}",{b}' for target, a, b in TRIALS]
SCORED = written(last=True, separator=";", score=True)


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (written(), VOXCELEB),
        (written(KALDI_WORDS, last=True), KALDI),
        (written(("tgt", "imp"), last=True), "enrolment test tgt/imp (SITW, VOiCES)"),
        (written(last=True), LAST),
        (written(KALDI_WORDS, trials=TRIALS[:1]), "target/nontarget enrolment test"),
        (["label,enrolment,test", *written(separator=",")], f"{VOXCELEB}, comma-separated{HEADER}"),
        (["enroll test label", *written(last=True)], LAST + HEADER),
        (["enrolment test target", *written(last=True)], LAST + HEADER),
        (["target enroll test", *written()], VOXCELEB + HEADER),
        (["modelid\tsegmentid\ttargettype", *written(KALDI_WORDS, True, "\t")], KALDI + HEADER),
        (
            ["utt1;utt2;is_same;score", *SCORED],
            f"{LAST}, semicolon-separated, the scores after it are not read{HEADER}",
        ),
        (["# all pairs", "#", *written(), "# 1 a b", "#0 a b"], f"{VOXCELEB}, 4 comment lines left out"),
        (["# of", "label a b", *written()], f"{VOXCELEB}{HEADER}, 1 comment line left out"),
        (['"label","enrolment","test"', *QUOTED], f"{VOXCELEB}, comma-separated{HEADER}"),
    ],
)
def test_names_headers_and_comments(read, lines, form):
    rows, found = read("\n".join(lines) + "\n")
    assert found == form
    assert rows == TRIALS[: len(rows)]
    assert len(rows) in (1, 4)


def test_backslashes_separate(read):
    assert read("\n".join(written()).replace("/", "\\"))[0] == TRIALS


def test_kaldi_ids_need_no_folders(read):
    rows, _ = read("id1-a_b-1 id2-c-1 nontarget\nid1-a_b-1 id1-d-1 target\n")
    assert rows == [(False, "id1-a_b-1.wav", "id2-c-1.wav"), (True, "id1-a_b-1.wav", "id1-d-1.wav")]


def test_one_line_tells_how_all_are_read(read):
    """Utterances called 0 and 1, which are no labels since one line has none in the first place."""
    rows, form = read("0 1 1\n1 0 1\n1 x 0\nx 0 1\n")
    assert form == "enrolment test 1/0"
    assert rows[3] == (True, "x.wav", "0.wav")
    assert read("0 1 1\n1 0 0\n1 x x\n0 1 x\n")[1] == "1/0 enrolment test (VoxCeleb)"


@pytest.mark.parametrize("content", ["0 1 1\n1 0 0\n", "0 a 1\n1 b 0\n", "1 a 0 1\n1 a 1 0\n", "1\ta b\t0.5\n"])
def test_what_can_be_read_in_two_ways_is_refused(refused, content):
    message = refused(content)
    assert "every line can be read as" in message
    assert "line 1" in message
    assert "write labels as target and nontarget" in message


KINDS = [
    *(written(), written(last=True), written(KALDI_WORDS), written(KALDI_WORDS, last=True)),
    *(written(("tgt", "imp"), last=True), written(separator=","), written(score=True)),
]


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)))
def test_mixtures_name_the_first_line_of_each(refused, one, other):
    message = refused("\n".join(["", *one[:2], "", *other]))
    assert "a mixture of formats" in message
    assert "in line 2, '" in message
    assert f"in line 5 ({other[0]!r})" in message
    assert "4 of 6 lines are not of the first" in message


@pytest.mark.parametrize(
    "first",
    [
        *(
            f"2 {A} {B}",
            f"{A} {B}",
            f"1 {A}",
            f"label {A} {B}",
            "label enrolment",
            "what is this",
            "targt id1-s-1 id1-s-2",
            *("target0 id1/a/1.wav id2/a/2.wav", "id1.wav id2.wav label", "id1-a-00001 id2-a-00002 target0"),
        ),
        *("label enrolment test score", "x" * 100_000 + " a b", "label,enrolment,test"),
    ],
)
def test_a_first_line_is_a_header_only_if_it_names_columns(refused, first):
    message = refused("\n".join([first, *written()]))
    assert f"1 of 5 lines are not trials (line 1: {first[:80]!r})" in message


def test_a_header_is_the_first_line_or_none(refused):
    assert "1 of 5 lines are not trials (line 2: 'label enrolment test')" in refused(
        "\n".join([*written()[:1], "label enrolment test", *written()[1:]])
    )
    assert "2 of 2 lines are not trials" in refused("label enrolment test\nlabel enrolment test\n")
    assert "a mixture of formats" in refused("\n".join(["utt1 utt2 target", *written(last=True)]))


@pytest.mark.parametrize(("words", "last"), [(KALDI_WORDS, True), (("target", "impostor"), False)])
def test_a_list_that_begins_with_thousands_of_targets(read, words, last, monkeypatch):
    trials = [(True, f"a/{i}.wav", f"a/{i + 1}.wav") for i in range(3000)] + [(False, A, C)]
    looked_at = []
    found = line_formats.formats_of
    monkeypatch.setattr(line_formats, "formats_of", lambda line: looked_at.append(line) or found(line))
    rows, form = read("\n".join(written(words, last, trials=trials)))
    assert rows == trials
    assert "/".join(words) in form
    assert len(looked_at) < 10


@pytest.mark.parametrize("before", [[], [f"{A} #{A} 0"]], ids=["new", "named before"])
def test_a_comment_that_could_be_a_trial_is_refused(refused, before):
    message = refused("\n".join([*written(last=True), *before, f"#{A} {C} 0"]))
    assert f"line {5 + len(before)} could be a comment or a trial" in message


def test_only_comments(refused):
    assert "no trial in this list" in refused("# a\n#b\n")
