"""The pages of the report: made from the machine-readable results, and the same in content as what people read."""

from support.scripts import run_script

from asv import files
from asv.benchmark import best, document, published, table

MACHINE = {"cpu": "A Processor", "flags": ["avx2"], "threads": 1, "cores": 2, "python": "3.11", "torch": "2"}
MACHINE |= {"matmul_gflops": {"f32": 1.0}, "matmul_library": {"f32": "pytorch"}}
MEASURED = {"throughput": 20.0, "throughput_low": 19.0, "throughput_high": 21.0, "latency_mean_ms": 200.0, "eer": 0.05}


def row_of(engine, gate, best=(), faults=()):
    known = table.unsupported_row(engine, 4, "")
    return {**known, **MEASURED, "status": "ok", "gate": gate, "best": list(best), "faults": list(faults)}


def benchmarks_of(rows, demo=None):
    """benchmarks.json as tabulate_benchmarks.py writes it."""
    return {
        "demo": demo,
        "recommendation": best.recommendation(rows),
        "machine": MACHINE,
        "network": {"family": "modelzoo", "channels": 512, "gflop": 12.8},
        "protocol": "veri_test2",
        "frames": 200,
        "rows": rows,
        "reference_rows": published.rows(),
        "reference_source": published.SOURCE,
    }


ROWS = [
    row_of("torchscript-f32", "reference"),
    row_of("openvino-f32", "PASS", best=["throughput", "latency"]),
    row_of("openvino-bf16", "FAIL", faults=["lowest cosine 0.9 < 0.999 | refused"]),
    table.unsupported_row("torch_aie-fp16", 4, "no CANN; `snakemake npu_doctor` says more"),
]


def test_the_page_of_benchmarks(tmp_path):
    files.write_json(tmp_path / "benchmarks.json", benchmarks_of(ROWS, demo="voices & more"))
    given = ["--benchmarks", tmp_path / "benchmarks.json", "--output", tmp_path / "page.html"]
    assert run_script("write_page.py", "--title", "A & B", *given) == (0, "")
    page = (tmp_path / "page.html").read_text()
    for part in (
        "<title>A &amp; B</title>",
        "<h1>Benchmarks</h1>",
        "<p><b>DEMO: voices &amp; more; its accuracy says nothing of real speech.</b></p>",
        "<p>Fastest that passes the gate, one batch after another: openvino-f32 at batch size 4, 20.0 crops/s.</p>",
        '<tr class=""><th>engine</th><th>batch</th><th>crops/s</th>',
        '<tr class=""><td>torchscript-f32</td><td>4</td><td>20.0</td><td>±5.0 %</td>',
        '<tr class="best"><td>openvino-f32</td>',
        '<tr class="fail"><td>openvino-bf16</td>',
        "<td>lowest cosine 0.9 &lt; 0.999 | refused</td></tr>",  # a bar in a text is no cell's end
        "<td>unsupported; no CANN; <code>snakemake npu_doctor</code> says more</td></tr>",
        "<p>EER: veri_test2. Throughput: crops of 200 frames, one batch after another;",
        "GFLOP per crop. Machine: A Processor (avx2), 1 of 2 cores,",
    ):
        assert part in page
    assert page.count("<tr") == 1 + len(ROWS)
    assert "http" not in page


def test_published_figures_stand_only_where_they_compare():
    """The same network, and an engine of such a chip that was measured."""
    rows = [*ROWS, row_of("torch_aie-fp16", "PASS")]
    text = document.text(benchmarks_of(rows))
    assert "\n## Published by others\n" in text
    assert text.endswith("| 847.0   |\n")
    assert text.count("ATC, Ascend 310P3") == 6
    others = benchmarks_of(rows) | {"network": {"family": "modelzoo", "channels": 24, "gflop": 0.04}}
    for benchmarks in (benchmarks_of(ROWS), others):
        assert "Published" not in document.text(benchmarks)


def test_the_terminal_has_what_is_looked_for():
    text = document.short(benchmarks_of(ROWS, demo="voices"), "results/benchmarks.md")
    caveat, recommended, shown, where = text.rstrip("\n").split("\n\n")
    assert caveat.startswith("DEMO: voices")
    assert recommended.startswith("Fastest that passes the gate, one batch after another: openvino-f32")
    assert len(shown.splitlines()) == 2 + len(ROWS)
    assert [cell.strip() for cell in shown.splitlines()[0].split("|")[1:-1]] == [
        *("engine", "batch", "crops/s", "latency ms", "EER %", "gate", "")
    ]
    assert where == "All columns, notes and the machine: results/benchmarks.md"


def test_the_document_has_the_same_blocks():
    text = document.text(benchmarks_of(ROWS))
    first, *others = text.split("\n\n")
    assert first == "# Benchmarks"
    assert len(others) == len(document.blocks(benchmarks_of(ROWS))) - 1
    assert [line[:9] for line in others[2].splitlines()] == ["EER: veri", "Network: ", "Machine: "]
    assert "**DEMO: voices; its accuracy says nothing of real speech.**\n" in document.text(
        benchmarks_of(ROWS, "voices")
    )


def test_the_page_of_answers(tmp_path):
    (tmp_path / "openvino-f32").mkdir()
    (tmp_path / "openvino-f32" / "eer_bs4.txt").write_text("EER 5 %   <demo>\n\nprotocol demo\n")
    given = ["--input", tmp_path / "openvino-f32" / "eer_bs4.txt", "--output", tmp_path / "page.html"]
    assert run_script("write_page.py", "--title", "Answers", *given) == (0, "")
    page = (tmp_path / "page.html").read_text()
    assert "<summary><b>openvino-f32, eer_bs4</b>: EER 5 %   &lt;demo&gt;</summary>" in page
    assert "protocol demo" in page
