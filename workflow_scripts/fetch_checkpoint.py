"""Fetch the checkpoint's archive from a URL and check its SHA-256; it is not kept unless the digest is right."""

from __future__ import annotations

import sys
from pathlib import Path

from asv import cli, files
from asv.network.archive import check_digest
from asv.network.fetch import fetch


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--url", required=True, help="http or https")
    parser.add_argument("--sha256", required=True, help="digest of the archive, hexadecimal")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    print(f"fetching {options.url}", file=sys.stderr)
    with files.atomic_file(options.output) as temporary:
        fetch(options.url, temporary)
        check_digest(temporary, options.sha256, options.url)


if __name__ == "__main__":
    cli.run(main)
