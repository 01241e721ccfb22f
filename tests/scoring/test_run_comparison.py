"""Two runs compared by the trials that both have."""

import json

import numpy as np
import pytest
from support.scripts import assert_one_error, run_script

from asv import files
from asv.errors import InputError
from asv.scoring import bootstrap, metrics, run_comparison, tables

NAMES = [f"id{speaker:02}/s/{number}.wav" for speaker in range(12) for number in range(4)]
PAIRS = [(a, b) for a in range(len(NAMES)) for b in range(a) if a % 4 != b % 4]
FIRST, SECOND = np.array(PAIRS).T
TARGETS = FIRST // 4 == SECOND // 4
ANSWER = {
    "dataset": {"root": ["wavs"], "demo": False},
    "scoring": {"subtract_mean": "none", "as_norm": None},
    "utterances": {"used": len(NAMES)},
    "engine": {"name": "openvino", "precision": "f32", "requested_precision": "f32", "batch_size": 4},
    "features": {"contract": "0", "shape": [80, 200], "crops": 1, "placement": "digest", "seed": 0},
    "network": {"source": "one.pt", "checkpoint_sha256": "a" * 64, "family": "modelzoo", "demo": None}
    | {"fit": {"verdict": "untrained", "ignored": False, "better": None}},
    "protocols": {},
}


def scores_of(seed, signal):
    return np.random.default_rng(seed).normal(size=len(TARGETS)) + signal * TARGETS


def write(folder, scores, kept=slice(None), name="list", **network):
    """An experiment's folder with one answer; ``kept`` are the trials in its list, in their order."""
    results = folder / "results"
    table = results / "openvino-f32/scores_bs4" / f"{name}.tsv"
    table.parent.mkdir(parents=True)
    tables.write(table, NAMES, FIRST[kept], SECOND[kept], TARGETS[kept], scores[kept])
    files.write_json(results / "eer_bs4.json", {**ANSWER, "network": {**ANSWER["network"], **network}})
    files.write_json(results / "eer_bs4.run.json", {})
    return folder


def test_the_same_trials_are_compared_as_engines_are(tmp_path):
    a, b = scores_of(0, 1.0), scores_of(1, 3.0)
    one = write(tmp_path / "one", a)
    two = write(tmp_path / "two", b, checkpoint_sha256="b" * 64)
    found = run_comparison.compare(*map(run_comparison.find, (one, two)), replicates=100, seed=3)
    expected = bootstrap.paired_differences(a, b, TARGETS, FIRST // 4, SECOND // 4, 100, 3, run_comparison.PRIOR)
    (compared,) = found["lists"].values()
    assert (compared["trials"], compared["only_a"], compared["only_b"]) == (len(TARGETS), 0, 0)
    for kind, part in (("eer", expected.eer), ("min_dcf", expected.min_dcf)):
        change = compared[kind]
        assert (change["difference"], change["low"], change["high"]) == pytest.approx(tuple(part))
        assert change["b"] - change["a"] == pytest.approx(change["difference"])
    assert compared["eer"]["high"] < 0
    assert found["differences"] == {"checkpoint": [f"one.pt {'a' * 12}", f"one.pt {'b' * 12}"]}
    json.dumps(found)


def test_trials_that_one_run_lacks_are_left_out_and_counted(tmp_path):
    """In another order, too."""
    scores = scores_of(0, 2.0)
    one = write(tmp_path / "one", scores, slice(0, 700))
    two = write(tmp_path / "two", scores, np.arange(len(TARGETS))[::-1][:-100])
    runs = [run_comparison.find(place / "results/eer_bs4.json") for place in (one, two)]
    (compared,) = run_comparison.compare(*runs, replicates=0)["lists"].values()
    assert (compared["trials"], compared["only_a"], compared["only_b"]) == (600, 100, len(TARGETS) - 700)
    eer = metrics.equal_error_rate(metrics.error_rates(scores[100:700], TARGETS[100:700]))[0]
    assert (compared["eer"]["a"], compared["eer"]["difference"]) == (eer, 0)
    assert compared["reason"] == "no draws were asked for"


def test_what_cannot_be_compared(tmp_path):
    one, other = write(tmp_path / "one", scores_of(0, 1)), write(tmp_path / "other", scores_of(0, 1), name="another")
    with pytest.raises(InputError, match=r"no trial list in common \(list; another\)"):
        run_comparison.compare(run_comparison.find(one), run_comparison.find(other))
    with pytest.raises(InputError, match=r"no results/eer_bs8\.json there"):
        run_comparison.find(one, 8)
    with pytest.raises(InputError, match="not an answer of this workflow"):
        run_comparison.find(one / "results/eer_bs4.run.json")
    files.write_json(one / "results/eer_bs8.json", ANSWER)
    with pytest.raises(InputError, match=r"several answers \(eer_bs4\.json, eer_bs8\.json\).*--batch-size"):
        run_comparison.find(one)
    files.write_json(one / "results/eer_bs8.json", {**ANSWER, "engine": {**ANSWER["engine"], "batch_size": 8}})
    with pytest.raises(InputError, match=r"its scores, .*scores_bs8, are not there"):
        run_comparison.find(one, 8)
    small = write(tmp_path / "small", scores_of(0, 1), slice(0, 3))
    with pytest.raises(InputError, match="3 trials in both, and not both targets and nontargets"):
        run_comparison.compare(run_comparison.find(one, 4), run_comparison.find(small))


def test_the_command_prints_the_table_and_writes_it_with_a_picture(tmp_path):
    one, two = write(tmp_path / "one", scores_of(0, 1)), write(tmp_path / "two", scores_of(1, 3), demo="small")
    code, errors = run_script("compare_runs.py", one, two, "--output", tmp_path / "out", "--bootstrap-replicates", "50")
    assert (code, errors) == (0, "")
    table = (tmp_path / "out.md").read_text()
    assert "**DEMO checkpoint (small).**" in table
    assert "list: EER " in table
    assert "; B is better: the difference is -" in table
    assert "| minDCF 0.01 |" in table
    for suffix in ("json", "svg", "png"):
        assert (tmp_path / f"out.{suffix}").stat().st_size > 500
    assert_one_error(run_script("compare_runs.py", one, tmp_path / "nowhere"), "nowhere: no results/eer_bs*.json there")
