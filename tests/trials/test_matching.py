"""Names in lists against ids of data sets: against a brute-force oracle, and the cases that people have."""

import numpy as np
import pytest
from fuzz.trial_lists import candidates
from hypothesis import given, settings
from hypothesis import strategies as st

from asv.errors import InputError
from asv.trials.lists import read_trials
from asv.trials.matching import places, spelled
from asv.trials.rows import match

IDS = ["id1/x6uY-q_1/00001.wav", "id1/x6uY-q_1/00002.wav", "id2/-a_b-/00001.wav", "id2/c/00007.wav"]


@pytest.mark.parametrize(
    ("name", "place", "kind"),
    [
        *((f"id2/c/00007{suffix}", 3, "id") for suffix in (".wav", "", ".FLAC", ".m4a", ".Wav")),
        ("/./id2//c/00007.wav", 3, "id"),
        ("id2\\c\\00007.wav", 3, "id"),
        ("wav/id1/x6uY-q_1/00001.wav", 0, "longer path"),
        ("/data/vox1/dev/wav/id1/x6uY-q_1/00001.flac", 0, "longer path"),
        ("C:\\vox\\id1\\x6uY-q_1\\00001.wav", 0, "longer path"),
        ("../../id1//x6uY-q_1/00002", 1, "longer path"),
        ("c/00007.wav", 3, "ending"),
        ("00007", 3, "ending"),
        ("-a_b-/00001.WAV", 2, "ending"),
        ("id1-x6uY-q_1-00001", 0, "Kaldi id"),
        ("id1_x6uY-q_1_00002", 1, "Kaldi id"),
        ("id2--a_b--00001.wav", 2, "Kaldi id"),
        *((name, -1, None) for name in ("id9/c/00007", "id1-x6uY_q_1-00001", "id2_c-00007", "d2/c/00007", "007")),
        *(
            (name, -1, None)
            for name in ("id2/c", "ID2/c/00007.wav", "test/id2-c-00007.wav", "x/00001.wav", "id2", "wav")
        ),
    ],
)
def test_ways_to_name_an_utterance(name, place, kind):
    found, kinds = places([spelled(name)], IDS)
    assert found.tolist() == [place]
    assert kinds == ({kind: 1} if kind else {})


@pytest.mark.parametrize(
    ("ids", "name", "both"),
    [
        (IDS, "00001.wav", "id1/x6uY-q_1/00001.wav and id2/-a_b-/00001.wav"),
        (["a/x/1.wav", "b/x/1.wav", "c/x/1.wav"], "x/1", "a/x/1.wav and b/x/1.wav"),
        (["a-b/c.wav", "a/b-c.wav"], "a-b-c", "a-b/c.wav and a/b-c.wav"),
        (["a_b/c.wav", "a/b_c.wav"], "a_b_c", "a_b/c.wav and a/b_c.wav"),
        (["a/b/c.wav", "b/c.wav"], "wav/a/b/c.wav", "a/b/c.wav and b/c.wav"),
        (["x/1.wav", "b/a/x/1.wav"], "a/x/1.wav", "x/1.wav and b/a/x/1.wav"),
        (["a/b.wav", "c/d/a-b.wav"], "a-b", "a/b.wav and c/d/a-b.wav"),
        (["a\\b/1.wav", "a/b/1.wav"], "a/b/1.wav", "a\\b/1.wav and a/b/1.wav"),
    ],
)
def test_a_name_of_several_utterances_is_refused_with_two(ids, name, both):
    with pytest.raises(InputError) as caught:
        places(["q/q/q.wav", spelled(name)], ids)
    assert f"1 of 2 utterances could be several of the data set's, such as {spelled(name)!r}: {both};" in str(
        caught.value
    )


def test_the_id_itself_is_never_ambiguous():
    assert places(["b/c.wav", "a/b/c.wav"], ["a/b/c.wav", "b/c.wav"])[0].tolist() == [1, 0]


part = st.text("ab-_", min_size=1, max_size=3)
some_ids = st.lists(
    st.lists(part, min_size=2, max_size=4).map(lambda p: "/".join(p) + ".wav"), max_size=12, unique=True
)
free_names = st.lists(part, min_size=1, max_size=5).map(lambda p: "/".join(p) + ".wav")


@given(some_ids, st.data())
@settings(max_examples=600)
def test_against_the_definition(ids, data):
    names = [free_names]
    if ids:  # names that are made of ids in every way
        known = st.sampled_from(ids)
        names += [known, known.map(lambda i: f"a/{i}"), known.map(lambda i: i.split("/", 1)[1])]
        names += [known.map(lambda i: i.replace("/", "-")), known.map(lambda i: i.replace("/", "_"))]
    name = data.draw(st.one_of(names))
    wanted = candidates(name, ids)
    if len(wanted) > 1:
        with pytest.raises(InputError, match="1 of 1 utterances could be several"):
            places([name], ids)
    else:
        assert places([name], ids)[0].tolist() == (wanted or [-1])


@given(st.text("ab./\\~ \twavWFLC", max_size=12))
def test_spelling_is_settled_after_once(name):
    once = spelled(name)
    assert spelled(once) == once
    assert once == "" or (once.endswith(".wav") and "\\" not in once and "//" not in once)


def test_one_utterance_by_several_names(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("1 id1-x6uY-q_1-00001 id2/c/00007\n1 c/00007 wav/id1/x6uY-q_1/00001.wav\n0 no/such/1.wav 00007\n")
    trials = read_trials(path)
    assert trials.duplicates == 0
    matched, kinds = match(trials, IDS)
    assert matched.names == [IDS[0], IDS[3], "no/such/1.wav"]
    assert kinds == {"id": 1, "longer path": 1, "ending": 2, "Kaldi id": 1}
    assert (matched.first.tolist(), matched.second.tolist()) == ([0, 1, 2], [1, 0, 1])
    assert matched.duplicates == 1
    path.write_text("1 id1-x6uY-q_1-00001 id2/c/00007\n0 c/00007 wav/id1/x6uY-q_1/00001.wav\n")
    with pytest.raises(InputError, match=r"list\.txt: 1 pairs are listed both as same and as different speaker"):
        match(read_trials(path), IDS)


def test_an_ambiguous_name_is_told_with_its_list(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("1 00001 id2/c/00007\n")
    with pytest.raises(InputError, match="trial list list: 1 of 2 utterances could be several"):
        match(read_trials(path), IDS)


@pytest.mark.parametrize("form", ["{}", "wav/{}", "kaldi", "deep"])
def test_large_lists_of_every_kind_of_names(form):
    """None may take the product of names and ids, 10^9 steps here."""
    ids = [f"id{s}/v{v}/{u}.wav" for s in range(100) for v in range(10) for u in range(50)]
    if form == "kaldi":
        names = [name.replace("/", "-") for name in ids]
    elif form == "deep":
        names = ["/".join(["x"] * 2000) + f"/{i}.wav" for i in range(200)]
    else:
        names = [form.format(name) for name in ids]
    found, _ = places(names, ids)
    np.testing.assert_array_equal(found, [-1] * 200 if form == "deep" else np.arange(len(ids)))
