"""Warnings of a protocol's result, in sentences made from the facts that scoring has found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..network.training_sets import with_voxceleb1_dev
from ..trials.protocols import CENTROID, CENTROID_LEAVE_ONE_OUT
from .result import Facts, Protocol

SWAPPED = 0.95  # of the labels contradict the folders: 0 and 1 are probably swapped
DOUBTFUL = 0.01  # of the labels: an EER above it says more of the labels than of the network


def with_notes(protocols: Mapping[str, Protocol], training_speakers: int | None) -> dict[str, Protocol]:
    """Protocols as they are in a result: ``heard_speakers`` and ``notes`` in the place of ``facts``.

    Args:
        protocols: by name, as :mod:`asv.scoring.protocols` makes them.
        training_speakers: number of speakers that the network was trained on.
    """
    finished = {}
    for name, protocol in protocols.items():
        notes = [*_heard(protocol["facts"], training_speakers), *_of_list(protocol)]
        if name == CENTROID and CENTROID_LEAVE_ONE_OUT not in protocols:
            notes.append("no leave-one-out form: every speaker has one utterance")
        words = {"heard_speakers": heard_speakers(protocol["facts"], training_speakers), "notes": notes}
        parts = (words if key == "facts" else {key: value} for key, value in protocol.items())
        finished[name] = cast(Protocol, {key: value for part in parts for key, value in part.items()})
    return finished


def heard_speakers(facts: Facts, training_speakers: int | None) -> int:
    """How many of a protocol's speakers were among those that the network was trained on, as far as one can tell."""
    return facts["voxceleb1_dev_speakers"] if with_voxceleb1_dev(training_speakers) else 0


def doubtful_labels(protocol: Protocol) -> str | None:
    """What the first line of an answer must say of a list's labels; None where they are good, or nearly so."""
    count, trials = protocol.get("contradicting_labels", 0), protocol["targets"] + protocol["nontargets"]
    if count < DOUBTFUL * trials or not count:
        return None
    return f"LABELS CONTRADICT THE FOLDERS in {100 * count / trials:.0f} % of the trials"


def _heard(facts, training_speakers):
    if count := heard_speakers(facts, training_speakers):
        known = with_voxceleb1_dev(training_speakers)
        yield (
            f"the network has {training_speakers} training speakers, as many as {known}, and {count} of the "
            f"{facts['speakers']} speakers here, such as {facts['example']}, belong to it: it has heard them"
        )


def _of_list(protocol):
    """Notes of a trial list alone."""
    if "contradicting_labels" not in protocol:
        return
    facts, trials = protocol["facts"], protocol["targets"] + protocol["nontargets"]
    if contradiction := facts["contradiction"]:
        yield contradicting_labels(protocol["contradicting_labels"], trials, contradiction)
    selves = protocol["self_trials"]
    if selves["targets"]:
        yield (
            f"{selves['targets']:,} of {trials:,} trials are targets of an utterance with itself, which every "
            "network accepts: they flatter"
        )
    if selves["nontargets"]:
        yield f"{selves['nontargets']:,} of {trials:,} trials are nontargets of an utterance with itself"
    if other := facts["official_list_with_other_counts"]:
        yield other_counts(other)
    if shared := facts["speakers_shared_with_cohort"]:
        yield f"{shared} speakers of the trials are in the cohort of AS-norm, too"


def contradicting_labels(count: int, trials: int, example: Mapping[str, str]) -> str:
    """Labels that contradict the folders: how many of how many, and one of them."""
    what = f"{example['label']} of {example['enrolment']} and {example['test']}"
    why = "0 and 1 seem to be swapped" if count >= SWAPPED * trials else "labels or folders are wrong"
    return f"{count:,} of {trials:,} labels contradict the folders, such as {what}; {why}"


def other_counts(facts: Mapping[str, Any]) -> str:
    """A list of an official one's name that is another list."""
    return (
        f"{facts['file']} is the file name of {facts['list']}, which has {facts['targets']:,} target and "
        f"{facts['nontargets']:,} nontarget trials; this one has {facts['own_targets']:,} and "
        f"{facts['own_nontargets']:,}"
    )
