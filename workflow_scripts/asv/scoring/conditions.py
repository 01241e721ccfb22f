"""Where the errors are: by duration of the shorter side, and by speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .metrics import equal_error_rate, error_rates

if TYPE_CHECKING:
    import numpy.typing as npt

DURATIONS = (2, 4, 6, 8, 12, 20)  # seconds; edges of the bins
FEWEST = 30  # trials of each class for an EER of a bin
MOST_SPEAKERS = 10  # listed


def by_duration(
    scores: npt.NDArray[np.float64],
    targets: npt.NDArray[np.bool_],
    durations: npt.NDArray[np.float64],
    threshold: float,
) -> list[dict[str, float | None]]:
    """Errors by the duration of a trial's shorter side.

    Args:
        scores, targets: float, bool ``(trials,)``.
        durations: float ``(trials,)``, seconds.
        threshold: the one of all trials' EER.

    Returns:
        a dictionary for each bin that has trials: ``from`` and ``to`` (seconds, to None: no limit), ``targets``,
        ``nontargets``, ``miss`` and ``false_accept`` at the threshold, None without such trials, and the bin's own
        ``eer``, None if either class has fewer than :data:`FEWEST` trials.
    """
    bins: list[dict[str, float | None]] = []
    place = np.searchsorted(DURATIONS, durations, side="right")
    for index, (low, high) in enumerate(zip((0, *DURATIONS), (*DURATIONS, None))):
        there = place == index
        accepted, target = scores[there] >= threshold, targets[there]
        counts = int(np.count_nonzero(target)), int(np.count_nonzero(~target))
        if any(counts):
            eer = equal_error_rate(error_rates(scores[there], target))[0] if min(counts) >= FEWEST else None
            bins.append(
                {
                    "from": low,
                    "to": high,
                    "targets": counts[0],
                    "nontargets": counts[1],
                    "miss": float(np.mean(~accepted[target])) if counts[0] else None,
                    "false_accept": float(np.mean(accepted[~target])) if counts[1] else None,
                    "eer": eer,
                }
            )
    return bins


def by_speaker(
    scores: npt.NDArray[np.float64],
    targets: npt.NDArray[np.bool_],
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    names: npt.NDArray[np.str_],
    threshold: float,
) -> list[dict[str, str | int]]:
    """The speakers with most errors at a threshold; an error counts for both of a trial's speakers.

    Args:
        scores, targets: float, bool ``(trials,)``.
        first, second: integer ``(trials,)``, speakers of the sides as places in ``names``.
        names: speakers.
        threshold: the one of the EER.

    Returns:
        up to :data:`MOST_SPEAKERS` dictionaries of ``speaker``, ``trials``, ``misses``, ``false_accepts``, those with
        most errors first.
    """

    def count(trials):
        other = trials & (first != second)
        return np.bincount(first[trials], minlength=len(names)) + np.bincount(second[other], minlength=len(names))

    accepted = scores >= threshold
    misses, false_accepts = count(targets & ~accepted), count(~targets & accepted)
    trials = count(np.ones_like(targets))
    worst = sorted(np.flatnonzero(misses + false_accepts), key=lambda i: (-(misses[i] + false_accepts[i]), names[i]))
    return [
        {
            "speaker": str(names[i]),
            "trials": int(trials[i]),
            "misses": int(misses[i]),
            "false_accepts": int(false_accepts[i]),
        }
        for i in worst[:MOST_SPEAKERS]
    ]
