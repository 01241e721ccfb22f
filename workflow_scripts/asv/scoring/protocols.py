"""Trial lists and the centroid protocols: scores, and numbers and facts of each.

No sentence is made here: those of a result come from :mod:`asv.scoring.notes`, in a stage of its own, so that other
words do not cost another scoring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .. import files
from ..errors import InputError
from ..trials.label_checks import check_labels
from ..trials.lists import read_trials
from ..trials.official_lists import recognise, voxceleb1_dev_speakers
from ..trials.protocols import CENTROID, CENTROID_LEAVE_ONE_OUT
from ..trials.rows import match, rows_of_trials
from . import as_norm, bootstrap, conditions, cosine, metrics, tables
from .embeddings import Data
from .result import Protocol

if TYPE_CHECKING:
    import numpy.typing as npt

    Scores = npt.NDArray[np.float64]
    Targets = npt.NDArray[np.bool_]
    Side = npt.NDArray[np.integer[Any]]
    Names = npt.NDArray[np.str_]

CENTROID_BOOTSTRAP = 2_000_000  # scores of a centroid protocol above which its EER gets no interval: minutes


@dataclass(frozen=True)
class Draws:
    """Draws of speakers for the EER's interval: how many (0: no interval), and their seed."""

    replicates: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Settings:
    """How data are scored.

    Attributes:
        on_missing: ``fail`` or ``skip``: what becomes of trials that name unknown utterances.
        top: how many of the cohort's speakers AS-norm takes.
        format: of the score tables, one of :data:`asv.scoring.table_formats.FORMATS`.
        draws: for the intervals.
        centroid: whether the centroid protocols are scored, too.
        max_duration: of utterances in them, seconds; longer ones are left out.
        max_scores: of a centroid protocol, above which it is left out.
    """

    on_missing: str = "fail"
    top: int = 300
    format: str = "tsv"
    draws: Draws = field(default_factory=Draws)
    centroid: bool = True
    max_duration: float = 19.0
    max_scores: int = 20_000_000


def score(
    data: Data, trials: Iterable[Path], folder: Path, settings: Settings
) -> tuple[dict[str, Protocol], str | None]:
    """Score trial lists, writing a table for each, and the centroid protocols.

    Args:
        trials: the lists.
        folder: of the tables.

    Returns:
        ``(protocols, reason)``: parts of the result by name, and why the centroid protocols are left out, or None.

    Raises:
        InputError: where a list cannot be scored, or nothing is left to score.
    """
    centroids: dict[str, Protocol] = {}
    left_out: str | None = "switched off (scoring.centroid.enabled)"
    scored = {path.stem: score_list(path, data, folder / f"{path.stem}.{settings.format}", settings) for path in trials}
    if settings.centroid:
        centroids, left_out = score_centroids(data, settings.max_duration, settings.max_scores, settings.draws)
    if not scored and not centroids:
        raise InputError(
            f"nothing to score: no trial list was given or found, and the centroid protocols are omitted: {left_out}"
        )
    return {**scored, **centroids}, left_out


def as_norm_of(cohort: Path, size: int, top: int) -> dict[str, Any]:
    """What the result says of AS-norm; ``cohort`` is the path of its list, ``size`` its number of speakers."""
    digest = files.digest(cohort, "md5")
    return {"cohort": cohort.name, "md5": digest, "speakers": size, "top": min(top, size)}


def interval_of(
    scores: Scores, targets: Targets, first: Side, second: Side, draws: Draws, limit: int | None = None
) -> dict[str, Any]:
    """The EER's confidence interval as :func:`asv.scoring.bootstrap.eer_interval`, or why there is none.

    Args:
        scores, targets: float64, bool ``(trials,)``.
        first, second: integer ``(trials,)``, speakers of the sides.
        draws: of speakers.
        limit: of the number of trials, above which there is no interval.
    """
    if not draws.replicates:
        return {"low": None, "high": None, "reason": "switched off (scoring.bootstrap.replicates)"}
    if limit and len(scores) > limit:
        return {"low": None, "high": None, "reason": f"{len(scores):,} scores are more than {limit:,}"}
    return bootstrap.eer_interval(scores, targets, first, second, draws.replicates, draws.seed)


def result_of(
    scores: Scores, targets: Targets, first: Side, second: Side, names: Names, draws: Draws, limit: int | None = None
) -> Protocol:
    """What every protocol's result has: metrics, the interval, and ``facts`` of its speakers.

    Args:
        scores, targets, first, second, draws, limit: as for :func:`interval_of`; speakers are places in ``names``.
        names: str ``(speakers,)``.
    """
    result = metrics.summary(scores, targets)
    interval = interval_of(scores, targets, first, second, draws, limit)
    speakers = set(names[np.union1d(first, second)].tolist())
    dev = sorted(voxceleb1_dev_speakers(speakers))
    facts = {"speakers": len(speakers), "voxceleb1_dev_speakers": len(dev), "example": dev[0] if dev else None}
    return cast(Protocol, {"eer": result.pop("eer"), "eer_interval": interval, **result, "facts": facts})


def list_scores(data: Data, first: Side, second: Side, top: int) -> Scores:
    """Scores of trials float64 ``(trials,)``: cosines, normalised where the data have a cohort.

    Args:
        first, second: integer ``(trials,)``, rows of the sides.
        top: how many of the cohort's speakers AS-norm takes.
    """
    scores = cosine.cosine_scores(data.prepared, first, second)
    if data.cohort is None:
        return scores
    used, place = np.unique(np.concatenate((first, second)), return_inverse=True)
    statistics = as_norm.cohort_statistics(data.prepared[used], data.cohort, top)
    return as_norm.as_norm(scores, place[: len(first)], place[len(first) :], *statistics)


def score_list(path: Path, data: Data, table: Path, settings: Settings) -> Protocol:
    """Score one trial list, write its scores, return its part of the result.

    Args:
        path: of the list.
        table: of the scores; its suffix is the format.

    Raises:
        InputError: where the list cannot be read, or cannot be scored with these data.
    """
    trials, matching = match(read_trials(path), [*data.row_of, *data.rejected])
    first, second, targets, skipped = rows_of_trials(trials, data.row_of, data.rejected, settings.on_missing)
    scores = list_scores(data, first, second, settings.top)
    ids = [row.utterance for row in data.utterances]
    tables.write(table, ids, first, second, targets, scores)
    speakers = data.speaker_of[first], data.speaker_of[second]
    try:
        result = result_of(scores, targets, *speakers, data.names, settings.draws)
    except InputError as error:
        raise InputError(f"trial list {trials.name}: {error}") from error
    official, other_counts = recognise(trials)
    counts, contradiction = check_labels(first, second, targets, data.speaker_of, ids)
    result["facts"] |= {
        "contradiction": contradiction,
        "official_list_with_other_counts": other_counts,
        "speakers_shared_with_cohort": shared_with_cohort(data, speakers),
    }
    return {
        **result,
        "list": official,
        "md5": trials.md5,
        "skipped": skipped,
        "duplicates": trials.duplicates,
        "format": trials.format,
        "matching": matching,
        **counts,
        "conditions": conditions_of(data, first, second, scores, targets, result["threshold"]),
    }


def conditions_of(
    data: Data, first: Side, second: Side, scores: Scores, targets: Targets, threshold: float
) -> dict[str, Any]:
    """Where the errors are, see :mod:`asv.scoring.conditions`; ``first`` and ``second`` are rows of the data."""
    durations = np.array([row.duration for row in data.utterances])
    shorter = np.minimum(durations[first], durations[second])
    speakers = data.speaker_of[first], data.speaker_of[second]
    return {
        "duration": conditions.by_duration(scores, targets, shorter, threshold),
        "speakers": conditions.by_speaker(scores, targets, *speakers, data.names, threshold),
    }


def shared_with_cohort(data: Data, speakers: tuple[Side, Side]) -> int:
    """How many speakers of the trials are in the cohort, whose scores are then not those of strangers."""
    return len(data.cohort_speakers & set(data.names[np.union1d(*speakers)].tolist()))


def score_centroids(
    data: Data, max_duration: float, max_scores: int, draws: Draws
) -> tuple[dict[str, Protocol], str | None]:
    """The centroid protocol of the original guide and, before it, its unbiased form, which is the one to quote.

    Args:
        data: what is scored; the embeddings as they are count.
        max_duration: seconds; longer utterances are left out.
        max_scores: above which both are left out.
        draws: for the intervals.

    Returns:
        ``(protocols, reason)``: by name, their parts of the result, and None; or none of them, and why.
    """
    rows = [i for i, row in enumerate(data.utterances) if row.duration <= max_duration]
    names, speaker_of = np.unique(data.speaker_of[rows], return_inverse=True)
    count = len(rows) * len(names)
    if len(names) < 2:
        return {}, f"fewer than 2 speakers have utterances of at most {max_duration:g} s"
    if count > max_scores:
        return {}, f"{count:,} scores are more than scoring.centroid.max_scores ({max_scores:,})"
    facts: Any = {"list": None, "md5": None, "utterances": len(rows), "max_duration": max_duration}
    names = names.astype(np.int32)  # there may be millions of scores
    sides = np.repeat(names[speaker_of], len(names)), np.tile(names, len(rows))

    scores, targets = cosine.centroid_scores(data.embeddings[rows], speaker_of)
    hits, correct_rejects = metrics.best_balanced_point(metrics.error_rates(scores.ravel(), targets.ravel()))
    flattering: Protocol = {
        **result_of(scores.ravel(), targets.ravel(), *sides, data.names, draws, CENTROID_BOOTSTRAP),
        **facts,
        "true_positive_rate": hits,
        "true_negative_rate": correct_rejects,
    }
    alone = int(np.count_nonzero(np.bincount(speaker_of) == 1))
    if alone == len(names):  # no leave-one-out form
        return {CENTROID: flattering}, None
    scores[targets] = cosine.own_centroid_scores(data.embeddings[rows], speaker_of)
    there = ~np.isnan(scores.ravel())
    kept = scores.ravel()[there], targets.ravel()[there], sides[0][there], sides[1][there]
    unbiased = result_of(*kept, data.names, draws, CENTROID_BOOTSTRAP)
    return {CENTROID_LEAVE_ONE_OUT: {**unbiased, **facts, "speakers_without_target": alone}, CENTROID: flattering}, None
