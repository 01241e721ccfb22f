"""Noise is told where it matters: in a row, in the first line, and by giving no mark that noise could have given."""

import pytest

from asv import caveats
from asv.benchmark import best, document, noise, table
from asv.benchmark.recommendation import Limits, recommend

AGAIN = "snakemake all_benchmarks --forcerun benchmark_engine"
MACHINE = {
    "cpu": "A Processor",
    "flags": [],
    "threads": 2,
    "cores": 2,
    "matmul_gflops": {},
    "matmul_library": {},
    "torch": "2",
    "python": "3.11",
}


def row(engine, rates, batch_size=1, **changed):
    """A measured row that passes the gate, whose runs gave these rates."""
    low, median, high = sorted(rates)
    made = {
        **table.unsupported_row(engine, batch_size, ""),
        "status": "ok",
        "gate": "PASS",
        "faults": [],
        "best": [],
        "cores": 2,
        "throughput": median,
        "throughput_low": low,
        "throughput_high": high,
        "latency_mean_ms": 1e3 * batch_size / median,
        "peak_memory_bytes": 1_000_000,
        "bystander_cores": 0.0,
        "warm": True,
        **changed,
    }
    return {**made, "noise": noise.reasons(made)}


def benchmarks_of(rows):
    best.mark_best(rows)
    known = {"rows": rows, "demo": None, "network": None, "machine": MACHINE, "protocol": "trials", "frames": 200}
    return {**known, "recommendation": best.recommendation(rows), "reference_rows": []}


@pytest.mark.parametrize(
    ("changed", "rates", "words"),
    [
        ({}, (99, 100, 101), []),
        ({}, (79, 100, 101), ["noisy: its runs differ by ±11%"]),
        ({"bystander_cores": 0.05}, (99, 100, 101), []),
        ({"bystander_cores": None}, (99, 100, 101), []),  # the system does not tell
        ({"bystander_cores": 1.25}, (99, 100, 101), ["noisy: other processes kept 1.25 of 2 cores busy"]),
        ({"warm": False}, (99, 100, 101), ["noisy: batch times did not settle before the runs"]),
    ],
)
def test_what_is_said_of_a_row(changed, rates, words):
    one = row("openvino-f32", rates, **changed)
    assert one["noise"] == words
    assert table.printed(one)[-1] == (words[0] if words else "–")
    assert table.tsv_cells(one)[-1] == "; ".join(words)


def test_the_first_line_says_which_rows():
    rows = [row("openvino-f32", (50, 100, 150)), row("openvino-bf16", (199, 200, 201))]
    said = f"NOISE: measure 1 of 2 rows again: openvino-f32 at batch size 1 ({AGAIN})"
    assert caveats.of_speeds(benchmarks_of(rows)) == [said]
    assert document.short(benchmarks_of(rows), "x").startswith(f"{said}.\n")
    assert document.text(benchmarks_of(rows)).splitlines()[2] == f"**{said}.**"
    many = [row("openvino-f32", (50, 100, 150), batch) for batch in (1, 2, 4, 8)]
    assert caveats.of_speeds(benchmarks_of(many)) == [f"NOISE: measure 4 of 4 rows again ({AGAIN})"]
    assert caveats.of_speeds(benchmarks_of(rows[1:])) == []


def test_nothing_is_the_best_alone_within_noise():
    rows = [row("a-f32", (98, 100, 102)), row("b-f32", (100, 103, 106)), row("c-f32", (40, 41, 42))]
    found = benchmarks_of(rows)
    assert [one["best"] for one in rows] == [["throughput within noise", "latency within noise"]] * 2 + [[]]
    assert found["recommendation"] == (
        "Fastest that passes the gate, one batch after another: b-f32 at batch size 1, 103.0 crops/s "
        "(within noise of it: a-f32 at batch size 1)."
    )
    assert table.printed(rows[0])[-1] == "best throughput within noise; best latency within noise"


def test_beyond_noise_one_row_is_the_best():
    rows = [row("a-f32", (98, 100, 102)), row("b-f32", (103, 106, 109)), row("c-f32", (30, 32, 34), 2)]
    benchmarks_of(rows)
    assert [one["best"] for one in rows] == [[], ["throughput", "latency"], []]


def test_a_row_that_was_disturbed_might_have_been_the_best():
    """With one of two cores taken by others, twice its speed is possible."""
    rows = [row("a-f32", (98, 100, 102)), row("b-f32", (59, 60, 61), bystander_cores=1.0)]
    assert noise.rates(rows[1]) == (60, 59, 122)
    assert noise.latencies(rows[1]) == pytest.approx((1000 / 60, 1000 / 122, 1000 / 59))
    benchmarks_of(rows)
    assert rows[0]["best"][0] == rows[1]["best"][0] == "throughput within noise"
    rows[1]["bystander_cores"] = 0.5  # three quarters of the machine were left: 81 crops/s at most
    for one in rows:
        one["best"] = []
    benchmarks_of(rows)
    assert rows[0]["best"] == ["throughput", "latency"]


def test_many_within_noise_are_counted():
    rows = [row("a-f32", (90, 100, 110 + batch), batch) for batch in (1, 2, 4, 8, 16, 32)]
    line = benchmarks_of(rows)["recommendation"]
    assert "another: a-f32 at batch size 1, 100.0 crops/s (within noise of it: a-f32 at batch size 2, " in line
    assert ", 2 more)" in line


def test_the_recommendation_names_what_is_within_noise():
    rows = [row("a-f32", (98, 100, 102)), row("b-f32", (59, 60, 61), bystander_cores=1.0)]
    found = recommend(benchmarks_of(rows), Limits())
    assert found["throughput"]["engine"] == "a-f32"
    assert found["throughput"]["within_noise"]["engine"] == "b-f32"
