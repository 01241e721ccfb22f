"""A few thousand of the inputs that ``fuzz/audio.py`` makes for hours."""

import os
import tempfile

from fuzz import audio, driver


def test_audio_is_read_rightly_or_refused(monkeypatch):
    if os.access("/dev/shm", os.W_OK):  # the folders of the inputs take most of the time elsewhere
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    found = driver.fuzz("audio", audio.make_input, audio.check, count=2000)
    assert found["read"] > 200
    assert found["refused"] > 200
