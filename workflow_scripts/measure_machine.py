"""Describe the machine and measure its matrix-multiply peak, in the precisions that engines use.

The peak is the better of PyTorch's and OpenVINO's on square matrices: what the machine is seen to do.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.benchmark import machine


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--threads", type=cli.positive, default=1)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    files.write_json(options.output, machine.describe(cli.usable_threads(options.threads)))


if __name__ == "__main__":
    cli.run(main)
