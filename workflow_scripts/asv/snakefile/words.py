"""Settings as words of a command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any


def options_of(settings: Mapping[str, Any], *names: str) -> str:
    """Command-line options of settings: ``{"n_fft": 400}`` to ``--n-fft 400``; null settings are left out."""
    chosen = {name: settings[name] for name in sorted(names) if settings[name] is not None}
    return shlex.join(part for name, value in chosen.items() for part in (f"--{name.replace('_', '-')}", str(value)))
