"""int8 in the workflow: one quantisation for all batch sizes, and what another calibration makes stale."""

import json

import pytest
from support.synthetic import CONFIG, make_project, write_voice

pytest.importorskip("nncf", reason="NNCF is not installed")
FLOAT = "results/openvino-f32/eer_bs4.txt"
FROM_COMPILE = [f"{rule} bs4" for rule in ("compile_engine", "score", "write_answer")] + ["infer bs4 0-of-1"]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "rule"), [("openvino", "quantise_network"), ("onnxruntime", "quantise_onnx")])
def test_int8_and_what_is_stale(workflow, engine, rule):
    answer_of_4, other = (f"results/{engine}-int8/eer_bs{batch}.txt" for batch in (4, 1))
    from_quantisation = sorted([*FROM_COMPILE, rule])
    from_calibration = sorted([*from_quantisation, "extract_calibration", "reference_outputs"])
    project = make_project(workflow, CONFIG + "shards: 1\n")
    ran = project.jobs(answer_of_4, FLOAT)
    assert [job for job in ran if "calib" in job or "quant" in job] == ["extract_calibration", rule]
    answer = (project.folder / answer_of_4).read_text()
    assert "CALIBRATION HEARD THE EVALUATION DATA" in answer.splitlines()[0]
    assert "precision   int8 (as the engine reports; asked for: int8)" in answer
    assert "calibrated with 16 utterances of the data set, wavs; 16 of them ARE EVALUATED HERE" in answer
    result = json.loads((project.folder / answer_of_4.replace(".txt", ".json")).read_text())
    assert result["engine"]["quantisation"]["calibration"]["evaluation_data"] == 16
    assert "quantisation" not in json.loads((project.folder / FLOAT.replace(".txt", ".json")).read_text())["engine"]
    assert "layers in int8" in (project.folder / f"logs/{rule}.log").read_text()

    assert project.jobs(answer_of_4, FLOAT, dry=True) == []
    another = project.jobs(other, dry=True)
    once = {"extract_calibration", "reference_outputs", "convert_network", rule}
    assert once & set(ran) == once
    assert not once & set(another), "once for all batch sizes"

    def stale(settings):
        project.configure(CONFIG + f"shards: 1\nquantisation: {{{settings}}}\n")
        return project.jobs(answer_of_4, FLOAT, dry=True)

    assert stale("min_mean_cosine: 0.99") == from_quantisation
    assert stale("calibration: {utterances: 12}") == from_calibration
    assert stale("calibration: {utterances: 12, seed: 1}") == from_calibration
    for number in range(10):
        write_voice(project.folder / f"others/{number}.wav", 100 + 20 * number, seed=number)
    assert stale("calibration: {root: others}") == from_calibration

    ran = project.jobs(answer_of_4, FLOAT)
    assert ran == from_calibration
    answer = (project.folder / answer_of_4).read_text()
    assert "HEARD" not in answer
    assert "calibrated with 10 utterances of others; " in answer
    write_voice(project.folder / "others/3.wav", 300, seconds=3)
    assert project.jobs(answer_of_4, FLOAT, dry=True) == from_calibration
    project.configure(CONFIG + "shards: 1\nquantisation: {calibration: {root: nowhere}}\n")
    assert "quantisation.calibration.root: no folder 'nowhere'" in project.run(answer_of_4, fails=True)
    assert project.jobs(FLOAT, dry=True) == [], "float does not ask"
