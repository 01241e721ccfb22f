"""Words that the answer and its sentence share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def percent(fraction: float) -> str:
    """A rate in percent.

    >>> percent(0.05)
    '5.000 %'
    """
    return f"{100 * fraction:.3f} %"


def score_name(settings: Mapping[str, Any]) -> str:
    """What the scores of trial lists are."""
    norm, mean = settings["as_norm"], settings["subtract_mean"]
    normalised = f"AS-norm by the top {norm['top']} of {norm['speakers']:,} cohort speakers, " if norm else ""
    return normalised + "cosine" + ("" if mean == "none" else f" less the mean of the {mean}")
