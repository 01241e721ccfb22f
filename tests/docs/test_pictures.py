"""The pictures of the documents and the tables that they are drawn from."""

import re
import sys
from xml.etree import ElementTree

import pytest
from support.paths import REPO

sys.path.insert(0, str(REPO / "tools"))
import draw_benchmarks
import record_terminal

BENCHMARKS = draw_benchmarks.rows((REPO / "docs" / "benchmarks.md").read_text(encoding="utf-8"))


def test_the_picture_has_every_row_of_the_table():
    assert {engine for engine, *_ in BENCHMARKS} == set(draw_benchmarks.STYLES)
    assert len(BENCHMARKS) == 18
    assert all(0 < spread < rate for _, _, rate, spread in BENCHMARKS)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_speeds_of_the_readme_are_the_best_rows_of_the_table(readme):
    text = (REPO / readme).read_text(encoding="utf-8")
    shown = re.findall(r"^\| ([a-z]+-\w+) \| (\d+) \| ([\d.]+) \|", text, re.M)
    assert len(shown) == len(draw_benchmarks.STYLES)
    for engine, size, rate in shown:
        best = max((row for row in BENCHMARKS if row[0] == engine), key=lambda row: row[2])
        assert (int(size), float(rate)) == best[1:3], engine


@pytest.mark.parametrize("path", sorted((REPO / "docs" / "img").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_small_and_fetches_nothing(path):
    assert path.stat().st_size < 150_000
    text = path.read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert not re.search(r"(href|src|url)\W{1,3}https?:|@import|<script", text)
    assert not re.search(r"/(home|root|tmp|work)/\w", text.replace("work/demo", "")), "an absolute path"


def test_a_line_is_shown_as_it_ends_up_on_the_screen():
    assert record_terminal.clean("\x1b[32m 10 %\r 50 %\r100 % done\x1b[0m \r") == "100 % done"
    assert record_terminal.is_shown("Finished jobid: 5 (Rule: score)")
    assert record_terminal.is_shown("11 of 11 steps (100%) done")
    assert not record_terminal.is_shown("3 of 11 steps (27%) done")
    assert not record_terminal.is_shown("job                 count")
    assert not record_terminal.is_shown("extract_features        2")


def test_a_command_is_recorded_with_its_times(tmp_path):
    lines, seconds = record_terminal.lines_of("echo first; sleep 0.2; echo '<second>'", tmp_path)
    assert [line for _, line in lines] == ["first", "<second>"]
    assert lines[0][0] < lines[1][0] <= seconds
    with pytest.raises(SystemExit, match="exit code 3"):
        record_terminal.lines_of("exit 3", tmp_path)


def test_the_film_holds_every_line_and_escapes_it():
    text = record_terminal.drawing([(0.5, None, "$ a && b", True), (1.5, 2.25, "x" * 200, False)], "A film.")
    shown = [element.text for element in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
    assert shown == ["$ a && b", "x" * (record_terminal.COLUMNS - 1) + "…", "2.2 s", "A film."]
