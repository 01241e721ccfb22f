"""Archives that nobody has checked: one checkpoint comes out, or nothing at all."""

import gzip
import hashlib
import http.server
import io
import random
import stat
import struct
import threading
import warnings
import zipfile

import pytest
import torch
from support.scripts import assert_one_error, run_script, unless_root

from asv import files
from asv.errors import InputError
from asv.network.archive import check_digest, checkpoint_in_folder, extract_checkpoint

WEIGHTS = {"step": 3, "model_state_dict": {"weight": torch.arange(64.0)}}


def torch_bytes(**options):
    """What torch.save writes."""
    stream = io.BytesIO()
    torch.save(WEIGHTS, stream, **options)
    return stream.getvalue()


CHECKPOINT = torch_bytes()


def make_zip(path, *entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of ``(name, content)``; a name may be a ZipInfo."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore", UserWarning)  # of equal names
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.fixture
def box(tmp_path):
    """A folder in a folder, so that what climbs out of it can be seen."""
    folder = tmp_path / "outer" / "box"
    folder.mkdir(parents=True)
    return folder


def unzip(archive, *options):
    """Run the stage; the output is ``out/checkpoint.pt`` beside the archive."""
    return run_script(
        "unzip_checkpoint.py", "--archive", archive, "--output", archive.parent / "out" / "checkpoint.pt", *options
    )


def everything(box):
    """All files below the outermost folder."""
    top = box.parent.parent
    return {str(path.relative_to(top)) for path in top.rglob("*") if not path.is_dir()}


def assert_refused(box, archive, *parts, options=()):
    """The stage says why in one line and leaves nothing anywhere."""
    before = everything(box)
    assert_one_error(unzip(archive, *options), *parts)
    assert everything(box) == before


def assert_unpacked(archive, content=CHECKPOINT, options=()):
    code, stderr = unzip(archive, *options)
    assert code == 0, stderr
    out = archive.parent / "out"
    assert [path.name for path in out.iterdir()] == ["checkpoint.pt"]
    assert (out / "checkpoint.pt").read_bytes() == content


# What is accepted


@pytest.mark.parametrize("name", ["checkpoint/checkpoint.pt", "checkpoint.pt", "./a b/é.PTH", "12:30/x.pt"])
def test_one_checkpoint_in_a_zip_comes_out(box, name):
    assert_unpacked(make_zip(box / "c.zip", ("readme.txt", b"hello"), (name, CHECKPOINT)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_read(box, compression):
    assert_unpacked(make_zip(box / "c.zip", ("c.pt", CHECKPOINT), compression=compression))


def test_shadow_files_of_a_mac_are_ignored(box):
    archive = make_zip(
        box / "c.zip",
        ("c/", b""),
        ("c/checkpoint.pt", CHECKPOINT),
        ("__MACOSX/c/._checkpoint.pt", b"x"),
        ("._d.pt", b"x"),
    )
    assert_unpacked(archive)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ["checkpoint.pt", "model.pth", "MODEL.PT"])
def test_bare_checkpoint_of_either_format_is_copied(box, name, new):
    content = torch_bytes(_use_new_zipfile_serialization=new)
    assert zipfile.is_zipfile(io.BytesIO(content)) == new
    (box / name).write_bytes(content)
    assert_unpacked(box / name, content)


def test_legacy_checkpoint_in_a_zip_comes_out(box):
    content = torch_bytes(_use_new_zipfile_serialization=False)
    assert_unpacked(make_zip(box / "c.zip", ("checkpoint.pt", content)), content)


def test_what_comes_out_replaces_what_was_there(box):
    (box / "out").mkdir()
    (box / "out" / "checkpoint.pt").write_bytes(b"old")
    assert_unpacked(make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT)))


# Entries that lead elsewhere


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.pt", "a/../../evil.txt", "/tmp/evil.txt", "//host/evil.txt"),
        *("..\\evil.txt", "a\\..\\..\\evil.txt", "\\evil.txt", "\\\\host\\share\\evil.txt"),
        *("C:\\evil.txt", "c:/evil.txt", "c:evil.txt"),
    ],
)
def test_entry_that_points_outside_refuses_the_archive(box, name):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT), (name, b"evil"))
    assert_refused(box, archive, archive, repr(name), "points outside the archive", "nothing unpacked")


def test_symbolic_link_refuses_the_archive(box):
    link = zipfile.ZipInfo("link.pt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT), (link, "/etc/passwd"))
    assert_refused(box, archive, archive, "'link.pt' is a symbolic link", "nothing unpacked")


def test_hostile_entry_within_a_bare_checkpoint_refuses_it(box):
    make_zip(box / "c.pt", ("archive/data.pkl", b"x"), ("../evil", b"evil"))
    assert_refused(box, box / "c.pt", "'../evil'", "points outside")


def test_hostile_entry_within_the_checkpoint_within_the_archive_refuses_it(box):
    inner = make_zip(box / "inner", ("archive/data.pkl", b"x"), ("../evil", b"evil")).read_bytes()
    archive = make_zip(box / "c.zip", ("checkpoint.pt", inner))
    assert_refused(box, archive, archive, "checkpoint.pt", "'../evil'", "points outside")


@pytest.mark.parametrize("name", [".", "./", "x\0y"])
def test_entry_of_an_empty_name_does_no_harm(box, name):
    archive = make_zip(box / "c.zip", (name, b"x"), ("checkpoint.pt", CHECKPOINT))
    assert_unpacked(archive)


# Bombs


def test_high_ratio_is_refused(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", bytes(10_000_000)))
    assert_refused(box, archive, archive, "10000000", "decompression bomb")


def test_bomb_beside_the_checkpoint_is_refused(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT), ("filler", bytes(10_000_000)))
    assert_refused(box, archive, "decompression bomb")


def test_bomb_within_the_checkpoint_is_refused(box):
    inner = make_zip(box / "inner", ("a/data.pkl", b"x"), ("a/data/0", bytes(10_000_000))).read_bytes()
    (box / "c.pt").write_bytes(inner)
    assert_refused(box, box / "c.pt", "decompression bomb")
    archive = make_zip(box / "c.zip", ("c.pt", inner))
    assert_refused(box, archive, "c.pt", "decompression bomb")


def test_many_entries_are_refused(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT), *((f"{i}.txt", b"") for i in range(10_001)))
    assert_refused(box, archive, archive, "10002 entries", "10000")


def in_directory(content, offset, value, entry=0):
    """The archive with a field of an entry of its central directory replaced."""
    place = [i for i in range(len(content)) if content[i : i + 4] == b"PK\1\2"][entry]
    return content[: place + offset] + value + content[place + offset + len(value) :]


COMPRESSED_SIZE, SIZE, CRC = 20, 24, 16


def test_size_that_is_declared_too_small_is_not_exceeded(box):
    """The bomb declares 100 kB; reading stops there, and the CRC tells."""
    archive = make_zip(box / "c.zip", ("checkpoint.pt", bytes(10_000_000)))
    archive.write_bytes(in_directory(archive.read_bytes(), SIZE, struct.pack("<I", 100_000)))
    assert_refused(box, archive, archive, "CRC", "fetch it again")


def test_packed_size_that_is_declared_too_large_does_not_hide_a_bomb(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", bytes(10_000_000)))
    archive.write_bytes(in_directory(archive.read_bytes(), COMPRESSED_SIZE, struct.pack("<I", 10_000_000)))
    assert_refused(box, archive, archive, "decompression bomb")


def test_entries_that_share_their_bytes_do_not_hide_a_bomb(box):
    """Each entry alone has an honest ratio; all of them together unpack a thousand times the file."""
    noise = random.Random(0).randbytes(20_000)
    archive = make_zip(box / "c.zip", ("checkpoint.pt", noise))
    content = archive.read_bytes()
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    directory = content[start:end] * 1000
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(directory), start, 0)
    archive.write_bytes(content[:start] + directory + tail)
    assert_refused(box, archive, archive, "decompression bomb")


# Damage


def test_wrong_crc(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT), compression=zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[len(CHECKPOINT) // 2] ^= 1
    archive.write_bytes(content)
    assert_refused(box, archive, archive, "CRC", "fetch it again")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_stream(box, compression):
    noise = random.Random(0).randbytes(5000)
    archive = make_zip(box / "c.zip", ("checkpoint.pt", noise), compression=compression)
    content = bytearray(archive.read_bytes())
    content[44:60] = b"\xff" * 16
    archive.write_bytes(content)
    assert_refused(box, archive, archive, "fetch it again")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_truncated_zip(box, kept):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(kept * len(content))])
    assert_refused(box, archive, archive, "empty" if kept == 0 else "a zip file whose end is missing; fetch it again")


def test_zip_whose_beginning_is_lost(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT))
    archive.write_bytes(archive.read_bytes()[-100:])
    assert_refused(box, archive, archive, "fetch it again")


def test_encrypted_zip(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT))
    archive.write_bytes(in_directory(archive.read_bytes(), 8, struct.pack("<H", 1)))
    assert_refused(box, archive, archive, "encrypted", "unpack it by hand", "checkpoint.archive")


def test_unknown_compression(box):
    archive = make_zip(box / "c.zip", ("checkpoint.pt", CHECKPOINT))
    archive.write_bytes(in_directory(archive.read_bytes(), 10, struct.pack("<H", 77)))
    assert_refused(box, archive, archive, "compression", "fetch it again")


def test_random_damage_ends_in_a_reason_or_in_the_checkpoint(tmp_path):
    """400 zips with flipped, cut and repeated bytes, within this process."""
    entries = ("a/b.txt", b"hello"), ("checkpoint.pt", torch_bytes(_use_new_zipfile_serialization=False))
    good = make_zip(tmp_path / "good.zip", *entries).read_bytes()
    dice, unpacked, messages = random.Random(2), 0, []
    for _ in range(400):
        content = bytearray(good)
        for _ in range(dice.choice((1, 2, 8))):
            content[dice.randrange(len(content))] = dice.choice((0, 1, 255, dice.randrange(256)))
        if dice.random() < 0.2:
            del content[: dice.randrange(200)]
        (tmp_path / "bad.zip").write_bytes(content)
        try:
            extract_checkpoint(tmp_path / "bad.zip", tmp_path / "out.pt")
            unpacked += 1
        except InputError as error:
            messages.append(str(error))
    assert unpacked
    assert messages
    assert all(str(tmp_path / "bad.zip") in message for message in messages)


# No checkpoint, or several


def test_zip_without_a_checkpoint(box):
    archive = make_zip(box / "c.zip", ("readme.txt", b"x"), ("model.onnx", b"x"))
    there = "found none; there is: readme.txt (a text that begins with 'x'), model.onnx (a text that begins with 'x')"
    assert_refused(box, archive, archive, "expected one checkpoint", there, "checkpoint.archive")


def test_zip_of_nothing(box):
    assert_refused(box, make_zip(box / "c.zip"), "found none; there is: no file")


def test_zip_of_two_checkpoints_names_them(box):
    archive = make_zip(box / "c.zip", ("a.pt", CHECKPOINT), ("b/c.pth", CHECKPOINT))
    assert_refused(box, archive, "found 2: a.pt, b/c.pth", "an archive of one, or to the checkpoint itself")


def test_zip_of_one_name_twice(box):
    archive = make_zip(box / "c.zip", ("a.pt", CHECKPOINT), ("a.pt", CHECKPOINT))
    assert_refused(box, archive, "found 2: a.pt, a.pt")


def test_zip_in_a_zip(box):
    inner = make_zip(box / "inner.zip", ("checkpoint.pt", CHECKPOINT)).read_bytes()
    archive = make_zip(box / "c.zip", ("inner.zip", inner))
    assert_refused(box, archive, "found none; there is: inner.zip (a zip archive)")
    archive = make_zip(box / "c.zip", ("checkpoint.pt", inner))
    assert_refused(box, archive, "found none; there is: checkpoint.pt (a zip archive)")


@pytest.mark.parametrize("name", ["c.zip", "c.tar.gz", "c.bin"])
def test_packed_file_that_is_no_tar(box, name):
    (box / name).write_bytes(gzip.compress(CHECKPOINT))
    assert_refused(box, box / name, box / name, "no tar archive in it", "unpack it by hand")


def test_no_archive_at_all(box):
    assert_refused(box, box / "gone.zip", "checkpoint.archive", str(box / "gone.zip"))


@unless_root
@pytest.mark.parametrize("name", ["c.zip", "c.pt"])
def test_archive_without_permission(box, name):
    make_zip(box / name, ("checkpoint.pt", CHECKPOINT)).chmod(0)
    assert_refused(box, box / name, box / name, "Permission denied")


# Digests


def test_right_digest_in_capitals_passes(box):
    archive = make_zip(box / "c.zip", ("c.pt", CHECKPOINT))
    assert_unpacked(archive, options=["--sha256", hashlib.sha256(archive.read_bytes()).hexdigest().upper()])


def test_wrong_digest_is_refused(box):
    archive = make_zip(box / "c.zip", ("c.pt", CHECKPOINT))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert_refused(
        box, archive, archive, f"SHA-256 is {found}", "0" * 64, "checkpoint.sha256", options=["--sha256", "0" * 64]
    )


def test_digest_of_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gone: cannot be read \(No such file.*checkpoint.archive"):
        check_digest(tmp_path / "gone", "0" * 64)


# Outputs


def test_writers_of_similar_names_leave_each_other_alone(tmp_path):
    with files.atomic_file(tmp_path / "c.pt.old") as first:
        first.write_bytes(b"old")
        with files.atomic_file(tmp_path / "c.pt") as second:
            second.write_bytes(b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.pt", "c.pt.old"]


# Folders


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["a.pt"], "a.pt"),
        (["A.PTH", "notes.txt"], "A.PTH"),
        (["checkpoint.pt", "older.pt"], "checkpoint.pt"),
        (["a.pt", "._a.pt", ".hidden.pt"], "a.pt"),
    ],
)
def test_folder_of_one_checkpoint(tmp_path, names, chosen):
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.pt").mkdir()
    assert checkpoint_in_folder(str(tmp_path)) == str(tmp_path / chosen)


@pytest.mark.parametrize(
    ("names", "found"), [([], "found none; there is: no file"), (["b.pt", "a.pt"], "found 2: a.pt, b.pt")]
)
def test_folder_of_no_or_two_checkpoints(tmp_path, names, found):
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=found) as caught:
        checkpoint_in_folder(str(tmp_path))
    assert repr(str(tmp_path)) in str(caught.value)
    assert "checkpoint.archive" in str(caught.value)


@unless_root
def test_folder_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(InputError, match=r"locked.*Permission denied"):
        checkpoint_in_folder(str(tmp_path / "locked"))


# Fetching


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the checkpoint whole or, by path, in broken ways."""

    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
        elif self.path == "/garbage":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ffff\r\n" + CHECKPOINT[:100])
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CHECKPOINT)))
            self.end_headers()
            self.wfile.write(CHECKPOINT[:100] if self.path == "/short" else CHECKPOINT)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    """Address of a local server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{service.server_port}"
        service.shutdown()


def fetch(url, folder, sha256=None):
    sha256 = sha256 or hashlib.sha256(CHECKPOINT).hexdigest()
    return run_script("fetch_checkpoint.py", "--url", url, "--sha256", sha256, "--output", folder / "fetched.zip")


def test_fetched_archive_of_the_right_digest_is_kept(server, tmp_path):
    code, stderr = fetch(f"{server}/whole", tmp_path)
    assert code == 0, stderr
    assert (tmp_path / "fetched.zip").read_bytes() == CHECKPOINT
    assert f"fetching {server}/whole" in stderr


def test_fetched_archive_of_another_digest_is_not_kept(server, tmp_path):
    outcome = fetch(f"{server}/whole", tmp_path, "0" * 64)
    found = hashlib.sha256(CHECKPOINT).hexdigest()
    assert_one_error(outcome, f"{server}/whole: SHA-256 is {found}", "0" * 64, "checkpoint.sha256")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("missing", "404"),
        ("short", f"100 of {len(CHECKPOINT)} bytes"),
        ("chunks", "IncompleteRead"),
        ("garbage", "cannot be fetched"),
        ("elsewhere", "file:///etc/passwd"),
        ("with space", "cannot be fetched"),
    ],
)
def test_broken_answers_leave_nothing_behind(server, tmp_path, path, fault):
    assert_one_error(fetch(f"{server}/{path}", tmp_path), f"{server}/{path}", fault)
    assert list(tmp_path.iterdir()) == []


def test_server_that_does_not_answer(tmp_path):
    outcome = fetch("http://127.0.0.1:9/x", tmp_path)
    assert_one_error(outcome, "http://127.0.0.1:9/x", "refused", "fetch it by hand and set checkpoint.archive")


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_other_schemes_are_not_fetched(tmp_path, scheme):
    (tmp_path / "secret").write_bytes(CHECKPOINT)
    outcome = fetch(f"{scheme}://{tmp_path}/secret", tmp_path)
    assert_one_error(outcome, f"{scheme}://", "only http and https are fetched")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
