"""Make one HTML page of results, for the report: benchmarks are tables, a text is folded away under its first line.

The report of Snakemake shows HTML, but only offers text and tables for download.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.report import page


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--title", required=True, help="of the page")
    parser.add_argument("--benchmarks", type=Path, help="JSON of tabulate_benchmarks.py")
    parser.add_argument("--input", type=Path, nargs="*", default=[], help="texts, in this order")
    parser.add_argument("--output", type=Path, required=True, help="HTML")
    options = parser.parse_args()
    parts = [page.from_benchmarks(files.read_json(options.benchmarks))] if options.benchmarks else []
    for path in options.input:
        parts.append(page.from_text(path.read_text(encoding="utf-8"), f"{path.parent.name}, {path.stem}"))
    files.write_text(options.output, page.page(options.title, "\n".join(parts) or "<p>Nothing was measured.</p>"))


if __name__ == "__main__":
    cli.run(main)
