"""Cohorts of AS-norm: text files that name utterances of the data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError
from . import matching, text_files
from .matching import spelled
from .rows import with_reasons

if TYPE_CHECKING:
    from pathlib import Path


def read_cohort(path: Path | str) -> dict[str, int]:
    """Names of a cohort: a text file with one utterance per line.

    Returns:
        the names as :func:`asv.trials.matching.spelled` gives them, each once and in order, to the number of its line.

    Raises:
        InputError: for a missing or empty file, and for lines that name no utterance.
    """
    found: dict[str, int] = {}
    count, bad = 0, []
    for number, line in text_files.filled_lines(path, "scoring.as_norm.cohort", "a list of utterances"):
        count += 1
        if name := spelled(line.strip()):
            found.setdefault(name, number)
        else:
            bad.append((number, line))
    if bad:
        raise InputError(
            f"{path}: {len(bad)} of {count} lines are not utterances (line {bad[0][0]}: {bad[0][1].strip()[:80]!r}); "
            "expected: one utterance per line, such as speaker/session/utterance.wav"
        )
    if not found:
        raise InputError(f"{path}: no utterance in this cohort")
    return found


def match_cohort(
    path: Path | str, ids: Sequence[str], row_of: Mapping[str, int], rejected: Mapping[str, str]
) -> list[int]:
    """Rows of the utterances of a cohort, each once, in its order.

    Args:
        path: of the file.
        ids: sequence of the ids of all of the data set's utterances.
        row_of: utterance id to row, of the utterances that are used.
        rejected: utterance id to why it is not used.

    Raises:
        InputError: as :func:`read_cohort`, for names that fit several utterances, and for utterances that are not used.
    """
    lines = read_cohort(path)
    try:
        places, _ = matching.places(list(lines), ids)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    names = [ids[place] if place >= 0 else name for name, place in zip(lines, places.tolist())]
    if unknown := [(name, line) for name, line in zip(names, lines.values()) if name not in row_of]:
        raise InputError(
            f"{path}: {len(unknown)} of {len(names)} utterances of the cohort are not used (the first in line "
            f"{unknown[0][1]}), such as {with_reasons([name for name, _ in unknown], rejected)}; complete the data "
            "set, or correct scoring.as_norm.cohort"
        )
    return [row_of[name] for name in dict.fromkeys(names)]
