"""openvino-int8 in the workflow: one quantisation for all batch sizes, and what another calibration makes stale."""

import json

import pytest
from support.synthetic import CONFIG, make_project, write_voice

pytest.importorskip("nncf", reason="NNCF is not installed")
ANSWER = "results/openvino-int8/eer_bs4.txt"
OTHER = "results/openvino-int8/eer_bs1.txt"
FLOAT = "results/openvino-f32/eer_bs4.txt"
FROM_COMPILE = [f"{rule} bs4" for rule in ("compile_engine", "score", "write_answer")] + ["infer bs4 0-of-1"]
FROM_QUANTISATION = sorted([*FROM_COMPILE, "quantise_network"])
FROM_CALIBRATION = sorted([*FROM_QUANTISATION, "extract_calibration"])


@pytest.mark.slow
def test_int8_and_what_is_stale(workflow):
    project = make_project(workflow, CONFIG + "shards: 1\n")
    ran = project.jobs(ANSWER, FLOAT)
    assert [job for job in ran if "calib" in job or "quant" in job] == ["extract_calibration", "quantise_network"]
    answer = (project.folder / ANSWER).read_text()
    assert "CALIBRATION HEARD THE EVALUATION DATA" in answer.splitlines()[0]
    assert "precision   int8 (as the engine reports; asked for: int8)" in answer
    assert "calibrated with 16 utterances of the data set, wavs; 16 of them ARE EVALUATED HERE" in answer
    result = json.loads((project.folder / ANSWER.replace(".txt", ".json")).read_text())
    assert result["engine"]["quantisation"]["calibration"]["evaluation_data"] == 16
    assert "quantisation" not in json.loads((project.folder / FLOAT.replace(".txt", ".json")).read_text())["engine"]
    assert "layers in int8" in (project.folder / "logs/quantise_network.log").read_text()

    assert project.jobs(ANSWER, FLOAT, dry=True) == []
    another = project.jobs(OTHER, dry=True)
    assert not {"extract_calibration", "quantise_network"} & set(another), "once for all batch sizes"

    def stale(settings):
        project.configure(CONFIG + f"shards: 1\nquantisation: {{{settings}}}\n")
        return project.jobs(ANSWER, FLOAT, dry=True)

    assert stale("min_mean_cosine: 0.99") == FROM_QUANTISATION
    assert stale("calibration: {utterances: 12}") == FROM_CALIBRATION
    assert stale("calibration: {utterances: 12, seed: 1}") == FROM_CALIBRATION
    for number in range(10):
        write_voice(project.folder / f"others/{number}.wav", 100 + 20 * number, seed=number)
    assert stale("calibration: {root: others}") == FROM_CALIBRATION

    ran = project.jobs(ANSWER, FLOAT)
    assert ran == FROM_CALIBRATION
    answer = (project.folder / ANSWER).read_text()
    assert "HEARD" not in answer
    assert "calibrated with 10 utterances of others; " in answer
    write_voice(project.folder / "others/3.wav", 300, seconds=3)
    assert project.jobs(ANSWER, FLOAT, dry=True) == FROM_CALIBRATION
    project.configure(CONFIG + "shards: 1\nquantisation: {calibration: {root: nowhere}}\n")
    assert "quantisation.calibration.root: no folder 'nowhere'" in project.run(ANSWER, fails=True)
    assert project.jobs(FLOAT, dry=True) == [], "float does not ask"
