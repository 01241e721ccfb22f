"""Counts of the data set's utterances and speakers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from ..features import manifest


def describe(utterances: Sequence[manifest.Utterance]) -> dict[str, Any]:
    """Counts of speakers, and of the utterances of each.

    Args:
        utterances: list of :class:`asv.features.manifest.Utterance`, not empty.
    """
    counts = Counter(row.speaker for row in utterances).values()
    return {
        "speakers": len(counts),
        "sessions": len({(row.speaker, row.session) for row in utterances if row.session}),
        "utterances_per_speaker": {"minimum": min(counts), "median": median(counts), "maximum": max(counts)},
        "example": min(row.utterance for row in utterances),
    }


def describe_utterances(
    utterances: Sequence[manifest.Utterance], rejected: Sequence[manifest.Rejected], sample_rate: int
) -> dict[str, Any]:
    """Counts of the utterances that were found, used and left out, those of their speakers, and their notes.

    Args:
        utterances: list of :class:`asv.features.manifest.Utterance`, not empty.
        rejected: list of :class:`asv.features.manifest.Rejected`.
        sample_rate: hertz, of the features.
    """
    return {
        "found": len(utterances) + len(rejected),
        "used": len(utterances),
        "seconds": round(sum(row.duration for row in utterances), 2),
        "rejected": len(rejected),
        "reasons": dict(sorted(Counter(row.reason for row in rejected).items())),
        "resampled": sum(row.sample_rate != sample_rate for row in utterances),
        "mixed": sum(row.channels > 1 for row in utterances),
        "speakers": describe(utterances),
        "noted": manifest.count_notes(utterances),
    }
