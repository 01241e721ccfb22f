"""What the answer says of the data set's speakers."""

from __future__ import annotations

from collections import Counter
from statistics import median


def describe(utterances, layout):
    """Counts of speakers, and of the utterances of each.

    Args:
        utterances: list of :class:`asv.features.manifest.Utterance`, not empty.
        layout: name of the layout by which the speakers were found.
    """
    counts = Counter(row.speaker for row in utterances).values()
    return {
        "speakers": len(counts),
        "sessions": len({(row.speaker, row.session) for row in utterances if row.session}),
        "utterances_per_speaker": {"minimum": min(counts), "median": median(counts), "maximum": max(counts)},
        "example": min(row.utterance for row in utterances),
        "layout": layout,
    }


def sentence(facts):
    """The same for a person."""
    each = facts["utterances_per_speaker"]
    sessions = f" with {facts['sessions']:,} sessions" if facts["sessions"] else ""
    layout = f" (layout {facts['layout']})" if facts["layout"] else ""
    return (
        f"{facts['speakers']:,}{sessions}; utterances each: {each['minimum']:,} to {each['maximum']:,}, median "
        f"{each['median']:g}; such as {facts['example']}{layout}"
    )
