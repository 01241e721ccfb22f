"""`snakemake crop_spread` for real: the answer's own figure is among those of the seeds."""

import pytest
from support.synthetic import make_project
from support.workflow import Workflow

from asv import files

SETTINGS = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
shards: 1
crop_spread: {seeds: [1, 0]}
"""


@pytest.mark.slow
def test_the_spread_holds_the_answers_own_figure(tmp_path):
    workflow = make_project(Workflow(tmp_path), SETTINGS)
    output = workflow.run("crop_spread", "results/torchscript-f32/eer_bs1.txt")
    table = files.read_json(tmp_path / "results/crop_spread.json")
    (row,) = table["rows"]
    own = files.read_json(tmp_path / "results/torchscript-f32/eer_bs1.json")["protocols"]["trials"]
    assert row["seeds"] == [1, 0]
    assert row["eers"][1] == pytest.approx(own["eer"], abs=1e-6)
    assert (tmp_path / "results/crop_spread.md").read_text() in output
    assert "Nothing to be done" in workflow.run("crop_spread")
