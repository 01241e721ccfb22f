"""Put all measurements into one table: results/benchmarks.tsv, .md and .json."""

from __future__ import annotations

from pathlib import Path

from asv import cli, engines, files
from asv.benchmark import document, published, table
from asv.errors import InputError


def load_row(root, engine, batch, machine):
    """A row from the files of its stages, where the workflow puts them below ``root``."""
    agreement = root / f"results/{engine}/agreement_bs{batch}.json"
    try:
        return table.row(
            files.read_json(root / f"work/benchmarks/{engine}/bs{batch}.json"),
            files.read_json(root / f"work/engines/{engine}/bs{batch}/artefact.json"),
            files.read_json(root / f"results/{engine}/eer_bs{batch}.json"),
            None if engine == engines.REFERENCE else files.read_json(agreement),
            machine,
        )
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; `snakemake all_benchmarks` makes it below --root") from error


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the run, with work/ and results/")
    parser.add_argument("--rows", nargs="*", default=[], metavar="ENGINE:BATCH", help="such as openvino-f32:4")
    parser.add_argument("--unsupported", nargs="*", default=[], metavar="ENGINE:BATCH:WHY")
    parser.add_argument("--machine", type=Path, required=True, help="JSON of measure_machine.py")
    parser.add_argument("--output", type=Path, required=True, help="benchmarks; .tsv, .md and .json are put behind it")
    options = parser.parse_args()
    if not (options.rows or options.unsupported):
        parser.error("no row: --rows or --unsupported is needed")
    machine = files.read_json(options.machine)
    pairs = [pair.split(":") for pair in options.rows]
    rows = [load_row(options.root, engine, batch, machine) for engine, batch in pairs]
    rows += [
        table.unsupported_row(engine, int(batch), why)
        for engine, batch, why in (part.split(":", 2) for part in options.unsupported)
    ]
    table.mark_best(rows)
    result = files.read_json(options.root / f"results/{pairs[0][0]}/eer_bs{pairs[0][1]}.json") if pairs else None
    benchmarks = {
        "demo": document.demo_note(result),
        "recommendation": table.recommendation(rows),
        "machine": machine,
        "network": result and result["network"],
        "rows": rows,
        "reference_rows": published.rows(),
        "reference_source": published.SOURCE,
    }
    files.write_json(f"{options.output}.json", benchmarks)
    files.write_text(f"{options.output}.md", document.text(benchmarks, result))
    files.write_table(f"{options.output}.tsv", table.TSV, map(table.tsv_cells, rows))


if __name__ == "__main__":
    cli.run(main)
