"""What is said of rejected files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .manifest import Rejected

EXAMPLES = 5


def listing(rejected: Sequence[Rejected]) -> str:
    """Lines with the number of files per reason, and EXAMPLES of them: the first of each reason first.

    Args:
        rejected: list of :class:`asv.features.manifest.Rejected`.
    """
    of_reason: dict[str, list[Rejected]] = {}
    for row in rejected:
        of_reason.setdefault(row.reason, []).append(row)
    counts = [f"\n  {len(rows):,} {reason}" for reason, rows in sorted(of_reason.items())]
    turns = zip_longest(*(rows[:EXAMPLES] for _, rows in sorted(of_reason.items())))
    examples = list(filter(None, chain.from_iterable(turns)))[:EXAMPLES]
    return "".join([*counts, "\nsuch as", *(f"\n  {row.file}: {row.reason}: {row.detail}" for row in examples)])


def fault(used: int, rejected: Sequence[Rejected], on_bad_audio: str) -> str | None:
    """Why a data set cannot be evaluated, or None.

    Args:
        used: number of utterances that can be used.
        rejected: list of :class:`asv.features.manifest.Rejected`.
        on_bad_audio: ``reject``, or ``fail`` where one rejected file is enough.
    """
    if not used:
        return f"none of the {len(rejected)} files can be used:{listing(rejected)}"
    if rejected and on_bad_audio == "fail":
        verdict = f"{len(rejected)} files cannot be used, and dataset.on_bad_audio is fail"
        return f"{verdict}:{listing(rejected)}"
    return None
