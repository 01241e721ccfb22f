"""Utterances are read some at once: nothing that comes of it depends on how many."""

import numpy as np
import pytest
from support.scripts import sine, write_sound

from asv.audio.reading import AudioRules
from asv.dataset.tree import AudioFile
from asv.features import extraction, front_ends
from asv.features.contract import Contract

COUNT = 11
REJECTED = (0, 4, 5, 10)


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    root = tmp_path_factory.mktemp("wavs")
    for index in range(COUNT):
        samples = np.zeros(8000) if index in REJECTED else sine(0.5 + index / 4, hertz=200 + 50 * index)
        write_sound(root / "id1" / "s" / f"{index:02}.wav", samples)
    return [AudioFile(str(root), f"id1/s/{index:02}.wav", f"id1/s/{index:02}.wav", 0, 0) for index in range(COUNT)]


def extracted(listed, front_end, **settings):
    crops = []
    used, rejected = extraction.extract(listed, AudioRules(), front_end, extraction.CropSettings(**settings), crops)
    return used, rejected, crops


@pytest.mark.parametrize("settings", [{"frames": 60, "crops": 2}, {"frames": None}], ids=["crops", "whole"])
@pytest.mark.parametrize(
    ("together", "held"), [(1, 1 << 30), (3, 1 << 30), (7, 1 << 30), (100, 1 << 30), (100, 20_000)]
)
def test_however_many_are_read_at_once(listed, monkeypatch, settings, together, held):
    front_end = front_ends.make(Contract())
    used, rejected, crops = extracted(listed, front_end, **settings)
    monkeypatch.setattr(extraction, "TOGETHER", together)
    monkeypatch.setattr(extraction, "HELD", held)
    assert extracted(listed, front_end, **settings)[:2] == (used, rejected)
    for found, expected in zip(extracted(listed, front_end, **settings)[2], crops, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert [entry.utterance for entry in used] == [
        file.utterance for index, file in enumerate(listed) if index not in REJECTED
    ]
    assert [file.utterance for file in rejected] == [listed[index].utterance for index in REJECTED]


def test_no_more_is_held_than_told(listed, monkeypatch):
    """Long recordings are not waited for: what is read ahead is bounded by samples, too."""
    monkeypatch.setattr(extraction, "HELD", 20_000)
    read, computed = [], []
    real = extraction.read_utterance

    def reading(file, *arguments):
        found = real(file, *arguments)
        read.append(len(found[1]))
        return found

    class Keep(list):
        def append(self, crop):
            computed.append(crop)
            assert sum(read[len(computed) - 1 :]) <= 20_000 + max(read)

    monkeypatch.setattr(extraction, "read_utterance", reading)
    rules, crops = AudioRules(), extraction.CropSettings(frames=60)
    extraction.extract(listed, rules, front_ends.make(Contract()), crops, Keep())
    assert len(computed) == COUNT - len(REJECTED)


def test_nothing_to_read():
    assert extracted([], front_ends.make(Contract())) == ([], [], [])
