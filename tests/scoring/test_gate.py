"""The gate's verdicts on made-up intervals, and what it makes of rows that it cannot decide."""

import math

import pytest
from support.scripts import assert_one_error, run_script

from asv import files
from asv.scoring import gate

COSINES = {"min_cosine": 0.9999, "mean_cosine": 1.0}


def change(difference, low=None, high=None, sides=3, speakers=30, reason="no interval was made"):
    """As :func:`asv.scoring.agreement.eer_changes` has it, in points."""
    rates = dict(zip(("difference", "low", "high"), (x if x is None else x / 100 for x in (difference, low, high))))
    return {**rates, "sides_changed": sides, "speakers": speakers, "reason": None if high is not None else reason}


@pytest.mark.parametrize(
    ("found", "verdict", "words", "needed"),
    [
        (change(0.0, -0.1, 0.1), "PASS", "", None),
        (change(0.1, 0.05, 0.2), "PASS", "", None),  # at the limit
        (change(-0.5, -0.9, 0.0), "PASS", "", None),
        (change(0.5, 0.21, 0.9), "FAIL", "is above 0.2", None),
        (change(0.0, -0.3, 0.3), "UNDECIDED", "some 140 speakers would settle it, here are 30", 140),
        (change(0.3, 0.2, 0.6), "UNDECIDED", "+0.300 points (+0.200 to +0.600)", 62),
        (change(0.2, 0.1, 0.3), "UNDECIDED", "more speakers than can be told would settle it", None),
        (change(0.0, 0.0, 0.0, sides=0), "PASS", "not one trial changes sides", None),
        (change(0.0, sides=0), "PASS", "not one trial changes sides", None),
        (change(0.0, -0.3, 0.3, sides=0), "UNDECIDED", "some 140", 140),  # none at the EER, yet in draws
        (change(0.0), "UNDECIDED", "has no interval: no interval was made", None),
        (change(5.0), "UNDECIDED", "+5.000 points, has no interval", None),
    ],
)
def test_the_interval_decides(found, verdict, words, needed):
    judgement = gate.judge(found, 0.002)
    assert (judgement.verdict, judgement.speakers_needed) == (verdict, needed)
    assert words in judgement.words
    written = gate.verdict(COSINES, {"list": found}, 0.999, 0.002)
    assert (written["gate"], written["decisive"]) == (verdict, "list")
    assert written["faults"] == ([] if verdict == "PASS" else [judgement.words])
    assert written["evidence"] == (["not one trial changes sides"] if verdict == "PASS" and words else [])
    assert written["limits"] == {"min_cosine": 0.999, "max_eer_increase": 0.002}


def test_the_worst_list_decides_and_is_named():
    changes = {"a": change(0.0, -0.1, 0.1), "b": change(0.0, -0.3, 0.3), "c": change(0.0, 0, 0, sides=0)}
    found = gate.verdict(COSINES, changes, None, 0.002)
    assert (found["gate"], found["decisive"], found["speakers_needed"]) == ("UNDECIDED", "b", 140)
    assert [fault.partition(":")[0] for fault in found["faults"]] == ["b"]
    found = gate.verdict(COSINES, {**changes, "d": change(2, 1, 3)}, None, 0.002)
    assert (found["gate"], found["decisive"], found["speakers_needed"]) == ("FAIL", "d", None)


@pytest.mark.parametrize(
    ("cosine", "limit", "fault"),
    [
        (0.98, 0.999, "lowest cosine 0.980000 is below 0.999"),
        (math.nan, 0.999, "lowest cosine nan is below 0.999"),
        (math.nan, None, "lowest cosine nan is below -1"),
        (0.999, 0.999, None),
        (0.5, None, None),
    ],
)
def test_cosines_are_judged_where_there_is_a_limit(cosine, limit, fault):
    found = gate.verdict({"min_cosine": cosine}, {"list": change(0.0, -0.1, 0.1)}, limit, 0.002)
    assert (found["gate"], found["faults"]) == ("FAIL" if fault else "PASS", [fault] if fault else [])
    assert str(found["min_cosine"]) == str(cosine)  # reported always


def test_without_a_list_the_cosine_decides_alone():
    assert gate.verdict(COSINES, {}, 0.999, 0.002)["gate"] == "PASS"
    found = gate.verdict(COSINES, {}, None, 0.002)
    assert found["gate"] == "UNDECIDED"
    assert found["faults"] == ["nothing to judge by: neither a trial list nor a minimum cosine of this precision"]


@pytest.mark.parametrize(
    ("setting", "limits"),
    [
        (0.99, {"f32": 0.99, "int8": 0.99, "mixed_float16": 0.99}),
        ({"f32": 0.9999, "fp16": 0.999, "int8": None}, {"f32": 0.9999, "int8": None, "cube_fp16in_fp32out": 0.999}),
        ({"fp16": None, "mixed_float16": 0.9}, {"mixed_float16": 0.9, "cube_fp16in_fp32out": None}),
        ({}, {"f32": None}),
    ],
)
def test_a_precision_that_is_not_named_has_the_value_of_fp16(setting, limits):
    assert {precision: gate.min_cosine(setting, precision) for precision in limits} == limits


def check(folder, verdicts, *options):
    rows = [
        {"engine": f"openvino-{i}", "batch_size": 4, "status": "ok", "stand_in": None, "gate": g, "faults": ["why"]}
        for i, g in enumerate(verdicts)
    ]
    files.write_json(folder / "table.json", {"demo": None, "rows": rows})
    given = ["--table", folder / "table.json", "--output", folder / "gate.txt", *options]
    return run_script("check_gate.py", *given)


def test_undecided_rows_fail_unless_they_are_accepted(tmp_path):
    assert_one_error(
        check(tmp_path, ["PASS", "UNDECIDED"]),
        "1 of 2 rows are UNDECIDED by the accuracy gate: trials of more speakers would settle it",
        "accuracy_gate.on_undecided: pass\n  openvino-1, batch size 4: why",
    )
    assert not (tmp_path / "gate.txt").exists()
    for option, why in (("--on-undecided=pass", "on_undecided is pass"), ("--demo-data", "voices are too few")):
        assert check(tmp_path, ["PASS", "UNDECIDED"], option)[0] == 0
        text = (tmp_path / "gate.txt").read_text()
        assert text.startswith("1 of 2 rows pass\n1 are UNDECIDED (accepted")
        assert why in text
        assert "openvino-1, batch size 4: why" in text
        outcome = check(tmp_path, ["UNDECIDED", "FAIL"], option)
        assert_one_error(outcome, "1 of 2 rows fail the accuracy gate", "1 more are UNDECIDED")
    assert check(tmp_path, ["reference", "PASS"])[0] == 0
    assert (tmp_path / "gate.txt").read_text() == "all 2 rows pass\n"
