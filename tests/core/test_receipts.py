"""What proves that a file is its job's: receipts, and the folder that they are written for."""

import os
from pathlib import Path

import pytest

from asv import receipts
from asv.errors import InputError
from asv.snakefile import outdated


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(path, text="content"):
    (path.parent).mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_file_fits_its_receipt_and_no_other(folder):
    path = make(folder / "a.txt")
    assert not receipts.fits("a.txt", "k1")
    receipts.write("a.txt", "k1")
    assert receipts.fits("a.txt", "k1")
    assert not receipts.fits("a.txt", "k2")
    receipts.check("a.txt", "k1")
    make(folder / "a.txt", "CONTENT")  # of equal length
    assert not receipts.fits("a.txt", "k1")
    assert path


def test_a_folder_fits_by_the_names_and_bytes_of_its_files(folder):
    make(folder / "d" / "x" / "one")
    make(folder / "d" / ".snakemake_timestamp")
    receipts.write("d", "k")
    (folder / "d" / ".snakemake_timestamp").unlink()
    assert receipts.fits("d", "k")
    (folder / "d" / "x" / "one").rename(folder / "d" / "x" / "two")
    assert not receipts.fits("d", "k")


def test_of_a_large_file_size_and_time_count_until_it_is_read(folder):
    (folder / "large").write_bytes(b"a" * (receipts.SMALL + 1))
    receipts.write("large", "k")
    written = (folder / "large").stat().st_mtime_ns
    (folder / "large").write_bytes(b"b" * (receipts.SMALL + 1))
    os.utime(folder / "large", ns=(written, written))
    assert receipts.fits("large", "k")
    with pytest.raises(InputError, match=r"large does not belong .* bytes are not those"):
        receipts.check("large", "k")
    assert not receipts.fits("large", "k"), "after it was found out, the next run makes it again"


def test_a_large_file_of_another_time_is_read_once(folder, monkeypatch):
    (folder / "large").write_bytes(b"a" * (receipts.SMALL + 1))
    receipts.write("large", "k")
    os.utime(folder / "large", (1e9, 1e9))
    assert receipts.fits("large", "k"), "a copy that does not keep times"
    with monkeypatch.context() as patch:
        patch.setattr(receipts, "digest", None)
        assert receipts.fits("large", "k")
    (folder / "large").write_bytes(b"b" * (receipts.SMALL + 1))
    assert not receipts.fits("large", "k"), "a backup of equal size"


@pytest.mark.parametrize("damage", ["", "[]", "{", "null", '{"key": "k"}', "\udcff"])
def test_a_damaged_receipt_proves_nothing(folder, damage):
    make(folder / "a.txt")
    receipts.write("a.txt", "k")
    receipts.place("a.txt").write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert not receipts.fits("a.txt", "k")
    with pytest.raises(InputError, match="made for others"):
        receipts.check("a.txt", "k")


def test_results_go_aside_in_order_and_replace_what_is_there(folder):
    make(folder / "results" / "eer_bs4.txt", "new")
    make(folder / "results" / "outdated" / "eer_bs4.txt", "older")
    make(folder / "results" / "scores" / "a.tsv", "new")
    make(folder / "results" / "outdated" / "scores" / "b.tsv", "older")
    make(folder / "work" / "x")
    paths = ["results/eer_bs4.txt", "results/absent", "results/scores", "work/x"]
    assert outdated.move(paths) == 2
    assert (folder / "results/outdated/eer_bs4.txt").read_text() == "new"
    assert [p.name for p in (folder / "results/outdated/scores").iterdir()] == ["a.tsv"]
    assert not (folder / "results/eer_bs4.txt").exists()
    assert (folder / "work" / "x").exists()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("results/a/b.txt", "results/outdated/a/b.txt"),
        ("module/results/a/b.txt", "module/results/outdated/a/b.txt"),
        ("results/module/results/a.txt", "results/module/results/outdated/a.txt"),
        ("work/module/results/a.txt", "work/module/results/outdated/a.txt"),
        ("results/module/work/features/0-of-1/features.npy", None),
        ("logs/a.log", None),
    ],
)
def test_results_are_what_lies_there_behind_a_modules_prefix(path, expected):
    assert outdated.place(path) == (None if expected is None else Path(expected))
