"""When rejected files end a run, and which of them are shown."""

import pytest

from asv.features.manifest import Rejected
from asv.features.rejections import EXAMPLES, fault


def rejected(reason, count):
    return [Rejected(f"{reason}/{i}", f"{reason}/{i}.wav", reason, "why") for i in range(count)]


@pytest.mark.parametrize(
    ("used", "count", "on_bad_audio", "begin"),
    [
        (3, 0, "fail", None),
        (3, 2, "reject", None),
        (3, 2, "fail", "2 files cannot be used, and dataset.on_bad_audio is fail:"),
        (0, 2, "reject", "none of the 2 files can be used:"),
        (0, 2, "fail", "none of the 2 files can be used:"),
    ],
)
def test_what_ends_a_run(used, count, on_bad_audio, begin):
    found = fault(used, rejected("silent", count), on_bad_audio)
    assert found is None if begin is None else found.startswith(begin)


def test_each_reason_is_counted_and_has_an_example():
    lines = fault(0, [*rejected("silent", 1200), *rejected("damaged", 1)], "reject").splitlines()
    assert lines[1:3] == ["  1 damaged", "  1,200 silent"]
    assert lines[4] == "  damaged/0.wav: damaged: why"
    assert len(lines) == 4 + EXAMPLES
