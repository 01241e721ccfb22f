"""Draw what settings of frames and crops cost in accuracy against whole utterances.

Written as SVG and PNG beside each other: the option names the SVG. Two runs write the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.report import figure, length_figure


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="accuracy_by_length.json")
    parser.add_argument("--output", type=Path, required=True, help="SVG")
    options = parser.parse_args()
    figure.save_both(length_figure.length_figure(files.read_json(options.table)), options.output)


if __name__ == "__main__":
    cli.run(main)
