"""Fetch the checkpoint's archive from a URL and check its SHA-256; it is not kept unless the digest is right."""

from __future__ import annotations

import http.client
import sys
import urllib.request
from pathlib import Path

from asv import cli, files
from asv.errors import InputError
from asv.network.archive import check_digest
from asv.network.zips import LARGEST
from asv.progress import progress

TIMEOUT = 60  # seconds without a byte
BLOCK = 1 << 20  # bytes


def fetch(url, target):
    """Copy what a URL (http or https) serves to the file ``target``."""
    if not url.startswith(("https://", "http://")):
        raise InputError(f"{url}: only http and https are fetched")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, target.open("wb") as stream:
            declared = int(response.headers.get("Content-Length") or 0)
            blocks = iter(lambda: response.read(BLOCK), b"")
            for block in progress(blocks, "fetch", "MB", total=-(-declared // BLOCK) or None):
                stream.write(block)
                if stream.tell() > LARGEST:
                    raise InputError(f"{url}: more than {LARGEST} bytes; refused")
            if declared and stream.tell() != declared:
                raise InputError(f"{url}: {stream.tell()} of {declared} bytes came; try again")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(f"{url}: cannot be fetched ({error}); fetch it by hand and set checkpoint.archive") from error


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
