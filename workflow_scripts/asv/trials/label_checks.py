"""Labels of trials against the folders, which tell the speakers, too: either may be wrong, so findings are facts."""

from __future__ import annotations

import numpy as np


def check_labels(first, second, targets, speakers, names):
    """Compare labels with folders, and look for trials of an utterance with itself.

    Args:
        first, second: integer ``(trials,)``, utterances of both sides.
        targets: bool ``(trials,)``.
        speakers: integer ``(utterances,)``, by folder.
        names: of the utterances.

    Returns:
        ``(counts, contradiction)``: ``contradicting_labels``, and ``self_trials`` of ``targets`` and of ``nontargets``;
        the first trial whose label contradicts the folders (``label``, ``enrolment``, ``test``), or None.
    """
    contradicting = (speakers[first] == speakers[second]) != targets
    itself = first == second
    selves = {
        "targets": int(np.count_nonzero(itself & targets)),
        "nontargets": int(np.count_nonzero(itself & ~targets)),
    }
    counts = {"contradicting_labels": int(np.count_nonzero(contradicting)), "self_trials": selves}
    if not counts["contradicting_labels"]:
        return counts, None
    trial = int(np.argmax(contradicting))
    sides = {"enrolment": names[first[trial]], "test": names[second[trial]]}
    return counts, {"label": "target" if targets[trial] else "nontarget", **sides}
