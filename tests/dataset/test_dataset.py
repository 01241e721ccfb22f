"""Trees of files as users have them: what is found, what is refused, and when a shard is stale."""

import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripts import unless_root

from asv.dataset.shards import shard_files, shard_names, shard_of, stamp
from asv.dataset.tree import find_speakers, known_lists
from asv.errors import InputError


def touch(*paths, content=b"x"):
    """Files with the folders above them; nothing here looks inside."""
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def listed(*roots, shard="0-of-1", **options):
    """Utterance ids of a shard."""
    return [file.utterance for file in shard_files(find_speakers(roots, **options), shard)]


def refused(*roots, **options):
    """The message that the roots are refused with, at the latest when their files are listed."""
    with pytest.raises(InputError) as caught:
        listed(*roots, **options)
    return str(caught.value)


# Layouts


@pytest.mark.parametrize("above", ["", "wav", "vox1_test/wav", "a/b/c/d"])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV", ".Flac"])
def test_layouts_and_suffixes_lead_to_the_same_ids(tmp_path, above, suffix):
    touch(tmp_path / above / "id1" / "s" / f"00001{suffix}", tmp_path / above / "id2" / "s" / f"00001{suffix}")
    assert listed(tmp_path) == ["id1/s/00001.wav", "id2/s/00001.wav"]


def test_files_are_found_where_they_are_and_described(tmp_path):
    touch(tmp_path / "wav" / "id1" / "s" / "1.flac", content=b"abc")
    os.utime(tmp_path / "wav" / "id1" / "s" / "1.flac", (5, 1234.9))
    (file,) = shard_files(find_speakers([tmp_path]), "0-of-1")
    assert (file.root, file.path, file.size, file.mtime) == (str(tmp_path), "wav/id1/s/1.flac", 3, 1234)
    assert (file.utterance, file.speaker, file.session) == ("id1/s/1.wav", "id1", "s")


def test_several_roots_are_one_data_set(tmp_path):
    touch(tmp_path / "dev" / "wav" / "id1" / "s" / "1.wav", tmp_path / "test" / "id2" / "s" / "1.wav")
    assert listed(tmp_path / "dev", tmp_path / "test") == ["id1/s/1.wav", "id2/s/1.wav"]


@pytest.mark.parametrize("roots", [["dev", "test"], ["."]])
def test_speakers_in_several_folders_are_refused_with_counts_or_merged(tmp_path, roots):
    touch(tmp_path / "dev" / "wav" / "id1" / "s" / "1.wav", tmp_path / "test" / "id1" / "s" / "2.wav")
    touch(*(tmp_path / "dev" / "wav" / f"id{i}" / "s" / "1.wav" for i in range(2, 9)))
    touch(*(tmp_path / "test" / f"id{i}" / "s" / "2.wav" for i in (2, 3, 4, 9)))
    roots = [tmp_path / root for root in roots]
    message = refused(*roots)
    assert "4 of 9 speakers are found in more than one folder, such as id1 in " in message
    assert str(tmp_path / "dev" / "wav") in message
    assert str(tmp_path / "test") in message
    assert "dataset.shared_speakers: merge" in message
    assert "id4" not in message
    found = listed(*roots, shared_speakers="merge")
    assert [name for name in found if name.startswith("id1/")] == ["id1/s/1.wav", "id1/s/2.wav"]
    assert len(found) == 13


def test_a_root_named_twice_is_refused(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav")
    assert "1 of 1 speakers are found in more than one folder" in refused(tmp_path, f"{tmp_path}/../{tmp_path.name}")


def test_equal_file_names_in_different_folders_are_different_utterances(tmp_path):
    touch(*(tmp_path / speaker / session / "00001.wav" for speaker in ("a", "b") for session in ("x", "y")))
    assert listed(tmp_path) == ["a/x/00001.wav", "a/y/00001.wav", "b/x/00001.wav", "b/y/00001.wav"]


@pytest.mark.parametrize("name", ["mit Leerzeichen", "Größe é 日本語", "quote'\"s", "-dash", "a.b.c", "$(x) * [1]"])
def test_unusual_names_are_kept_as_they_are(tmp_path, name):
    touch(tmp_path / name / name / f"{name}.wav")
    assert listed(tmp_path) == [f"{name}/{name}/{name}.wav"]


def test_relative_root_and_trailing_slash_change_nothing(tmp_path, monkeypatch):
    touch(tmp_path / "wavs" / "id1" / "s" / "1.wav")
    monkeypatch.chdir(tmp_path)
    for root in ("wavs", "wavs/", "./wavs", "."):
        assert listed(root) == ["id1/s/1.wav"]


def test_folder_by_the_name_of_audio_is_a_folder(tmp_path):
    touch(tmp_path / "id1" / "interview.mp4" / "1.wav")
    assert listed(tmp_path) == ["id1/interview.mp4/1.wav"]


def test_what_file_managers_leave_behind_is_not_audio(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav")
    touch(
        tmp_path / "id1" / "s" / "._1.wav", tmp_path / "id1" / ".AppleDouble" / "1.wav", tmp_path / ".x" / "s" / "1.wav"
    )
    touch(tmp_path / "id1" / "s" / "notes.txt", tmp_path / "id1" / "meta.csv", tmp_path / "README.txt")
    assert listed(tmp_path) == ["id1/s/1.wav"]


def test_audio_that_cannot_be_read_is_found_to_be_rejected_later(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.m4a", tmp_path / "id2" / "s" / "1.wav")
    assert [file.path for file in shard_files(find_speakers([tmp_path]), "0-of-1")] == ["id1/s/1.m4a", "id2/s/1.wav"]


def test_links_to_folders_and_files_are_followed(tmp_path):
    touch(tmp_path / "store" / "x" / "s" / "1.wav", tmp_path / "store" / "y.wav")
    (tmp_path / "tree" / "id2" / "s").mkdir(parents=True)
    (tmp_path / "tree" / "id1").symlink_to(tmp_path / "store" / "x")
    (tmp_path / "tree" / "id2" / "s" / "2.wav").symlink_to(tmp_path / "store" / "y.wav")
    assert listed(tmp_path / "tree") == ["id1/s/1.wav", "id2/s/2.wav"]


# Trees that are refused


def test_missing_root(tmp_path):
    assert "dataset.root" in refused(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in refused(tmp_path / "nowhere")
    assert f"seen from {os.getcwd()}" in refused(tmp_path / "nowhere")


def test_root_that_is_a_file(tmp_path):
    touch(tmp_path / "a.wav")
    message = refused(tmp_path / "a.wav")
    assert f"no folder {str(tmp_path / 'a.wav')!r}" in message
    assert "set it to the folder of the wavs" in message


@pytest.mark.parametrize("files", [[], ["README.txt"], ["id1/s/notes.txt"], ["id1/s/.hidden.wav"]])
def test_tree_without_audio(tmp_path, files):
    touch(*(tmp_path / file for file in files))
    message = refused(tmp_path)
    assert f"no audio below {str(tmp_path)!r}" in message
    assert "<speaker>/<session>/<utterance>.wav" in message


def test_second_root_without_audio_is_not_overlooked(tmp_path):
    touch(tmp_path / "a" / "id1" / "s" / "1.wav")
    (tmp_path / "b").mkdir()
    assert f"no audio below {str(tmp_path / 'b')!r}" in refused(tmp_path / "a", tmp_path / "b")


def test_tree_of_one_level_or_root_that_is_a_speaker(tmp_path):
    """speaker/utterance.wav looks like session/utterance.wav: both remedies are told."""
    touch(tmp_path / "id1" / "1.wav", tmp_path / "id2" / "1.wav")
    message = refused(tmp_path)
    assert repr(str(tmp_path)) in message
    assert "<speaker>/<session>/<utterance>.wav" in message
    assert "name the folder above" in message
    assert "session folder" in message
    assert "dataset.layout: speaker/utterance" in message


def test_audio_directly_in_the_root(tmp_path):
    touch(tmp_path / "1.wav", tmp_path / "2.wav")
    message = refused(tmp_path)
    assert f"{tmp_path / '1.wav'}: audio outside the layout" in message
    assert "2 such" in message
    assert "dataset.root" in message


def test_audio_beside_session_folders(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav", tmp_path / "id1" / "2.wav")
    assert str(tmp_path / "id1" / "2.wav") in refused(tmp_path)


def test_audio_a_level_too_deep(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav", tmp_path / "id1" / "s" / "deep" / "er" / "2.wav")
    message = refused(tmp_path)
    assert f"{tmp_path / 'id1' / 's' / 'deep'}: 1 audio files a level too deep" in message
    assert "<speaker>/<session>/<utterance>.wav" in message


def test_the_same_id_in_two_roots_names_both_files(tmp_path):
    touch(tmp_path / "a" / "id1" / "s" / "1.wav", tmp_path / "b" / "wav" / "id1" / "s" / "1.wav")
    message = refused(tmp_path / "a", tmp_path / "b", shared_speakers="merge")
    assert "utterance id id1/s/1.wav" in message
    assert str(tmp_path / "a" / "id1" / "s" / "1.wav") in message
    assert str(tmp_path / "b" / "wav" / "id1" / "s" / "1.wav") in message
    assert "remove one" in message


@pytest.mark.parametrize("other", ["1.flac", "1.WAV", "1.m4a"])
def test_the_same_id_with_two_suffixes_names_both_files(tmp_path, other):
    touch(tmp_path / "id1" / "s" / "1.wav", tmp_path / "id1" / "s" / other)
    message = refused(tmp_path)
    assert str(tmp_path / "id1" / "s" / "1.wav") in message
    assert str(tmp_path / "id1" / "s" / other) in message


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\rb"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_tabs_and_line_breaks_in_names(tmp_path, name, level):
    parts = ["id1", "s", "1"]
    parts[level] = name
    touch(tmp_path / parts[0] / parts[1] / f"{parts[2]}.wav")
    message = refused(tmp_path)
    assert "a tab or line break" in message
    assert repr(name)[1:-1] in message
    assert "\n" not in message
    assert "rename" in message


@pytest.mark.parametrize("level", [0, 1, 2])
def test_names_that_are_not_utf8(tmp_path, level):
    parts = [b"id1", b"s", b"1"]
    parts[level] = b"caf\xe9"
    path = os.path.join(os.fsencode(tmp_path), parts[0], parts[1], parts[2] + b".wav")
    os.makedirs(os.path.dirname(path))
    Path(os.fsdecode(path)).write_bytes(b"x")
    message = refused(tmp_path)
    assert r"caf\xe9" in message
    assert "not UTF-8; rename" in message


def test_dangling_link_of_an_utterance(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav")
    (tmp_path / "id1" / "s" / "2.wav").symlink_to(tmp_path / "gone.wav")
    message = refused(tmp_path)
    assert str(tmp_path / "id1" / "s" / "2.wav") in message
    assert "dangling link" in message
    assert "mend or remove it" in message


@pytest.mark.parametrize("place", ["id2", "id1/t", "wav"])
def test_dangling_link_of_a_folder_is_not_overlooked(tmp_path, place):
    """A speaker on a disk that is not mounted must not just be absent from the result."""
    touch(tmp_path / "id1" / "s" / "1.wav")
    (tmp_path / place).symlink_to(tmp_path / "gone")
    message = refused(tmp_path)
    assert str(tmp_path / place) in message
    assert "dangling link" in message


@pytest.mark.parametrize("links", [["loop"], ["loop", "loop2"], ["id1/loop"], ["id1/s/loop"], ["a/b/loop", "a/c/loop"]])
def test_links_in_a_circle_are_refused_at_once(tmp_path, links):
    """Two such links would otherwise be followed 2**40 times."""
    touch(tmp_path / "id1" / "s" / "1.wav")
    for link in links:
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(tmp_path)
    message = refused(tmp_path)
    assert str(tmp_path / links[0]) in message
    assert len(message) < 1000


@pytest.mark.parametrize("place", ["self", "id1/self", "id1/s/self", "id1/s/self.wav"])
def test_link_to_itself(tmp_path, place):
    touch(tmp_path / "id1" / "s" / "1.wav")
    (tmp_path / place).symlink_to(tmp_path / place)
    message = refused(tmp_path)
    assert str(tmp_path / place) in message
    assert "mend or remove it" in message


def test_pipe_by_the_name_of_a_wav_is_not_waited_for(tmp_path):
    touch(tmp_path / "id1" / "s" / "1.wav")
    os.mkfifo(tmp_path / "id1" / "s" / "2.wav")
    message = refused(tmp_path)
    assert str(tmp_path / "id1" / "s" / "2.wav") in message
    assert "not a regular file" in message


@unless_root
@pytest.mark.parametrize("place", ["", "id1", "id1/s", "id2"])
def test_folder_without_permission(tmp_path, place):
    touch(tmp_path / "tree" / "id1" / "s" / "1.wav", tmp_path / "tree" / "id2" / "s" / "1.wav")
    locked = tmp_path / "tree" / place
    locked.chmod(0)
    try:
        message = refused(tmp_path / "tree")
    finally:
        locked.chmod(0o700)
    assert str(locked) in message
    assert "permission" in message.lower()


# Ids


# Shards

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20)


@given(st.sets(names, max_size=30), st.integers(1, 100))
def test_shards_partition_the_speakers(speakers, shards):
    found = shard_names(speakers, shards)
    members = {name: {s for s in speakers if f"{shard_of(s, shards)}-of-{shards}" == name} for name in found}
    assert all(members.values()), "a shard without a speaker"
    assert set().union(*members.values()) == speakers
    assert sum(map(len, members.values())) == len(speakers)
    assert all(0 <= shard_of(s, shards) < shards for s in speakers)


@given(st.sets(names, max_size=30), names, st.integers(1, 100))
def test_another_speaker_changes_one_shard_at_most(speakers, newcomer, shards):
    def parts(everybody):
        return {s: shard_of(s, shards) for s in everybody}

    before, after = parts(speakers), parts(speakers | {newcomer})
    assert {s: after[s] for s in before} == before


def test_shard_is_the_crc32_of_the_name_on_every_machine():
    assert shard_of("id10001", 64) == zlib.crc32(b"id10001") % 64 == 10
    assert shard_of("Größe", 1000) == zlib.crc32("Größe".encode()) % 1000
    assert shard_of("caf\udce9", 1000) == zlib.crc32(b"caf\xe9") % 1000


def test_shards_are_named_in_the_order_of_their_number():
    assert shard_names([f"id{i}" for i in range(500)], 12) == [f"{i}-of-12" for i in range(12)]


def test_shards_of_a_tree_hold_every_file_once_and_in_order(tmp_path):
    touch(*(tmp_path / f"id{i}" / f"s{j}" / f"{k}.wav" for i in range(9) for j in range(2) for k in range(2)))
    tree = find_speakers([tmp_path])
    parts = [[f.utterance for f in shard_files(tree, shard)] for shard in shard_names(tree.speakers, 3)]
    assert all(part == sorted(part) for part in parts)
    assert sorted(utterance for part in parts for utterance in part) == listed(tmp_path)
    for part in parts:
        assert len({shard_of(utterance.split("/")[0], 3) for utterance in part}) == 1


@pytest.mark.parametrize("shard", ["", "1", "3-of-3", "-1-of-3", "x-of-3", "0-of-0", "0-of-1-of-2"])
def test_name_that_is_no_shard(tmp_path, shard):
    touch(tmp_path / "id1" / "s" / "1.wav")
    with pytest.raises(InputError, match="K-of-N") as caught:
        listed(tmp_path, shard=shard)
    assert repr(shard) in str(caught.value)


# Staleness


def stamps(root, shards=4):
    tree = find_speakers([root])
    return {shard: stamp(shard_files(tree, shard)) for shard in shard_names(tree.speakers, shards)}


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    touch(*(root / f"id{i}" / "s" / f"{j}.wav" for i in range(12) for j in range(2)))
    for path in root.rglob("*.wav"):
        os.utime(path, (0, 1000))
    return root


def grow(path):
    path.write_bytes(b"longer")
    os.utime(path, (0, 1000))


def add(path):
    touch(path.with_name("new.wav"))


def rename(path):
    path.rename(path.with_name("renamed.wav"))


@pytest.mark.parametrize(
    "change",
    [grow, lambda path: os.utime(path, (0, 1001)), add, Path.unlink, rename],
    ids=["size", "time", "added", "deleted", "renamed"],
)
def test_a_change_makes_one_shard_stale(tree, change):
    before = stamps(tree)
    change(tree / "id3" / "s" / "1.wav")
    after = stamps(tree)
    assert {shard for shard in before if before[shard] != after[shard]} == {f"{shard_of('id3', 4)}-of-4"}


def test_another_speaker_makes_its_own_shard_stale(tree):
    before = stamps(tree)
    touch(tree / "newcomer" / "s" / "1.wav")
    after = stamps(tree)
    assert {shard for shard in after if before.get(shard) != after[shard]} == {f"{shard_of('newcomer', 4)}-of-4"}


def test_moving_the_root_reading_it_and_sub_seconds_make_nothing_stale(tree, tmp_path):
    before = stamps(tree)
    tree.rename(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*.wav"):
        os.utime(path, (2000, 1000.7))
    touch(tmp_path / "elsewhere" / "id1" / "s" / "notes.txt")
    assert stamps(tmp_path / "elsewhere") == before


# Lists that are recognised


def test_known_lists_are_found_in_the_root_and_above_the_speakers(tmp_path):
    touch(tmp_path / "a" / "wav" / "id1" / "s" / "1.wav", tmp_path / "b" / "id2" / "s" / "1.wav")
    wanted = [tmp_path / "a" / "veri_test2.txt", tmp_path / "a" / "wav" / "veri_test.txt"]
    touch(*wanted, tmp_path / "a" / "my_list.txt", tmp_path / "a" / "wav" / "id1" / "list_test_all.txt")
    (tmp_path / "b" / "list_test_hard.txt").mkdir()
    assert known_lists(find_speakers([tmp_path / "a", tmp_path / "b"])) == [str(path) for path in wanted]
