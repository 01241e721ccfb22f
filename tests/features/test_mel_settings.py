"""Settings of spectrograms that do not go together: refused by the same words in a script and in a configuration."""

import pytest
from support.scripts import assert_one_error, run_script

from asv.errors import InputError
from asv.features.mel_settings import MelSettings
from asv.snakefile.config import check


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"win_length": 512}, "win_length: 512 exceeds n_fft (400)"),
        ({"f_max": 9000.0}, "f_max: 9000.0 must lie above f_min (0.0) and not above half of sample_rate (16000)"),
        ({"f_min": 8000.0, "f_max": 8000.0}, "f_max: 8000.0 must lie above f_min (8000.0)"),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(InputError) as by_hand:
        MelSettings(**settings)
    assert str(by_hand.value).startswith(message)
    with pytest.raises(InputError) as configured:
        check({"features": {"f_min": 0.0, **settings}})
    assert f"features.{by_hand.value}" in str(configured.value)


def test_settings_that_go_together():
    assert MelSettings(f_min=7999.0, win_length=1).frames(320) == 3
    with pytest.raises(InputError, match=r"f_min: -1\.0 is below 0"):
        MelSettings(f_min=-1.0)


def test_the_script_says_so(tmp_path):
    (tmp_path / "wavs").mkdir()
    names = ("output", "manifest", "rejected", "sidecar")
    outputs = [word for name in names for word in (f"--{name}", tmp_path / name)]
    outcome = run_script("extract_features.py", "--root", tmp_path / "wavs", *outputs, "--n-fft", "256")
    assert_one_error(outcome, "win_length: 400 exceeds n_fft (256)")
