"""Put all measurements into one table, for people (.md) and for programs (.tsv and .json)."""

from __future__ import annotations

from pathlib import Path

from asv import caveats, cli, engines, files
from asv.benchmark import best, document, published, table
from asv.errors import InputError


def load_row(benchmark, artefact, result, agreement, machine):
    """A row from the files of its stages; ``agreement`` is None for the reference."""
    try:
        return table.row(
            files.read_json(benchmark),
            files.read_json(artefact / "artefact.json"),
            files.read_json(result),
            agreement and files.read_json(agreement),
            machine,
        )
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; `snakemake all_benchmarks` makes it") from error


def paired_with_rows(parser, options):
    """The files of each row: a benchmark, an artefact, a result, and an agreement for all rows but the reference's."""
    labels = [row.split(":")[0] for row in options.rows]
    others = [label for label in labels if label != options.reference]
    lists = {name: getattr(options, name) for name in ("benchmarks", "artefacts", "results", "agreements")}
    for name, paths in lists.items():
        expected = len(others if name == "agreements" else labels)
        if len(paths) != expected:
            parser.error(f"--{name}: {len(paths)} files for {expected} rows; give one for each row, in the same order")
    agreements = iter(options.agreements)
    return [
        (*row, None if label == options.reference else next(agreements))
        for label, *row in zip(labels, options.benchmarks, options.artefacts, options.results)
    ]


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--rows", nargs="*", default=[], metavar="ENGINE:BATCH", help="such as openvino-f32:4")
    parser.add_argument("--unsupported", nargs="*", default=[], metavar="ENGINE:BATCH:WHY")
    parser.add_argument("--reference", default=engines.reference(".pt"), help="what others were compared with")
    inputs = {
        "benchmarks": "JSON of benchmark_engine.py, one for each of --rows, in their order",
        "artefacts": "folders of compile_engine.py, one for each row",
        "results": "JSON of write_answer.py, one for each row",
        "agreements": "JSON of compare_engine.py, one for each row but those of --reference",
    }
    for name, text_of_help in inputs.items():
        parser.add_argument(f"--{name}", nargs="*", default=[], type=Path, help=text_of_help)
    parser.add_argument("--machine", type=Path, required=True, help="JSON of measure_machine.py")
    parser.add_argument(
        "--output", type=Path, required=True, help="benchmarks; .tsv, .md, .json and .txt are put behind it"
    )
    options = parser.parse_args()
    if not (options.rows or options.unsupported):
        parser.error("no row: --rows or --unsupported is needed")
    machine = files.read_json(options.machine)
    rows = [load_row(*paths, machine) for paths in paired_with_rows(parser, options)]
    rows += [
        table.unsupported_row(engine, int(batch), why)
        for engine, batch, why in (part.split(":", 2) for part in options.unsupported)
    ]
    best.mark_best(rows)
    result = files.read_json(options.results[0]) if options.rows else None
    benchmarks = {
        "demo": caveats.demo_parts(result),
        "recommendation": best.recommendation(rows),
        "machine": machine,
        "network": result and result["network"],
        "protocol": result and next(iter(result["protocols"])),  # whose EER stands in the rows
        "frames": result and result["features"]["shape"][1],  # of a crop
        "rows": rows,
        "reference_rows": published.rows(),
        "reference_source": published.SOURCE,
    }
    files.write_json(f"{options.output}.json", benchmarks)
    files.write_text(f"{options.output}.md", document.text(benchmarks))
    files.write_table(f"{options.output}.tsv", table.TSV, map(table.tsv_cells, rows))
    files.write_text(f"{options.output}.txt", document.short(benchmarks, f"{options.output}.md"))


if __name__ == "__main__":
    cli.run(main)
