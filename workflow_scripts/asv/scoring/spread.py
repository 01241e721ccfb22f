"""How far error rates depend on the places of the crops: the same trials, with places of several random seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from . import metrics, protocols
from .length_trials import Trials
from .lengths import PRIOR, Setting


class Spread(TypedDict):
    """Of a figure over the seeds."""

    mean: float
    deviation: float  # standard deviation, of one less than the number of seeds
    lowest: float
    highest: float


class Row(TypedDict):
    """One number of crops. Rates are fractions."""

    frames: int
    crops: int
    seeds: list[int]
    eers: list[float]  # of each seed
    min_dcfs: list[float]
    eer: Spread
    min_dcf: Spread
    interval: dict[str, Any]  # of the first seed, over draws of speakers
    gflop: float | None  # per utterance, an estimate


def of_values(values: Sequence[float]) -> Spread:
    """Mean, deviation and ends of two or more values.

    >>> of_values([0.25, 0.75])["mean"]
    0.5
    """
    return {
        "mean": statistics.fmean(values),
        "deviation": statistics.stdev(values),
        "lowest": min(values),
        "highest": max(values),
    }


def row(
    settings: Sequence[Setting],
    scores: Sequence[npt.NDArray[np.float64]],
    trials: Trials,
    draws: protocols.Draws,
    gflop_per_frame: float | None,
) -> Row:
    """The row of a number of crops.

    Args:
        settings: with this number of crops, one per seed.
        scores: float64 ``(trials,)``, of each setting.
        trials: what was scored.
        draws: of speakers, for the interval.
        gflop_per_frame: of the network; None where it is not known.
    """
    rates = [metrics.error_rates(of_seed, trials.targets) for of_seed in scores]
    eers = [metrics.equal_error_rate(rate)[0] for rate in rates]
    costs = [metrics.min_dcf(rate, PRIOR)[0] for rate in rates]
    sides = trials.targets, trials.first, trials.second
    facts = settings[0].facts
    return {
        "frames": facts["frames"] or 0,
        "crops": facts["crops"],
        "seeds": [setting.facts["seed"] for setting in settings],
        "eers": eers,
        "min_dcfs": costs,
        "eer": of_values(eers),
        "min_dcf": of_values(costs),
        "interval": protocols.interval_of(scores[0], *sides, draws, trials.limit),
        "gflop": None if gflop_per_frame is None else facts["frames_heard"] * gflop_per_frame,
    }


def by_crops(settings: Sequence[Setting]) -> Mapping[int, list[Setting]]:
    """The settings of every number of crops, in the order given."""
    found: dict[int, list[Setting]] = {}
    for setting in settings:
        found.setdefault(setting.facts["crops"], []).append(setting)
    return found
