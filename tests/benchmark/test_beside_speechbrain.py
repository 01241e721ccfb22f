"""The comparison with SpeechBrain runs, and the scores of both are equal; times are not looked at."""

import subprocess
import sys

import pytest
from support.paths import SCRIPTS
from support.synthetic import write_tree

PROGRAM = SCRIPTS.parent / "measurements" / "beside_speechbrain.py"


@pytest.mark.slow
def test_speechbrain_and_the_workflow_score_alike(tmp_path):
    write_tree(tmp_path, speakers=2)
    command = [sys.executable, str(PROGRAM), "--folder", str(tmp_path), "--channels", "16", "--utterances", "9"]
    command += ["--rounds", "1", "--threads", "2", "--seconds", "1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if result.returncode == 77:
        pytest.skip(result.stdout.strip())
    assert result.returncode == 0, result.stderr
    names = [line.split("|")[1].strip() for line in result.stdout.splitlines() if line.startswith("|")]
    assert names[2:5] == ["SpeechBrain, one by one", "SpeechBrain, 8 at a time", "openvino-f32"]
