"""What is recommended of made-up tables: ties, nothing that passes, only UNDECIDED rows, limits that nothing keeps."""

import json

import pytest
from support.pictures import assert_legible
from support.scripts import run_script

from asv import files
from asv.benchmark import recommendation, recommendation_text
from asv.benchmark.recommendation import Limits
from asv.report import recommendation_figure

MACHINE = {"cpu": "A Processor", "threads": 2}


def row(engine, batch, rate, gate="PASS", spread=0.01, flight=None, memory=100.0, increase=0.0, **others):
    """A row that was measured: ``rate`` and ``flight`` in crops/s, ``memory`` in MB, ``increase`` with ±0.001."""
    made = {
        "engine": engine,
        "name": engine.rpartition("-")[0],
        "batch_size": batch,
        "status": "ok",
        "stand_in": None,
        "gate": gate,
        "throughput": rate,
        "throughput_low": rate * (1 - spread),
        "throughput_high": rate * (1 + spread),
        "latency_mean_ms": 1e3 * batch / rate,
        "peak_memory_bytes": memory * 1e6,
        "eer_increase": None if gate == "reference" else increase,
        "eer_increase_low": None if gate == "reference" else increase - 0.001,
        "eer_increase_high": None if gate == "reference" else increase + 0.001,
        "speakers_needed": None,
    }
    if flight is not None:
        made |= {
            "async_throughput": flight,
            "async_throughput_low": flight * (1 - spread),
            "async_throughput_high": flight * (1 + spread),
        }
    return {**made, **others}


def recommended(*rows, **limits):
    table = {"rows": list(rows), "demo": None, "machine": MACHINE}
    found = recommendation.recommend(table, Limits(**limits))
    json.dumps(found, allow_nan=False)
    return found, recommendation_text.text(found)


REFERENCE = row("torchscript-f32", 1, 20.0, gate="reference", memory=300.0)
FAST = row("openvino-f32", 8, 100.0, flight=150.0, memory=200.0)
QUICK = row("openvino-f32", 1, 50.0, memory=90.0)


def test_each_goal_has_its_own_winner():
    found, text = recommended(REFERENCE, FAST, QUICK)
    assert [found[goal]["value"] for goal in recommendation.GOALS] == [150.0, 20.0, 90.0]
    assert [found[goal]["batch_size"] for goal in recommendation.GOALS] == [8, 1, 1]
    assert found["throughput"]["mode"] == "in flight"
    assert found["settings"] == {"engine": "openvino", "precision": "f32", "batch_sizes": [8]}
    assert (found["runner_up"]["engine"], found["runner_up"]["batch_size"]) == ("openvino-f32", 1)
    best = "**openvino-f32 at batch size 8, several batches in flight**"
    assert f"Highest throughput: {best}, 150 crops/s (PASS; EER +0.000 points, 95 % interval -0.100 to +0.100)." in text
    assert "Runner-up: openvino-f32 at batch size 1, 50 crops/s" in text
    assert "0.33 times the throughput of the recommended one." in text
    assert "engine: openvino\nprecision: f32\nbatch_sizes: [8]\n" in text


def test_the_reference_can_win():
    found, text = recommended(REFERENCE, row("openvino-f32", 1, 10.0, memory=400.0))
    assert {found[goal]["engine"] for goal in recommendation.GOALS} == {"torchscript-f32"}
    assert "(reference; all others are compared with it)" in text


@pytest.mark.parametrize(("spread", "noise"), [(0.05, True), (0.001, False)])
def test_a_tie_is_told(spread, noise):
    rows = [row("openvino-f32", 8, 100.0, spread=spread), row("onnxruntime-f32", 4, 98.0, spread=spread)]
    found, text = recommended(*rows)
    assert found["throughput"]["engine"] == "openvino-f32"
    assert (found["throughput"]["within_noise"] is not None) == noise
    assert ("Noise does not tell it from onnxruntime-f32 at batch size 4 (98)" in text) == noise


def test_nothing_passes():
    found, text = recommended(row("openvino-f32", 1, 9.0, gate="FAIL"), row("openvino-bf16", 1, 9.0, gate="UNDECIDED"))
    for goal in recommendation.GOALS:
        assert found[goal]["engine"] is found[goal]["value"] is found[goal]["gate"] is None
        assert found[goal]["reason"] == "none of 2 rows passes the accuracy gate; 1 are UNDECIDED"
    assert found["settings"] is None
    assert found["runner_up"]["engine"] == "openvino-bf16"
    assert "```yaml" not in text


def test_only_undecided_rows():
    rows = [row("openvino-bf16", batch, 10.0 * batch, gate="UNDECIDED", speakers_needed=400) for batch in (1, 4)]
    found, text = recommended(*rows)
    assert found["throughput"]["reason"] == "none of 2 rows passes the accuracy gate; 2 are UNDECIDED"
    assert found["runner_up"]["batch_size"] == 4
    assert "Whether it is still the same model is open: some 400 speakers would settle it." in text


def test_a_faster_row_that_is_undecided_is_the_runner_up():
    undecided = row("openvino-bf16", 8, 300.0, gate="UNDECIDED", increase=0.0015, speakers_needed=120)
    found, text = recommended(REFERENCE, FAST, undecided)
    assert found["throughput"]["engine"] == "openvino-f32"
    assert found["runner_up"]["engine"] == "openvino-bf16"
    assert "2.00 times the throughput of the recommended one." in text
    assert "some 120 speakers would settle it" in text
    slower = row("openvino-bf16", 8, 60.0, gate="UNDECIDED", speakers_needed=None)
    assert recommended(REFERENCE, FAST, slower)[0]["runner_up"]["engine"] == "torchscript-f32"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_latency_ms": 0.1}, "max_latency_ms 0.1"),
        ({"max_memory_mb": 1}, "max_memory_mb 1"),
        ({"engines": ["torch_aie"]}, "engines torch_aie"),
    ],
)
def test_limits_that_nothing_keeps(limits, said):
    found, text = recommended(REFERENCE, FAST, QUICK, **limits)
    assert found["throughput"]["engine"] is None
    assert found["throughput"]["reason"].endswith(f"keeps what is wanted (recommend: {said})")
    assert found["runner_up"] is None
    assert "nothing is recommended, since none of 3 rows" in text


def test_limits_that_some_keep():
    found, _ = recommended(REFERENCE, FAST, QUICK, max_latency_ms=30)
    assert (found["throughput"]["batch_size"], found["throughput"]["mode"]) == (1, "one by one")
    found, _ = recommended(REFERENCE, FAST, QUICK, max_memory_mb=250)
    assert (found["throughput"]["batch_size"], found["throughput"]["mode"]) == (8, "one by one")
    assert recommended(REFERENCE, FAST, engines=["torchscript"])[0]["throughput"]["engine"] == "torchscript-f32"
    assert recommended(REFERENCE, FAST, engines=["openvino-f32"])[0]["throughput"]["engine"] == "openvino-f32"


def test_stand_ins_and_rows_that_were_not_measured_do_not_count():
    stand_in = row("torch_aie-fp16", 8, 9000.0, stand_in="STAND-IN")
    missing = {**row("openvino-bf16", 8, 0.1), "status": "unsupported", "gate": None}
    found, _ = recommended(stand_in, missing)
    assert found["throughput"]["reason"] == "no row was measured on this machine (stand-ins do not count)"


def test_the_scripts(tmp_path, monkeypatch):
    undecided = row("openvino-bf16", 8, 300.0, gate="UNDECIDED", increase=0.0015, speakers_needed=120)
    table = {"rows": [REFERENCE, FAST, QUICK, undecided], "demo": "synthetic voices", "machine": MACHINE}
    files.write_json(tmp_path / "benchmarks.json", table)
    output = tmp_path / "recommendation"
    arguments = ["--table", tmp_path / "benchmarks.json", "--max-latency-ms", 100, "--output", output]
    assert run_script("recommend.py", *arguments) == (0, "")
    assert "**DEMO: synthetic voices" in output.with_suffix(".md").read_text()
    assert "Limits (`recommend`): max_latency_ms 100.0." in output.with_suffix(".md").read_text()
    drawn = ["--recommendation", output.with_suffix(".json"), "--output", output.with_suffix(".svg")]
    assert run_script("plot_recommendation.py", *drawn) == (0, "")
    assert output.with_suffix(".png").stat().st_size > 10_000
    figure = recommendation_figure.recommendation_figure(files.read_json(output.with_suffix(".json")), 0.002)
    assert_legible(figure, monkeypatch)
