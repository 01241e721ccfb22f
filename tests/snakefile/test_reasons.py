"""Params that say what they are: in the reason for a rerun, and nowhere else."""

import json

from asv.snakefile.reasons import Reason, versions


def test_the_command_has_the_text_and_the_reason_its_kind():
    reason = Reason("wavs", "4f5e")
    assert f"{reason}" == str(reason) == "4f5e"
    assert repr(reason) == "wavs: 4f5e"
    assert json.loads(json.dumps([reason])) == ["4f5e"]


def test_versions_are_told_in_the_order_of_the_names():
    assert repr(versions({"torch": "2", "numpy": "1"})) == "versions: numpy 1 torch 2"
