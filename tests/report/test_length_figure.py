"""The picture of lengths: its text is legible, the best setting is ringed, and two runs write the same bytes."""

import itertools

import pytest
from support.pictures import LONG, assert_legible
from support.scripts import run_script

from asv import files
from asv.report.length_figure import length_figure


def table_of(frames=(100, 200, 300, 400), crops=(1, 3, 5), best="200x3", intervals=True, caveats=(), protocol="list"):
    rows = [{"setting": "whole", "frames": None, "crops": 1, "eer": 0.02, "difference": None, "best": False}]
    for f, c in itertools.product(frames, crops):
        difference = 3 / (f * c)
        ends = (difference - 0.004, difference + 0.006) if intervals else (None, None)
        known = {"setting": f"{f}x{c}", "frames": f, "crops": c, "eer": 0.02 + difference, "difference": difference}
        known |= dict(zip(("difference_low", "difference_high"), ends))
        rows.append({**known, "best": f"{f}x{c}" == best})
    engine = {"engine": "torchscript", "requested_precision": "f32"}
    table = {"rows": rows, "engine": engine, "protocol": protocol, "caveats": list(caveats)}
    return {**table, "trials": {"scored": 37720}, "max_eer_increase": 0.002}


TABLES = {
    "usual": table_of(),
    "one setting": table_of((200,), (1,), best="200x1"),
    "neighbours": table_of((200, 202, 204), (1, 2)),
    "wide": table_of((10, 25, 50, 100, 300, 1000, 3000), (1, 2, 3, 5, 10)),
    "no intervals": table_of(intervals=False),
    "none passes": table_of(best=""),
    "long names": table_of(protocol=LONG, caveats=["DEMO: synthetic voices, says nothing of real speech"]),
}


@pytest.mark.parametrize("name", TABLES)
def test_text_is_legible(name, monkeypatch):
    table = TABLES[name]
    texts = assert_legible(length_figure(table), monkeypatch)
    assert ("cheapest within the gate" in texts) == any(row["best"] for row in table["rows"])
    assert "accuracy gate: +0.2 points" in texts
    for row in table["rows"][1:]:
        assert f"{row['crops']} crop{'s' if row['crops'] > 1 else ''}" in texts


def test_two_runs_write_the_same_bytes(tmp_path):
    files.write_json(tmp_path / "table.json", table_of())
    for name in ("a", "b"):
        words = ("--table", tmp_path / "table.json", "--output", tmp_path / f"{name}.svg")
        code, stderr = run_script("plot_lengths.py", *words)
        assert code == 0, stderr
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
