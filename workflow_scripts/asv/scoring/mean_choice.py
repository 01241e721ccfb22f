"""Whose mean may be subtracted from embeddings. Without NumPy: the Snakefile checks the configuration by it, too."""

from __future__ import annotations

MEANS = ("none", "dataset", "cohort")


def fault(subtract_mean: str, has_cohort: bool) -> str | None:
    """Why a mean cannot be subtracted, or None; ``subtract_mean`` is one of :data:`MEANS`."""
    if subtract_mean == "cohort" and not has_cohort:
        return "scoring.subtract_mean: cohort needs a list of utterances in scoring.as_norm.cohort"
    return None
