"""Draw what the recommendation chose from: throughput against the increase of the EER.

Written as SVG and PNG beside each other: the option names the SVG. Two runs write the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.report import figure, recommendation_figure


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--recommendation", type=Path, required=True, help="JSON of recommend.py")
    parser.add_argument("--max-eer-increase", type=float, default=0.002, help="that the gate accepts, a fraction")
    parser.add_argument("--output", type=Path, required=True, help="SVG")
    options = parser.parse_args()
    found = files.read_json(options.recommendation)
    figure.save_both(recommendation_figure.recommendation_figure(found, options.max_eer_increase), options.output)


if __name__ == "__main__":
    cli.run(main)
