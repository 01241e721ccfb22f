"""Put all measurements into one table: results/benchmarks.tsv, .md and .json."""

from __future__ import annotations

from pathlib import Path

from asv import benchmark_table, caveats, cli, files, published
from asv.benchmark_table import COLUMNS


def load_row(root, engine, batch, machine):
    """A row from the files of its stages, where the workflow puts them below ``root``."""
    agreement = root / f"results/{engine}/agreement_bs{batch}.json"
    return benchmark_table.row(
        files.read_json(root / f"work/benchmarks/{engine}/bs{batch}.json"),
        files.read_json(root / f"work/engines/{engine}/bs{batch}/artefact.json"),
        files.read_json(root / f"results/{engine}/eer_bs{batch}.json"),
        None if engine == benchmark_table.REFERENCE else files.read_json(agreement),
        machine,
    )


def text(table, result):
    """The whole of benchmarks.md."""
    machine, columns = table["machine"], benchmark_table.printed_columns(table["rows"])
    peaks = ", ".join(
        f"{name} {value:.0f} by {machine['matmul_library'][name]}" for name, value in machine["matmul_gflops"].items()
    )
    protocol, _ = next(iter(result["protocols"].items()))
    busy = max((row.get("bystander_cores") or 0 for row in table["rows"]), default=0)
    lines = [
        "# Benchmarks",
        "",
        *(line for note in caveats.of_table(table) for line in (f"**{note}.**", "")),
        table["recommendation"],
        "",
        benchmark_table.markdown(
            [COLUMNS[key][0] for key in columns], [benchmark_table.printed(row, columns) for row in table["rows"]]
        ),
        f"EER: {protocol}. Throughput: crops of {result['features']['shape'][1]} frames, one batch after another; "
        "in flight: several requests at once. Latency is of a batch; a dash for a percentile: too few batches to tell.",
        f"Network: C = {result['network']['channels']}, {result['network']['gflop']:.2f} GFLOP a crop. "
        f"Machine: {machine['cpu']} ({', '.join(machine['flags'])}), {machine['threads']} of {machine['cores']} cores, "
        f"matrix multiply (GFLOP/s): {peaks}; torch {machine['torch']}, Python {machine['python']}. "
        f"Other processes kept up to {busy:.2f} cores busy while it was measured.",
        "",
        "## Published by others",
        "",
        published.SOURCE,
        "",
        benchmark_table.markdown(
            ["system", "batch", "crops/s"],
            [[r["system"], str(r["batch_size"]), f"{r['throughput']:.1f}"] for r in table["reference_rows"]],
        ),
    ]
    return "\n".join(lines)


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the run, with work/ and results/")
    parser.add_argument("--rows", nargs="+", required=True, metavar="ENGINE:BATCH", help="such as openvino-f32:4")
    parser.add_argument("--unsupported", nargs="*", default=[], metavar="ENGINE:BATCH:WHY")
    parser.add_argument("--machine", type=Path, required=True, help="JSON of measure_machine.py")
    parser.add_argument("--output", type=Path, required=True, help="benchmarks; .tsv, .md and .json are put behind it")
    options = parser.parse_args()
    machine = files.read_json(options.machine)
    pairs = [pair.split(":") for pair in options.rows]
    rows = [load_row(options.root, engine, batch, machine) for engine, batch in pairs]
    rows += [
        benchmark_table.unsupported_row(engine, int(batch), why)
        for engine, batch, why in (part.split(":", 2) for part in options.unsupported)
    ]
    benchmark_table.mark_best(rows)
    result = files.read_json(options.root / f"results/{pairs[0][0]}/eer_bs{pairs[0][1]}.json")
    demo = "; ".join(
        [*(["synthetic voices"] if result["dataset"]["demo"] else []), *filter(None, [result["network"]["demo"]])]
    )
    table = {
        "demo": demo or None,
        "recommendation": benchmark_table.recommendation(rows),
        "machine": machine,
        "network": result["network"],
        "rows": rows,
        "reference_rows": published.rows(),
        "reference_source": published.SOURCE,
    }
    files.write_json(options.output.with_suffix(".json"), table)
    files.write_text(options.output.with_suffix(".md"), text(table, result))
    header = [key for key in rows[0] if key not in ("faults", "best")]
    cells = [["" if row.get(key) is None else row[key] for key in header] for row in rows]
    remarks = ["; ".join([*row["best"], *row["faults"]]) for row in rows]
    table_rows = [[*line, remark] for line, remark in zip(cells, remarks)]
    files.write_table(options.output.with_suffix(".tsv"), [*header, "remarks"], table_rows)


if __name__ == "__main__":
    cli.run(main)
