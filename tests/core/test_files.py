"""Half-written files are never taken for whole ones."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from support.paths import SCRIPTS

from asv import files
from asv.features.npy import RowWriter, open_rows

WRITER = """
import sys; sys.path.insert(0, {scripts!r})
from asv import files
with files.{kind}({target!r}) as temporary:
    (temporary / "part" if {kind!r} == "atomic_folder" else temporary).write_text("half")
    print("ready", flush=True)
    input()
"""


def killed_writer(kind, target):
    """Kill a process with SIGKILL while it writes the target."""
    code = WRITER.format(scripts=str(SCRIPTS), kind=kind, target=str(target))
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)


def test_a_killed_writer_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path):
    target = tmp_path / "file"
    files.write_text(target, "old")
    killed_writer("atomic_file", target)
    assert target.read_text() == "old"
    assert len(os.listdir(tmp_path)) == 2
    files.write_text(target, "new")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_killed_writer_leaves_the_old_folder(tmp_path):
    target = tmp_path / "folder"
    with files.atomic_folder(target) as folder:
        (folder / "whole").write_text("old")
    killed_writer("atomic_folder", target)
    assert os.listdir(target) == ["whole"]
    with files.atomic_folder(target) as folder:
        (folder / "other").write_text("new")
    assert os.listdir(target) == ["other"]
    assert os.listdir(tmp_path) == ["folder"]


def fail_within(context, path):
    with context(path) as temporary:
        (temporary / "part" if temporary.is_dir() else temporary).write_text("half")
        raise ZeroDivisionError


@pytest.mark.parametrize("context", [files.atomic_file, files.atomic_folder])
def test_an_error_leaves_nothing(tmp_path, context):
    with pytest.raises(ZeroDivisionError):
        fail_within(context, tmp_path / "target")
    assert os.listdir(tmp_path) == []


def write_during_another_write(path):
    with files.atomic_file(path) as first:
        first.write_text("first")
        files.write_text(path, "second")


def test_two_writers_at_once_do_not_mix(tmp_path):
    """The later one wins; the earlier one, whose temporary file it swept, fails instead of overwriting."""
    with pytest.raises(FileNotFoundError):
        write_during_another_write(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "second"


def test_tables_keep_every_character_of_a_name(tmp_path):
    rows = [("id1/ä b/00001.wav", 'say "hi"'), ("id2/x/'00002'.wav", "")]
    files.write_table(tmp_path / "table.tsv", ("utterance", "note"), rows)
    assert [tuple(row.values()) for row in files.read_table(tmp_path / "table.tsv")] == rows


def test_json_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        files.write_json(tmp_path / "file.json", {"eer": float("nan")})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("rows", [0, 1, 3, 1000])
def test_rows_written_one_by_one_are_an_array(tmp_path, rows):
    values = np.random.default_rng(0).standard_normal((rows, 8, 20)).astype(np.float32)
    with (tmp_path / "rows.npy").open("wb") as stream:
        writer = RowWriter(stream, (8, 20))
        for row in values:
            writer.append(row)
        writer.close()
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), values)
    found = open_rows(tmp_path / "rows.npy")
    np.testing.assert_array_equal(found, values)
    assert isinstance(found, np.memmap) == (rows > 0)


def test_rows_of_another_shape_or_type_are_refused(tmp_path):
    with (tmp_path / "rows.npy").open("wb") as stream:
        writer = RowWriter(stream, (8, 20))
        for row in (np.zeros((8, 21), np.float32), np.zeros((8, 20))):
            with pytest.raises(ValueError, match=r"expected float32 \(8, 20\)"):
                writer.append(row)
