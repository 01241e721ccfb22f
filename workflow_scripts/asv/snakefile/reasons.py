"""Params that say what they are, where Snakemake gives them as the reason why a job runs again.

Snakemake compares and shows the ``repr`` of a param, and puts its text into the command. A digest alone would leave a
person to guess whether it is of wavs or of code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Reason(str):
    """Text for a command, shown as ``wavs: 4f5e...``, say.

    >>> Reason("settings", "--crops 3")
    settings: --crops 3
    >>> f"infer.py {Reason('settings', '--crops 3')}"
    'infer.py --crops 3'
    """

    kind: str

    def __new__(cls, kind: str, text: Any) -> Reason:
        made = super().__new__(cls, text)
        made.kind = kind
        return made

    def __repr__(self) -> str:
        return f"{self.kind}: {self}"


def versions(found: Mapping[str, str]) -> Reason:
    """Versions of packages by name.

    >>> versions({"torch": "2.13.0", "numpy": "2.4.6"})
    versions: numpy 2.4.6 torch 2.13.0
    """
    return Reason("versions", " ".join(f"{name} {version}" for name, version in sorted(found.items())))
