"""Copy the answer of the configured engine to where people look for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from asv import cli, files


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--input", type=Path, nargs="+", required=True, help="files of an engine's answer")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="their copies, in the same order")
    options = parser.parse_args()
    for source, target in zip(options.input, options.output):
        with files.atomic_file(target) as temporary:
            shutil.copyfile(source, temporary)


if __name__ == "__main__":
    cli.run(main)
