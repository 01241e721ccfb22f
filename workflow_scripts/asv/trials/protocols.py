"""Names of the protocols in results: those of the trial lists, and the centroid protocols."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError

CENTROID = "centroid"  # name of the original guide's protocol in results
CENTROID_LEAVE_ONE_OUT = "centroid_leave_one_out"


def protocol_names(paths: Iterable[Path | str]) -> list[str]:
    """Stems of the lists, which name them in results; equal ones are an error."""
    named = {
        CENTROID: "the original guide's protocol",
        CENTROID_LEAVE_ONE_OUT: "the original guide's protocol made unbiased",
    }
    reserved = len(named)
    for path in paths:
        stem = Path(path).stem
        if stem in named:
            raise InputError(
                f"dataset.trials: {path}: {stem!r} is also the name of {named[stem]}, which keys results; rename a "
                "list, or name those to use in dataset.trials"
            )
        named[stem] = f"another list, {path}"
    return list(named)[reserved:]
