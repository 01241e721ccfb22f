"""What a long loop says in a log file; the bar on a terminal is tested with the scripts."""

import pytest

from asv.progress import line, logged, progress


def lines(capsys, items, total, seconds):
    """What a loop says whose items take so many seconds each."""
    now = [0.0]
    for item in logged(items, "features", "utt", total, clock=lambda: now[0]):
        assert item is not None
        now[0] += seconds
    return capsys.readouterr().err.splitlines()


def test_a_short_loop_says_nothing(capsys):
    assert lines(capsys, range(100), 100, 0.29) == []
    assert lines(capsys, range(0), 0, 1) == []
    assert lines(capsys, [7], 1, 1000) == []  # it is over when it could say something


def test_a_long_loop_says_a_line_for_each_tenth(capsys):
    said = lines(capsys, range(1000), 1000, 0.5)
    assert len(said) == 9
    assert said[0] == "features: 100 of 1000 utt, 10 %, 50 s; about 8 min left"
    assert said[-1] == "features: 900 of 1000 utt, 90 %, 8 min; about 50 s left"


def test_lines_are_half_a_minute_apart(capsys):
    assert [text.split()[1] for text in lines(capsys, range(1000), 1000, 0.08)] == ["400", "800"]
    assert len(lines(capsys, range(5), 5, 40)) == 4  # fewer items than tenths


def test_a_loop_without_a_known_end_says_how_much_is_done(capsys):
    assert lines(capsys, iter(range(100)), None, 1) == [
        "features: 30 utt, 30 s",
        "features: 60 utt, 60 s",
        "features: 90 utt, 90 s",
    ]


@pytest.mark.parametrize(("total", "items"), [(None, [3, 4]), (2, iter([3, 4])), (None, iter([3, 4]))])
def test_items_are_handed_on(total, items):
    assert list(progress(items, "x", "y", total)) == [3, 4]


def test_the_words():
    assert line("fetch", "MB", 3, 4, 99) == "fetch: 3 of 4 MB, 75 %, 99 s; about 33 s left"
