"""Fetching what a URL serves."""

from __future__ import annotations

import http.client
import urllib.request
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import progress
from .zips import LARGEST

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 60  # seconds without a byte
BLOCK = 1 << 20  # bytes


def fetch(url: str, target: Path) -> None:
    """Copy what a URL (http or https) serves, at most LARGEST bytes, to ``target``; InputError where that fails."""
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
