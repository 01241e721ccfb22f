"""A trial list against a data set: which utterances its names mean, and which trials can be scored."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from . import matching
from .lists import TrialList, count_duplicates

if TYPE_CHECKING:
    import numpy.typing as npt

MODEL = re.compile(r"(?:^|[-_/])enrol(?:l|ment|lment)?(?:\.wav)?$", re.IGNORECASE)  # CN-Celeb: id00800-enroll


def match(trials: TrialList, ids: Sequence[str]) -> tuple[TrialList, dict[str, int]]:
    """Find a list's utterances in a data set.

    Args:
        trials: of :func:`read_trials`.
        ids: sequence of the ids of all of the data set's utterances, those that were rejected, too.

    Returns:
        ``(trials, kinds)``: the list with ids as ``names`` (those that no utterance has stay as they are), each once,
        and how many names were matched in which way, see :func:`asv.trials.matching.places`.

    Raises:
        InputError: where a name fits several utterances, or names of one utterance lead to a pair with both labels.
    """
    try:
        places, kinds = matching.places(trials.names, ids)
    except InputError as error:
        raise InputError(f"trial list {trials.name}: {error}") from None
    names = [ids[place] if place >= 0 else name for name, place in zip(trials.names, places.tolist())]
    index: dict[str, int] = {}
    row_of = np.array([index.setdefault(name, len(index)) for name in names])
    if len(index) == len(names):
        return dataclasses.replace(trials, names=names), kinds
    names, first, second = list(index), row_of[trials.first], row_of[trials.second]
    duplicates = count_duplicates(trials.file, names, first, second, trials.targets)
    return dataclasses.replace(trials, names=names, first=first, second=second, duplicates=duplicates), kinds


def rows_of_trials(
    trials: TrialList, row_of: Mapping[str, int], rejected: Mapping[str, str], missing: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_], int]:
    """Rows of both sides of the trials whose utterances are used.

    Args:
        trials: of :func:`match`.
        row_of: utterance id to row, of the utterances that are used.
        rejected: utterance id to why it is not used.
        missing: ``fail`` or ``skip``: what becomes of trials that name others.

    Returns:
        ``(first, second, targets, skipped)``: int64, int64, bool ``(trials,)``, and the number of trials left out.

    Raises:
        InputError: where there are others and they are to fail, and where nothing is left.
    """
    rows = np.array([row_of.get(name, -1) for name in trials.names])
    first, second = rows[trials.first], rows[trials.second]
    there = (first >= 0) & (second >= 0)
    skipped = int(np.count_nonzero(~there))
    unknown = [name for name in trials.names if name not in row_of]
    if skipped and missing == "fail":
        raise InputError(
            f"trial list {trials.name}: {skipped} of {len(there)} trials name {len(unknown)} utterances that are not "
            f"used, such as {with_reasons(unknown, rejected)}; {_hint(trials, unknown, row_of)}complete the data set, "
            "or set scoring.on_missing_trial: skip"
        )
    if not there.any():
        raise InputError(
            f"trial list {trials.name}: none of its {len(there)} trials names utterances of this data set, but such as "
            f"{with_reasons(unknown, rejected)}; {_hint(trials, unknown, row_of)}give the list of this data set"
        )
    return first[there], second[there], trials.targets[there], skipped


def with_reasons(unknown: Sequence[str], rejected: Mapping[str, str]) -> str:
    """The first few of the utterances that are not used, and why they are not."""

    def shown(name):  # Kaldi's ids have no suffix
        return name if "/" in name else name.removesuffix(".wav")

    return ", ".join(f"{shown(name)} ({rejected.get(name, 'not in the data set')})" for name in unknown[:5])


def _hint(trials, unknown, row_of):
    """What else to say of a list's unknown utterances; empty, or ends in a semicolon."""
    if models := [name for name in unknown if MODEL.search(name)]:
        return (
            f"{len(models)} of them are enrolment models, such as {models[0].removesuffix('.wav')}: enrolment by "
            "several utterances of a speaker, as CN-Celeb has it, is not supported, a trial is of two utterances; "
        )
    if row_of and len(unknown) == len(trials.names):
        return f"utterances of the data set are named as {next(iter(row_of))}; "
    return ""
