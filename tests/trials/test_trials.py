"""Trial lists as people have them: odd spellings, and every way in which one can be wrong; cohorts."""

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripts import unless_root

from asv.dataset import tree
from asv.errors import InputError
from asv.scoring import metrics
from asv.trials import text_files
from asv.trials.cohort import match_cohort, read_cohort
from asv.trials.lists import read_trials
from asv.trials.official_lists import OFFICIAL_LISTS, recognise, voxceleb1_dev_speakers
from asv.trials.protocols import protocol_names
from asv.trials.rows import match, rows_of_trials

A, B, C = "id1/s/1.wav", "id1/s/2.wav", "id2/t/1.wav"


@pytest.fixture
def read(tmp_path):
    """Write a list (text or bytes), read it."""

    def get(content, name="list.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_trials(path)

    return get


@pytest.fixture
def refused(read):
    def get(content):
        with pytest.raises(InputError) as caught:
            read(content)
        return str(caught.value)

    return get


def spelled_out(trials):
    """Trials as ``(target, enrolment, test)``."""
    return [(bool(t), trials.names[a], trials.names[b]) for t, a, b in zip(trials.targets, trials.first, trials.second)]


# Formats


@pytest.mark.parametrize(
    "content",
    [
        f"1 {A} {B}\n0 {A} {C}\n",
        f"{A} {B} target\n{A} {C} nontarget\n",
        f"1 {A} {B}\n0 {A} {C}",
        f"1 {A} {B}\r\n0 {A} {C}\r\n",
        f"\ufeff1 {A} {B}\n0 {A} {C}\n",
        f"\n\n1 {A} {B}\n   \n0 {A} {C}\n\t\n\n",
        f"1\t{A}\t{B}\n0\t{A}\t{C}\n",
        f"1  {A}   {B}  \n  0 {A} {C}\n",
        f"1\t{A}\t{B} \n 0\t{A}\t{C}\r\n",
        f"{A}\t{B}\ttarget\r\n{A}\t{C}\tnontarget\r\n",
    ],
    ids=[
        *("VoxCeleb", "Kaldi", "no newline", "CRLF", "BOM", "blank lines"),
        *("tabs", "spaces", "tabs and spaces", "Kaldi tabs CRLF"),
    ],
)
def test_spellings_of_the_same_list(read, content):
    trials = read(content)
    assert spelled_out(trials) == [(True, A, B), (False, A, C)]
    assert (trials.name, trials.duplicates) == ("list", 0)
    assert (trials.first.dtype, trials.second.dtype, trials.targets.dtype) == (np.int64, np.int64, bool)


def test_md5_is_of_the_file_as_it_is(read):
    content = f"1 {A} {B}\r\n".encode()
    assert read(content).md5 == hashlib.md5(content).hexdigest()


def test_tabs_let_names_have_spaces_and_any_letters(read):
    trials = read("1\tJörg Ä/s 1/a b.wav\t日本/s/a\u3000b.wav\n0\tJörg Ä/s 1/a b.wav\tx/y/\u2028.wav\n")
    assert spelled_out(trials) == [
        (True, "Jörg Ä/s 1/a b.wav", "日本/s/a\u3000b.wav"),
        (False, "Jörg Ä/s 1/a b.wav", "x/y/\u2028.wav"),
    ]


@pytest.mark.parametrize(
    "name",
    ["id1/s/1.flac", "id1/s/1", "wav/id1/s/1.wav", "/data/vox1/id1/s/1.WAV", "./id1/s/1.m4a", "../x/id1//s/1.wav"],
)
def test_ways_to_name_an_utterance_lead_to_one_id(read, name):
    trials, _ = match(read(f"1 {name} {B}\n0 {A} {C}\n"), [C, B, A])
    assert spelled_out(trials) == [(True, A, B), (False, A, C)]
    assert trials.names == [A, B, C]


def test_dots_in_a_name_without_suffix_stay(read):
    """Else two utterances of one take would be taken for each other."""
    assert read("1 a/s/take.1 a/s/take.2\n").names == ["a/s/take.1.wav", "a/s/take.2.wav"]


def test_large_list_keeps_its_order(read):
    lines = [f"{i % 2} id{i % 97}/s/{i % 89}.wav id{i % 83}/t/{i}.wav" for i in range(20_000)]
    trials = read("\n".join(lines))
    assert len(trials.targets) == 20_000
    for i in (0, 1, 9_999, 19_999):
        assert spelled_out(trials)[i] == (i % 2 == 1, f"id{i % 97}/s/{i % 89}.wav", f"id{i % 83}/t/{i}.wav")


ids = st.sampled_from([f"s{i}/v/{j}.wav" for i in range(4) for j in range(3)])


@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=40))
def test_any_list_is_read_back_with_its_duplicates_counted(tmp_path_factory, pairs):
    truth = [a.split("/")[0] == b.split("/")[0] for a, b in pairs]
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_text("".join(f"{int(t)} {a} {b}\n" for t, (a, b) in zip(truth, pairs)))
    trials = read_trials(path)
    assert spelled_out(trials) == [(t, a, b) for t, (a, b) in zip(truth, pairs)]
    assert trials.duplicates == len(pairs) - len({frozenset(pair) for pair in pairs})


# Duplicates


def test_duplicates_are_counted_and_kept(read):
    trials = read(f"1 {A} {B}\n1 {A} {B}\n1 {B} {A}\n1 {A} wav/{B}\n0 {A} {C}\n")
    assert trials.duplicates == 2
    matched, _ = match(trials, [A, B, C])
    assert matched.duplicates == 3  # now it is known what wav/ means
    assert len(matched.targets) == 5
    assert matched.names == [A, B, C]


@pytest.mark.parametrize("second", [f"0 {A} {B}", f"0 {B} {A}", f"0 {B} wav/{A}", f"0 id1/s/1.flac {B}"])
def test_one_pair_with_both_truths_is_refused(read, second):
    with pytest.raises(InputError) as caught:
        match(read(f"0 {A} {C}\n1 {A} {B}\n{second}\n"), [A, B, C])
    message = str(caught.value)
    assert "list.txt: 1 pairs are listed both as same and as different speaker" in message
    assert f"{A} {B}" in message
    assert "correct the list" in message


# Malformed lists


@pytest.mark.parametrize(
    "line",
    [
        *("1", f"1 {A}", f"{A} {B}", f"1 {A} {B} {C}", "1 my file.wav your file.wav", "label enrolment test"),
        *(f"2 {A} {B}", f"-1 {A} {B}", f"truth {A} {B}", f"{A} {B} maybe", f"1.{A},{B}"),
        *(f"1\t\t{B}", f"1\t{A}\t", f"1 {A} .", f"1 / {B}", "1 .. .", f"1 {A} \\", f"1 {A}/.. {B}"),
    ],
)
def test_malformed_lines_are_told_by_number(refused, line):
    message = refused(f"1 {A} {B}\n\n{line}\n0 {A} {C}\n")
    assert "list.txt: 1 of 3 lines are not trials" in message
    assert f"line 3: {line!r}" in message
    assert "'1 enrolment test'" in message
    assert "speaker/session/utterance" in message


def test_only_the_first_malformed_lines_are_shown_and_none_at_length(refused):
    message = refused(f"1 {A} {B}\n" + "".join(f"bad {i} {'x' * 1000}\n" for i in range(50)))
    assert "50 of 51 lines" in message
    assert "line 2: 'bad 0" in message
    assert "line 4: 'bad 2" in message
    assert "line 5" not in message
    assert len(message) < 1000


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", " \t\r\n"])
def test_list_without_trials(refused, content):
    assert "list.txt: no trial in this list" in refused(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"\x89PNG\r\n\x1a\n\xff\xfe", 1), ("1 a/b/1.wav c/d/e.wav\n1 a/b/ü.wav c/d/e.wav".encode("latin-1"), 2)],
)
def test_list_that_is_not_text(refused, content, line):
    message = refused(content)
    assert f"list.txt: not UTF-8 text (line {line})" in message
    assert "is it a trial list?" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named_with_the_command_that_converts_it(refused, encoding):
    message = refused(f"1 {A} {B}\r\n0 {A} {C}\r\n".encode(encoding))
    assert (
        "list.txt: UTF-16 text, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8 'list.txt' > 'list_utf8.txt'" in message
    )


def test_a_line_without_an_end_is_refused_and_not_held(refused, monkeypatch):
    monkeypatch.setattr(text_files, "BLOCK", 1000)
    assert "list.txt: line 2 has more than 1,000 characters" in refused(f"1 {A} {B}\n" + "x" * 5000)


@pytest.mark.parametrize("block", [1, 7, 64, 10**6])
def test_blocks_do_not_matter(read, monkeypatch, block):
    content = f"\ufeff1 {A} {B}\r\n0 {A} {C}\r\n\r\n0 {B} {C}"
    wanted = spelled_out(read(content))
    monkeypatch.setattr(text_files, "BLOCK", max(block, len(f"1 {A} {B}")))
    assert spelled_out(read(content)) == wanted
    assert len(wanted) == 3


def test_list_of_zero_bytes_is_malformed(refused):
    assert "1 of 1 lines are not trials" in refused(bytes(100))


def test_missing_list_and_folder(tmp_path):
    for path, fault in ((tmp_path / "gone.txt", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=fault) as caught:
            read_trials(path)
        assert f"dataset.trials: cannot read {str(path)!r}" in str(caught.value)


@unless_root
def test_list_without_permission(tmp_path):
    (tmp_path / "list.txt").touch(mode=0)
    with pytest.raises(InputError, match=r"list\.txt.*Permission denied"):
        read_trials(tmp_path / "list.txt")


# Names of lists


def test_lists_are_named_by_their_stems():
    assert protocol_names(["a/veri_test.txt", "b/list.test.hard.txt", "x"]) == ["veri_test", "list.test.hard", "x"]


def test_equal_stems_are_refused_with_both_files():
    with pytest.raises(InputError) as caught:
        protocol_names(["a/veri_test.txt", "third.txt", "b/veri_test.trials"])
    message = str(caught.value)
    assert "b/veri_test.trials: 'veri_test' is also the name of another list, a/veri_test.txt" in message
    assert "dataset.trials" in message
    assert "rename" in message
    assert "third.txt" not in message


def test_stem_centroid_is_refused():
    with pytest.raises(
        InputError, match=r"a/centroid\.txt: 'centroid' is also the name of the original guide's protocol.*rename"
    ):
        protocol_names(["a/centroid.txt"])


def test_stem_of_the_unbiased_centroid_protocol_is_refused():
    with pytest.raises(InputError, match=r"'centroid_leave_one_out' is also the name of the original guide's"):
        protocol_names(["a/centroid_leave_one_out.txt"])


# Official lists


def test_the_official_lists_are_those_that_are_looked_for():
    assert sorted(official.file for official in OFFICIAL_LISTS) == sorted(tree.KNOWN_LISTS)
    assert len({official.md5 for official in OFFICIAL_LISTS}) == len({o.name for o in OFFICIAL_LISTS}) == 6


@pytest.fixture
def official(read):
    """A list with the counts of an official one, of any name and MD5."""

    def get(wanted, **changes):
        targets = np.arange(wanted.targets + wanted.nontargets) < wanted.targets
        return dataclasses.replace(read(f"1 {A} {B}\n"), file=wanted.file, targets=targets, **changes)

    return get


@pytest.mark.parametrize("wanted", OFFICIAL_LISTS, ids=lambda wanted: wanted.name)
def test_official_lists_are_recognised(official, wanted):
    assert recognise(official(wanted)) == (wanted.name, None)  # by name and counts: line ends may differ
    trials = official(wanted)
    assert recognise(dataclasses.replace(trials, file="mine.txt")) == (None, None)
    assert recognise(dataclasses.replace(trials, file="mine.txt", md5=wanted.md5)) == (wanted.name, None)
    name, other = recognise(dataclasses.replace(trials, targets=trials.targets[1:]))
    assert name is None
    assert other == {
        "file": wanted.file,
        "list": wanted.name,
        "targets": wanted.targets,
        "nontargets": wanted.nontargets,
        "own_targets": wanted.targets - 1,
        "own_nontargets": wanted.nontargets,
    }


def test_the_md5_tells_more_than_the_name(official):
    cleaned = OFFICIAL_LISTS[1]
    assert recognise(official(OFFICIAL_LISTS[0], md5=cleaned.md5)) == (cleaned.name, None)


def test_development_speakers_of_voxceleb1():
    heard = {"id10001", "id10269", "id10310", "id11251"}
    others = {"id10000", "id11252", "id10270", "id10309", "id00017", "id1100", "id100010", "s10001", "id1１001", "p1"}
    assert voxceleb1_dev_speakers(heard | others) == heard
    everyone = {f"id{number}" for number in range(10000, 12000)}
    assert len(voxceleb1_dev_speakers(everyone)) == 1211


# Cohorts


def test_a_cohort_has_each_utterance_once_in_its_order(tmp_path):
    path = tmp_path / "cohort.txt"
    path.write_bytes(f"\ufeff{C}\r\n\r\nwav/{A}\n{C}\n  id1/s/2.flac  ".encode())
    assert list(read_cohort(path)) == [C, f"wav/{A}", B]
    assert match_cohort(path, [A, B, C], {A: 5, B: 6, C: 7}, {}) == [7, 5, 6]


def test_a_cohort_may_name_utterances_as_lists_do(tmp_path):
    path = tmp_path / "cohort.txt"
    path.write_text("id1-s-1\nid1\\s\\2.WAV\nt/1\n/data/id1/s/1.wav\n")
    assert match_cohort(path, [A, B, C], {A: 5, B: 6, C: 7}, {}) == [5, 6, 7]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("\n", ["no utterance in this cohort"]),
        (f"{A}\n\n..\n/\n", ["2 of 3 lines are not utterances (line 3: '..')", "one utterance per line"]),
        (f"{A}\n\nid9-s-1\n{B}\n", ["2 of 3", "in line 3", "id9-s-1 (not in the data set)", f"{B} (rejected: silent)"]),
        ("1\n", ["1 of 1 utterances could be several", "id1/s/1.wav and id2/t/1.wav"]),
    ],
)
def test_wrong_cohorts_are_told_by_line(tmp_path, content, parts):
    path = tmp_path / "cohort.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=r"cohort\.txt: ") as caught:
        match_cohort(path, [A, B, C], {A: 0, C: 1}, {B: "rejected: silent"})
    for part in parts:
        assert part in str(caught.value)


def test_a_cohort_that_is_not_text(tmp_path):
    path = tmp_path / "cohort.txt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(InputError, match=r"cohort\.txt: not UTF-8 text.*is it a list of utterances"):
        read_cohort(path)


# Against a data set


def test_rows_are_those_of_the_utterances(read):
    trials = read(f"1 {A} {B}\n0 {C} {A}\n")
    first, second, targets, skipped = rows_of_trials(trials, {C: 0, B: 1, "x/y/z.wav": 2, A: 3}, {}, "fail")
    assert (first.tolist(), second.tolist(), targets.tolist(), skipped) == ([3, 0], [1, 3], [True, False], 0)


def test_unknown_utterances_fail_with_counts_and_reasons(read):
    trials = read(f"1 {A} {B}\n0 {A} {C}\n0 {B} {C}\n1 {A} x/y/z.wav\n0 {A} id1/s/3.wav\n")
    with pytest.raises(InputError) as caught:
        rows_of_trials(trials, {A: 0, B: 1, "id1/s/3.wav": 2}, {C: "rejected: silent"}, "fail")
    message = str(caught.value)
    assert "trial list list: 3 of 5 trials name 2 utterances that are not used" in message
    assert f"{C} (rejected: silent), x/y/z.wav (not in the data set)" in message
    assert "scoring.on_missing_trial: skip" in message


def test_unknown_utterances_are_skipped_and_counted_on_request(read):
    trials = read(f"1 {A} {B}\n0 {A} {C}\n0 x/y/z.wav {C}\n0 {C} {B}\n")
    first, second, targets, skipped = rows_of_trials(trials, {A: 0, B: 1}, {}, "skip")
    assert (first.tolist(), second.tolist(), targets.tolist(), skipped) == ([0], [1], [True], 3)


@pytest.mark.parametrize("missing", ["fail", "skip"])
def test_list_of_another_data_set_is_refused(read, missing):
    with pytest.raises(InputError, match="trial list list: ") as caught:
        rows_of_trials(read(f"1 {A} {B}\n0 {A} {C}\n"), {"x/y/z.wav": 0}, {}, missing)
    assert "2 trials" in str(caught.value)
    assert "data set" in str(caught.value)
    assert "utterances of the data set are named as x/y/z.wav" in str(caught.value)


@pytest.mark.parametrize("missing", ["fail", "skip"])
def test_enrolment_by_several_utterances_is_explained(read, missing):
    lines = "id00800-enroll test/id00800-singing-01-001.wav 1\nid00801-enroll test/id00800-singing-01-001.wav 0\n"
    trials, _ = match(read(lines), [A, B])
    with pytest.raises(
        InputError, match=r"2 of them are enrolment models, such as id00800-enroll: .*CN-Celeb.*not supp"
    ):
        rows_of_trials(trials, {A: 0, B: 1}, {}, missing)


@pytest.mark.parametrize(("label", "kind"), [("1", "targets"), ("0", "nontargets")])
def test_list_of_one_class_tells_which(read, label, kind):
    trials = read(f"{label} {A} {B}\n{label} {A} {C}\n")
    with pytest.raises(InputError, match=f"2 trials, all of them {kind}: error rates need both classes"):
        metrics.summary([0.1, 0.2], trials.targets)


def test_score_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="1 of 3 scores are not finite"):
        metrics.summary([0.1, np.nan, 0.3], [True, False, True])
