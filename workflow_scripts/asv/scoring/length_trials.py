"""The trials by which settings of frames and crops are compared: the first list, or else the centroid protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from ..errors import InputError
from ..trials.lists import read_trials
from ..trials.protocols import CENTROID_LEAVE_ONE_OUT
from ..trials.rows import match, rows_of_trials
from . import cosine
from .protocols import CENTROID_BOOTSTRAP, Settings, list_scores

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..features.manifest import Rejected
    from .embeddings import Data


class Counts(TypedDict):
    """Where the trials went: listed = scored + dropped + skipped."""

    listed: int
    scored: int
    dropped: int  # of utterances that not all settings have
    skipped: int  # of utterances that no setting has, see scoring.on_missing_trial


@dataclass(frozen=True)
class Trials:
    """What every setting scores.

    Attributes:
        protocol: name of the list, or ``centroid_leave_one_out``.
        targets: bool ``(trials,)``.
        first, second: integer ``(trials,)``, speakers of the sides.
        counts: :class:`Counts`.
        scores: a function of a setting's data: float64 ``(trials,)``.
        limit: of the number of trials, above which there is no interval; None: none.
    """

    protocol: str
    targets: npt.NDArray[np.bool_]
    first: npt.NDArray[np.integer[Any]]
    second: npt.NDArray[np.integer[Any]]
    counts: Counts
    scores: Callable[[Data], npt.NDArray[np.float64]]
    limit: int | None = None


def of_list(
    path: Path, data: Data, row_of: Mapping[str, int], rejected: Sequence[Rejected], settings: Settings
) -> Trials:
    """The trials of a list whose utterances all settings have.

    Args:
        path: of the list.
        data: of any setting: which utterances all of them have.
        row_of, rejected: of whole utterances: whose absence is a fault, or skipped.
        settings: of scoring.

    Raises:
        InputError: as :func:`asv.trials.rows.rows_of_trials`, and where no trial is left.
    """
    reasons = {row.utterance: f"rejected: {row.reason}" for row in rejected}
    trials, _ = match(read_trials(path), [*row_of, *reasons])
    first, second, targets, skipped = rows_of_trials(trials, row_of, reasons, settings.on_missing)
    row_in_common = np.array([data.row_of.get(name, -1) for name in row_of])
    first, second = row_in_common[first], row_in_common[second]
    kept = (first >= 0) & (second >= 0)
    first, second, targets = first[kept], second[kept], targets[kept]
    if targets.all() or not targets.any():
        raise InputError(
            f"accuracy_by_length.frames: of trial list {path.name} {len(targets)} trials are left, of utterances that "
            "are long enough for all settings (features.short: reject), and not both targets and nontargets; leave "
            "out the longest, or set features.short: repeat"
        )
    counts: Counts = {
        "listed": len(trials.targets),
        "scored": len(targets),
        "dropped": int(np.count_nonzero(~kept)),
        "skipped": skipped,
    }
    speakers = data.speaker_of[first], data.speaker_of[second]
    return Trials(path.stem, targets, *speakers, counts, lambda data: list_scores(data, first, second, settings.top))


def of_centroids(data: Data, settings: Settings) -> Trials:
    """The centroid protocol in its unbiased form, as :func:`asv.scoring.protocols.score_centroids` has it.

    Raises:
        InputError: where there is nothing to score.
    """
    rows = [i for i, row in enumerate(data.utterances) if row.duration <= settings.max_duration]
    names, speaker_of = np.unique(data.speaker_of[rows], return_inverse=True)
    count = len(rows) * len(names)
    reason = None
    if not settings.centroid:
        reason = "switched off (scoring.centroid.enabled)"
    elif count > settings.max_scores:
        reason = f"{count:,} scores are more than scoring.centroid.max_scores ({settings.max_scores:,})"
    elif len(names) < 2 or len(names) == len(rows):
        reason = f"{len(rows)} utterances of at most {settings.max_duration:g} s, of {len(names)} speakers"
    if reason:
        raise InputError(
            f"nothing to score: no trial list was given or found, and the centroid protocol is omitted: {reason}; "
            "name a list in dataset.trials"
        )
    there = np.repeat(np.bincount(speaker_of)[speaker_of] > 1, len(names)).reshape(len(rows), -1)
    own = speaker_of[:, None] == np.arange(len(names))
    there |= ~own  # a speaker's only utterance has no target, but nontargets
    numbers = names.astype(np.int32)
    first, second = np.repeat(numbers[speaker_of], len(names)), np.tile(numbers, len(rows))

    def scores(data):
        found, _ = cosine.centroid_scores(data.embeddings[rows], speaker_of)
        found[own] = cosine.own_centroid_scores(data.embeddings[rows], speaker_of)
        return found[there]

    kept = there.ravel()
    counts: Counts = {"listed": count, "scored": int(kept.sum()), "dropped": 0, "skipped": int((~kept).sum())}
    sides = own.ravel()[kept], first[kept], second[kept]
    return Trials(CENTROID_LEAVE_ONE_OUT, *sides, counts, scores, CENTROID_BOOTSTRAP)
