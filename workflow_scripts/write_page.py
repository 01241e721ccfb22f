"""Make one HTML page of results, for the report: Markdown is laid out, other text is folded away under its first line.

The report of Snakemake shows HTML, but only offers text and tables for download.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.report import page


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--title", required=True, help="of the page")
    parser.add_argument("--input", type=Path, nargs="*", default=[], help=".md and other text, in this order")
    parser.add_argument("--output", type=Path, required=True, help="HTML")
    options = parser.parse_args()
    parts = []
    for path in options.input:
        text = path.read_text(encoding="utf-8")
        label = f"{path.parent.name}, {path.stem}"
        parts.append(page.from_markdown(text) if path.suffix == ".md" else page.from_text(text, label))
    files.write_text(options.output, page.page(options.title, "\n".join(parts) or "<p>Nothing was measured.</p>"))


if __name__ == "__main__":
    cli.run(main)
