"""Layouts: patterns, trees of known corpora, trees that auto must not misread."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asv.dataset.layout import SESSIONS, UTTERANCES, parse
from asv.dataset.shards import shard_files, stamp
from asv.dataset.tree import find_speakers, known_lists, summary
from asv.errors import InputError
from asv.snakefile.config import check


def plant(root, *paths):
    """Empty files: finding speakers does not read audio."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def found(root, layout="auto", shared_speakers="refuse"):
    """Utterance id to ``(speaker, session)``."""
    tree = find_speakers([root], layout, shared_speakers)
    return {file.utterance: (file.speaker, file.session) for file in shard_files(tree, "0-of-1")}


def speakers(root, *options):
    return sorted({speaker for speaker, _ in found(root, *options).values()})


def refused(root, *options):
    with pytest.raises(InputError) as caught:
        found(root, *options)
    return str(caught.value)


def grid(pattern, **values):
    """Paths for all combinations of values."""
    return [pattern.format(**dict(zip(values, row))) for row in itertools.product(*values.values())]


# Known corpora, as docs/inputs.md has them: root, files, layout, shared_speakers, speakers, an id

VOXCELEB1 = grid("wav/{s}/{v}/0000{n}.wav", s=["id10270", "id10271"], v=["5r0dWxy17C8", "8jEAjG6SegY"], n=[1, 2])
VOXCELEB2 = grid("dev/aac/{s}/{v}/0000{n}.m4a", s=["id00012", "id00015"], v=["21Uxsk56VDQ", "2DLq_Kkc1r8"], n=[1, 2])
CN_CELEB_DATA = grid("{s}/{g}-0{n}-001.flac", s=["id00000", "id00800"], g=["singing", "vlog"], n=[1, 2])
CN_CELEB_EVAL = ["enroll/id00800-enroll.flac", "enroll/id00801-enroll.flac"]
CN_CELEB_EVAL += ["test/id00800-singing-01-001.flac", "test/id00801-live_broadcast-02-003.flac"]
LIBRISPEECH = grid("train-clean-100/{s}/{c}/{s}-{c}-000{n}.flac", s=[103, 1034], c=[1240, 1241], n=[0, 1])
LIBRISPEECH += grid("test-clean/{s}/{c}/{s}-{c}-000{n}.flac", s=[1089], c=[134686, 134691], n=[0, 1])
AISHELL = grid("wav/{p}/{s}/BAC009{s}W012{n}.wav", p=["train"], s=["S0002", "S0003"], n=[2, 3])
AISHELL += grid("wav/test/{s}/BAC009{s}W012{n}.wav", s=["S0764"], n=[1, 2])
VCTK = grid("wav48/{s}/{s}_00{n}.wav", s=["p225", "p226", "s5"], n=[1, 2])
VCTK_092 = grid("wav48_silence_trimmed/{s}/{s}_00{n}_mic{m}.flac", s=["p225", "s5"], n=[1, 2], m=[1, 2])
TIMIT = grid("{p}/DR{r}/F{x}JF0/S{u}.WAV", p=["TRAIN"], r=[1, 2], x=["C"], u=["A1", "A2", "X37"])
TIMIT = ["TRAIN/DR1/FCJF0/SA1.WAV", "TRAIN/DR1/FCJF0/SI1027.WAV", "TRAIN/DR1/MCPM0/SA1.WAV"]
TIMIT += ["TRAIN/DR2/FAJW0/SA1.WAV", "TEST/DR1/FAKS0/SA1.WAV", "TEST/DR8/MJLN0/SX9.WAV"]
VOICES = grid(
    "distant-16k/speech/train/rm{r}/{d}/{s}/Lab41-SRI-VOiCES-rm{r}-{d}-{s}-ch021625-sg0005-mc0{m}-stu-clo-dg090.wav",
    r=[1, 2],
    d=["babb", "none"],
    s=["sp0032", "sp0083"],
    m=[1, 5],
)
VOXFORGE = grid(
    "{s}/wav/a000{n}.wav", s=["Aaron-20080318-kdl", "Aaron-20080318-lbb", "anonymous-20080425-bda"], n=[1, 2]
)
FSDD = grid("recordings/{d}_{s}_{n}.wav", d=[0, 3], s=["jackson", "theo"], n=[0, 1])
RAVDESS = grid("Actor_0{s}/03-01-05-01-02-01-0{s}.wav", s=[1, 2])

CORPORA = {
    "VoxCeleb1": (VOXCELEB1, "auto", "refuse", "id10270 id10271", "id10270/5r0dWxy17C8/00001.wav"),
    "VoxCeleb2": (VOXCELEB2, "auto", "refuse", "id00012 id00015", "id00012/21Uxsk56VDQ/00001.wav"),
    "CN-Celeb data": (CN_CELEB_DATA, "auto", "refuse", "id00000 id00800", "id00000/singing-01-001.wav"),
    "CN-Celeb eval": (CN_CELEB_EVAL, "{speaker}-{utterance}", "merge", "id00800 id00801", "id00800/id00800-enroll.wav"),
    "LibriSpeech": (LIBRISPEECH, "auto", "refuse", "103 1034 1089", "103/1240/103-1240-0000.wav"),
    "AISHELL": (AISHELL, "auto", "refuse", "S0002 S0003 S0764", "S0002/BAC009S0002W0122.wav"),
    "VCTK": (VCTK, "auto", "refuse", "p225 p226 s5", "p225/p225_001.wav"),
    "VCTK 0.92": (VCTK_092, "auto", "refuse", "p225 s5", "p225/p225_001_mic1.wav"),
    "TIMIT": (TIMIT, "auto", "refuse", "FAJW0 FAKS0 FCJF0 MCPM0 MJLN0", "FCJF0/SA1.wav"),
    "TIMIT, lower case": (
        [path.lower() for path in TIMIT],
        "auto",
        "refuse",
        "fajw0 faks0 fcjf0 mcpm0 mjln0",
        "fcjf0/sa1.wav",
    ),
    "TIMIT, stated": (
        TIMIT,
        "{part}/{region}/{speaker}/{utterance}",
        "refuse",
        "FAJW0 FAKS0 FCJF0 MCPM0 MJLN0",
        "FCJF0/SA1.wav",
    ),
    "VOiCES": (
        VOICES,
        "auto",
        "merge",
        "sp0032 sp0083",
        "sp0032/Lab41-SRI-VOiCES-rm1-babb-sp0032-ch021625-sg0005-mc01-stu-clo-dg090.wav",
    ),
    "VoxForge": (
        VOXFORGE,
        "{speaker}-{date}-{n}/wav/{utterance}",
        "refuse",
        "Aaron anonymous",
        "Aaron/Aaron-20080318-kdl/wav/a0001.wav",
    ),
    "FSDD": (FSDD, "{digit}_{speaker}_{take}", "refuse", "jackson theo", "jackson/3_jackson_0.wav"),
    "FSDD, stated": (FSDD, "recordings/{digit}_{speaker}_{take}", "refuse", "jackson theo", "theo/0_theo_1.wav"),
    "RAVDESS": (RAVDESS, "auto", "refuse", "Actor_01 Actor_02", "Actor_01/03-01-05-01-02-01-01.wav"),
}


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("above", ["", "corpus"])
def test_known_corpora(tmp_path, name, above):
    paths, layout, shared, wanted, example = CORPORA[name]
    if above and "/" in layout and layout.index("{speaker}") > 0:
        pytest.skip("what lies above the speaker starts at the root")
    plant(tmp_path / above, *paths)
    ids = found(tmp_path, layout, shared)
    assert sorted({speaker for speaker, _ in ids.values()}) == wanted.split()
    assert example in ids
    assert len(ids) == len(paths)


@pytest.mark.parametrize("name", [name for name, corpus in CORPORA.items() if corpus[1] == "auto"])
def test_root_may_be_the_folder_of_the_speakers(tmp_path, name):
    paths, _, shared, wanted, _ = CORPORA[name]
    plant(tmp_path, *paths)
    first = wanted.split()[0]
    path = next(path for path in paths if f"/{first}/" in f"/{path}")
    root = tmp_path / path.split(f"{first}/")[0]
    ids = found(root)
    assert first in {speaker for speaker, _ in ids.values()}
    assert set(ids) <= set(found(tmp_path, "auto", shared))


def test_real_speech_and_the_sessions_of_both_kinds_of_layout(tmp_path, speech):
    assert speakers(speech / "fsdd16k") == [f"id2000{i}" for i in range(1, 7)]
    plant(tmp_path, "id10001/v1/1.wav", "x/id10002/v1/1.wav")
    assert found(tmp_path)["id10001/v1/1.wav"] == ("id10001", "v1")
    plant(tmp_path / "deep", "alice/a/b/1.wav")
    assert found(tmp_path / "deep", "{speaker}/{day}/{session}/{utterance}") == {"alice/a/b/1.wav": ("alice", "a/b")}
    plant(tmp_path / "flat", "alice/1.wav")
    assert found(tmp_path / "flat", "speaker/utterance") == {"alice/1.wav": ("alice", "")}


# Trees that auto does not read

IMPLAUSIBLE = {
    "regions": (
        grid("TEST/DR{r}/{s}/SA{n}.WAV", r=[1], s=["alice", "bob"], n=[1, 2]),
        ["DR1", "found TEST/DR1/alice/SA1.WAV"],
    ),
    "parts": (
        grid("{p}/{s}/{n}.wav", p=["train", "test"], s=["alice", "bob"], n=[1, 2]),
        ["of 2 speakers 2 would", "test, train"],
    ),
    "a part among speakers": (
        ["alice/s/1.wav", "bob/s/1.wav", "noise/free/1.wav"],
        ["of 3 speakers 1 would", ": noise;", "noise/free/1.wav"],
    ),
    "words with numbers": (grid("train-clean-100/{s}/{n}.wav", s=["x", "y"], n=[1]), ["train-clean-100"]),
    "a word and a letter": (grid("part_{p}/{s}/1.wav", p="ab", s=["x", "y"]), ["part_a, part_b"]),
    "women and men": (grid("{g}/{s}/1.wav", g=["female", "male"], s=["x", "y"]), ["female, male"]),
    "speakers below regions": (grid("{r}/spk{s}/1.wav", r=["north", "south"], s=[1, 2]), ["north", "spk1, spk2"]),
    "files bear names": (grid("{r}/{s}/{s}_0{n}.wav", r=["north"], s=["p1", "p2"], n=[1, 2]), ["p1, p2", "north"]),
    "one speaker": (grid("mine/{s}/{n}.wav", s=["alice", "bob"], n=[1, 2]), ["only speaker would be mine"]),
    "names with dates": (VOXFORGE, ["Aaron-20080318-kdl", "'{speaker}-{date}-{n}/*/{utterance}'"]),
    "words": (grid("data/{w}/{w}_{n}.wav", w=["yes", "no"], n=[1, 2]), ["data", "if no is a speaker"]),
    "sets": (grid("data/{w}/{w}_{n}.wav", w=["part1", "part2"], n=[1, 2]), ["data", "part1, part2"]),
    "speakers with sessions and without": (
        ["wav/p225/p225_1.wav", "wav/p226/p226_1.wav", "alice/s/1.wav"],
        ["of 2 speakers 1 would", "found wav/p225/p225_1.wav"],
    ),
    "dates": (grid("data/{w}/{w}_{n}.wav", w=["2024-01-05", "2024-01-06"], n=[1, 2]), ["data"]),
    "SITW": (grid("{p}/audio/{n}.flac", p=["dev", "eval"], n=["aaoao", "abcde"]), ["dev, eval", "audio"]),
    "CN-Celeb, whole": (
        ["data/id00000/vlog-01-001.flac", *(f"eval/{p}" for p in CN_CELEB_EVAL)],
        ["data, eval", "enroll, test"],
    ),
}


@pytest.mark.parametrize("name", IMPLAUSIBLE)
def test_implausible_trees_are_refused_with_what_was_found_and_the_setting(tmp_path, name):
    paths, parts = IMPLAUSIBLE[name]
    plant(tmp_path, *paths)
    message = refused(tmp_path)
    for part in ("<speaker>/<session>/<utterance>.wav", "dataset.layout: ", "docs/inputs.md", str(tmp_path), *parts):
        assert part in message
    assert len(message) < 700


@pytest.mark.parametrize("name", IMPLAUSIBLE)
def test_a_stated_layout_is_not_refused_as_implausible(tmp_path, name):
    paths, _ = IMPLAUSIBLE[name]
    plant(tmp_path, *(path for path in paths if path.count("/") == paths[0].count("/")))
    uppers = {path.split("/")[-3] for path in paths if path.count("/") == paths[0].count("/")}
    assert speakers(tmp_path, "speaker/session/utterance") == sorted(uppers)


def test_one_level_is_refused_unless_names_leave_no_doubt(tmp_path):
    plant(tmp_path / "names", "alice/1.wav", "bob/1.wav")
    message = refused(tmp_path / "names")
    assert "alice/1.wav is one level below" in message
    assert "dataset.layout: speaker/utterance" in message
    assert speakers(tmp_path / "names", "speaker/utterance") == ["alice", "bob"]
    plant(tmp_path / "video", "id10270/5r0dWxy17C8/00001.wav", "id10270/8jEAjG6SegY/00001.wav")
    assert "is one level below" in refused(tmp_path / "video" / "id10270")
    plant(tmp_path / "flat" / "data", "spk0/0.wav", "spk1/0.wav")
    assert speakers(tmp_path / "flat") == speakers(tmp_path / "flat" / "data") == ["spk0", "spk1"]


@pytest.mark.parametrize("upper", ["id1", "male1", "alice", "103", "p225", "S0002", "voice1", "test_alice", "Größe"])
def test_names_of_people_are_no_parts(tmp_path, upper):
    plant(tmp_path, *(f"{upper}/s{i}/{n}.wav" for i in range(2) for n in range(2)), "bob/s1/1.wav")
    assert speakers(tmp_path) == sorted([upper, "bob"])


# Patterns


@pytest.mark.parametrize(
    ("pattern", "name", "shown"),
    [
        ("speaker/session/utterance", "speaker/session/utterance", "<speaker>/<session>/<utterance>.wav"),
        ("{speaker}/{session}/{utterance}", "speaker/session/utterance", "<speaker>/<session>/<utterance>.wav"),
        ("{speaker}/{utterance}", "speaker/utterance", "<speaker>/<utterance>.wav"),
        ("part/speaker/utterance", "{part}/{speaker}/{utterance}", "<part>/<speaker>/<utterance>.wav"),
        ("wav48/{speaker}/{utterance}", "wav48/{speaker}/{utterance}", "wav48/<speaker>/<utterance>.wav"),
        ("**/{speaker}/*/{utterance}", "**/{speaker}/*/{utterance}", "**/<speaker>/*/<utterance>.wav"),
    ],
)
def test_names_of_layouts(pattern, name, shown):
    layout = parse(pattern)
    assert (layout.name, layout.shown) == (name, shown)
    assert parse(layout.name) is not None
    assert parse("{speaker}/{session}/{utterance}") == SESSIONS
    assert parse("{speaker}/{utterance}") == UTTERANCES


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("speker/utterance", ["unknown word 'speker'", "did you mean 'speaker'"]),
        ("Auto", ["did you mean 'auto'"]),
        ("<speaker>/<utterance>", ["did you mean 'speaker'"]),
        ("wav48/speaker/utterance", ["unknown word 'wav48'", "in braces"]),
        ("{speker}/{utterance}", ["{speaker} is missing (did you mean {speaker} by 'speker'?)"]),
        ("{part}/{utterance}", ["{speaker} is missing;"]),
        ("**", ["{speaker} is missing"]),
        ("{part}/{speaker}", ["last part must be {utterance}"]),
        ("{speaker}/{utterence}", ["last part must be {utterance}", "did you mean {utterance} by 'utterence'?"]),
        ("{speaker}/{session}", ["last part must be {utterance}"]),
        ("{speaker}/{utterance}/{take}", ["{utterance} must come last"]),
        ("{speaker}/{utterance}_mic1", ["{utterance} must come last"]),
        ("{utterance}_{speaker}", ["{utterance} must come last"]),
        ("{speaker}/{utterance}.wav", ["leave the suffix .wav out"]),
        ("{speaker}_{take}.FLAC", ["leave the suffix .FLAC out"]),
        ("{speaker}/{speaker}/{utterance}", ["{speaker} occurs 2 times"]),
        ("{speaker}/{utterance}/{utterance}", ["{utterance} occurs 2 times"]),
        ("/{speaker}/{utterance}", ["an empty part"]),
        ("{speaker}//{utterance}", ["an empty part"]),
        ("../{speaker}/{utterance}", ["dots alone"]),
        ("{speaker/{utterance}", ["braces"]),
        ("{speaker}}/{utterance}", ["braces do not match"]),
        ("{}/{speaker}/{utterance}", ["{} is no placeholder"]),
        ("{speaker!r}/{utterance}", ["{speaker!r} is no placeholder"]),
        ("{speaker}{session}/{utterance}", ["nothing between two placeholders"]),
        ("**/a/{speaker}/{utterance}", ["** must stand directly before"]),
        ("{speaker}/**/{utterance}", ["** must stand directly before"]),
        ("a**/{speaker}/{utterance}", ["** stands once"]),
        ("**/**/{speaker}/{utterance}", ["** stands once"]),
    ],
)
def test_patterns_that_are_none(pattern, parts):
    with pytest.raises(InputError) as caught:
        check({"dataset": {"root": "data", "layout": pattern}})
    for part in (f"dataset.layout: {pattern!r}", "docs/inputs.md", *parts):
        assert part in str(caught.value)


def test_the_demo_has_its_own_layout():
    for layout in ("auto", "speaker/session/utterance", "{speaker}/{session}/{utterance}"):
        assert check({"dataset": {"layout": layout}})["dataset"]["layout"] == layout
    with pytest.raises(InputError, match=r"'speaker/utterance' with dataset\.root: demo"):
        check({"dataset": {"layout": "speaker/utterance"}})


@pytest.mark.parametrize(
    ("pattern", "name", "speaker"),
    [
        ("{digit}_{speaker}_{take}", "3_jackson_0.wav", "jackson"),
        ("{digit}_{speaker}_{take}", "3_mary_ann_0.wav", None),
        ("{digit}_{speaker}_{take}", "jackson_0.wav", None),
        ("{speaker}_{utterance}", "mary_ann_01.wav", "mary"),
        ("{speaker}-{utterance}", "id00800-singing-01-001.flac", "id00800"),
        ("BAC009{speaker}W{utterance}", "BAC009S0002W0122.wav", "S0002"),
        ("{take}_{speaker}", "1_bob.WAV", "bob"),
        ("{take}_{speaker}", "1_bob_x.WAV", None),
        ("{speaker}__{utterance}", "a_b__c.wav", "a_b"),
        ("{speaker}_{utterance}", "_x.wav", None),
        ("*-{speaker}-*", "a-b-c.wav", "b"),
        ("({speaker})+{n}", "(x)+1.wav", "x"),
    ],
)
def test_speakers_in_files_names_are_read_in_one_way_or_none(pattern, name, speaker):
    assert parse(pattern).speaker_of(name) == speaker


def test_long_names_are_read_quickly():
    pattern = "_".join(f"{{p{i}}}" for i in range(20)) + "_{speaker}_{take}"
    assert parse(pattern).speaker_of("_".join("a" * 12 for _ in range(300)) + "!.wav") is None


def test_what_the_pattern_leaves_out_and_what_it_does_not_fit(tmp_path):
    plant(tmp_path, "wav48/p225/1.wav", "wav16/p225/1.wav", "txt/p225/1.txt")
    tree = find_speakers([tmp_path], "wav48/{speaker}/{utterance}")
    assert [Path(path).name for path in tree.left_out] == ["txt", "wav16"]
    assert "folders that the layout leaves out: 2, such as " in summary(tree)
    assert "no audio below" in refused(tmp_path, "wav96/{speaker}/{utterance}")
    assert "leaves out: 3" in refused(tmp_path, "wav96/{speaker}/{utterance}")
    assert "wav16/p225/1.wav: audio outside the layout <part>/<speaker>/<session>/<utterance>.wav" in refused(
        tmp_path, "{part}/{speaker}/{session}/{utterance}"
    )
    plant(tmp_path / "deep", "x/y/alice/1.wav", "x/bob/1.wav")
    assert "y/alice/1.wav: audio outside the layout" in refused(tmp_path / "deep", "{part}/{speaker}/{utterance}")
    assert speakers(tmp_path / "deep", "{part}/**/{speaker}/{utterance}") == ["alice", "bob"]
    plant(tmp_path / "names", "x/alice-1/wav/1.wav", "x/bob/wav/1.wav")
    assert "bob: its name does not fit the layout" in refused(tmp_path / "names", "{speaker}-{session}/wav/{utterance}")
    plant(tmp_path / "files", "1_alice_1.wav", "alice.wav")
    assert "alice.wav: its name does not fit the layout" in refused(tmp_path / "files", "{n}_{speaker}_{take}")
    plant(tmp_path / "mixed", "alice/1.wav", "alice/s/2.wav")
    assert "1 audio files a level too deep" in refused(tmp_path / "mixed", "speaker/utterance")
    assert "alice/1.wav: audio outside the layout" in refused(tmp_path / "mixed", "{p}/{speaker}/{utterance}")
    assert "alice/1.wav: audio beside session folders" in refused(tmp_path, "mixed/{speaker}/{session}/{utterance}")


def test_layout_does_not_depend_on_how_the_root_is_written(tmp_path, monkeypatch):
    plant(tmp_path, "x/wav/alice-1/1.wav", "x/wav/bob-2/1.wav")
    monkeypatch.chdir(tmp_path / "x")
    for root in (".", "./", "wav/..", tmp_path / "x", f"{tmp_path}//x//"):
        files = shard_files(find_speakers([root], "wav/{speaker}-{n}/{utterance}"), "0-of-1")
        assert (files[0].utterance, files[0].path) == ("alice/alice-1/1.wav", "wav/alice-1/1.wav")
        assert stamp(files) == stamp(shard_files(find_speakers(["."], "{speaker}-{n}/{utterance}"), "0-of-1"))


def test_very_deep_folders_are_refused(tmp_path):
    plant(tmp_path, "/".join("d" * 150) + "/s/1.wav")
    assert "more than 100 folders below dataset.root" in refused(tmp_path, "speaker/utterance")


def test_parts_that_share_speakers(tmp_path):
    plant(tmp_path, *grid("{p}/{s}/{p}{n}.wav", p=["dev", "test"], s=["alice", "bob"], n=[1, 2]))
    layout = "{part}/{speaker}/{utterance}"
    message = refused(tmp_path, layout)
    assert "2 of 2 speakers are found in more than one folder" in message
    assert "dataset.shared_speakers: merge" in message
    assert len(found(tmp_path, layout, "merge")) == 8
    plant(tmp_path, "dev/bob/test1.wav")
    message = refused(tmp_path, layout, "merge")
    assert "two files have the utterance id bob/test1.wav" in message
    assert "rename or remove one" in message


def test_changed_layout_changes_stamps_only_where_it_changes_ids(tmp_path):
    """One file, so that nothing but its id can differ."""
    plant(tmp_path, "wav/alice/v1/1_bob.wav")

    def digest(layout):
        return stamp(shard_files(find_speakers([tmp_path], layout), "0-of-1"))

    same = {digest(layout) for layout in ("auto", "speaker/session/utterance", "{part}/{speaker}/*/{utterance}")}
    assert len(same) == 1
    others = {digest(layout) for layout in ("{take}_{speaker}", "speaker/utterance", "{part}/*/{speaker}/{utterance}")}
    assert len(others) == 2
    assert not same & others


def test_summary_and_lists_above_speakers(tmp_path):
    plant(tmp_path, *grid("wav/id1000{s}/{v}/{n}.wav", s=[1, 2, 3], v=["v1", "v2"], n=[1, 2, 3]), "wav/veri_test.txt")
    tree = find_speakers([tmp_path])
    assert summary(tree) == (
        "data set: 3 speakers, such as id10001 (utterances: 6, sessions: 2, such as v1); "
        "layout speaker/session/utterance"
    )
    assert known_lists(find_speakers([tmp_path], "{part}/{speaker}/*/{utterance}")) == known_lists(tree)
    plant(tmp_path / "flat", "data/spk0/0.wav", "data/spk1/0.wav")
    assert summary(find_speakers([tmp_path / "flat"])) == (
        "data set: 2 speakers, such as spk0 (utterances: 1); layout speaker/utterance"
    )


def test_start_does_not_list_all_files(tmp_path, monkeypatch):
    """150,000 files are not looked at to find 1,251 speakers."""
    from asv.dataset import listing

    plant(tmp_path, *grid("wav/id1{s:04}/v{v}/1.wav", s=range(50), v=range(20)))
    listed = []
    monkeypatch.setattr(listing, "entries", lambda path, plain=listing.entries: listed.append(path) or plain(path))
    find_speakers([tmp_path])
    assert 50 < len(listed) < 6 * 50 + 20 * 6 + 50
    listed.clear()
    find_speakers([tmp_path], "{part}/{speaker}/{session}/{utterance}")
    assert 50 < len(listed) < 3 * 50


# Any pattern finds what was built by it

words = st.text("abc01", min_size=1, max_size=3)
HOLDERS = ["{speaker}", "{speaker}-{x}", "x_{speaker}", "{x}+{speaker}.b"]
FILES = ["{speaker}_{utterance}", "{x}_{speaker}_{y}", "a.{speaker}"]


def filled(draw, component, speaker):
    """A name that fits a component."""
    name = component.replace("{speaker}", speaker)
    for placeholder in ("{part}", "{x}", "{y}", "{session}", "{utterance}", "**", "*"):
        while placeholder in name:
            name = name.replace(placeholder, draw(words), 1)
    return name


@st.composite
def trees(draw):
    """A pattern, and paths that fit it with the speaker and the id of each."""
    above = draw(st.lists(st.sampled_from(["{part}", "*", "wav", "w-*"]), max_size=2))
    in_file = draw(st.booleans())
    holder = draw(st.sampled_from(FILES if in_file else HOLDERS))
    inside = [] if in_file else draw(st.lists(st.sampled_from(["{session}", "*", "flac"]), max_size=2))
    last = [] if in_file else ["{utterance}"]
    anywhere = draw(st.booleans())
    pattern = "/".join([*above, *(["**"] if anywhere else []), holder, *inside, *last])
    extra = draw(st.lists(words, max_size=2)) if anywhere or not above else []
    made = {}
    for speaker in draw(st.lists(words, min_size=1, max_size=4)):
        for _ in range(draw(st.integers(1, 3))):
            folders = [filled(draw, part, speaker) for part in above] + extra
            named = [filled(draw, part, speaker) for part in [holder, *inside, *last]]
            below = named if holder != "{speaker}" else named[1:] or named
            utterance = "/".join([speaker, *below]) + ".wav"
            made.setdefault(
                utterance, ("/".join([*folders, *named]) + draw(st.sampled_from([".wav", ".FLAC"])), speaker)
            )
    return pattern, made


@settings(max_examples=80)
@given(trees())
def test_what_was_built_by_a_pattern_is_found_by_it(tree):
    pattern, made = tree
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), *(path for path, _ in made.values()), "doc/readme.txt")
        places = {file.utterance: file for file in shard_files(find_speakers([folder], pattern, "merge"), "0-of-1")}
    assert {name: (file.path, file.speaker) for name, file in places.items()} == made
