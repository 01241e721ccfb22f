"""Labels of trials against the folders, which tell the speakers, too: either may be wrong, so findings are notes."""

from __future__ import annotations

import numpy as np

SWAPPED = 0.95  # of the labels contradict the folders: 0 and 1 are probably swapped
DOUBTFUL = 0.01  # of the labels: an EER above it says more of the labels than of the network


def check_labels(first, second, targets, speakers, names):
    """Compare labels with folders, and look for trials of an utterance with itself.

    Args:
        first, second: integer ``(trials,)``, utterances of both sides.
        targets: bool ``(trials,)``.
        speakers: integer ``(utterances,)``, by folder.
        names: of the utterances.

    Returns:
        ``(counts, notes)``: ``contradicting_labels``, and ``self_trials`` of ``targets`` and of ``nontargets``; what is
        to be said of them, in sentences.
    """
    contradicting = (speakers[first] == speakers[second]) != targets
    itself = first == second
    selves = {
        "targets": int(np.count_nonzero(itself & targets)),
        "nontargets": int(np.count_nonzero(itself & ~targets)),
    }
    notes = []
    if count := int(np.count_nonzero(contradicting)):
        trial = int(np.argmax(contradicting))
        label = "target" if targets[trial] else "nontarget"
        notes.append(
            f"{count:,} of {len(targets):,} labels contradict the folders, such as {label} of {names[first[trial]]} "
            f"and {names[second[trial]]}"
            + ("; 0 and 1 seem to be swapped" if count >= SWAPPED * len(targets) else "; labels or folders are wrong")
        )
    if selves["targets"]:
        notes.append(
            f"{selves['targets']:,} of {len(targets):,} trials are targets of an utterance with itself, which every "
            "network accepts: they flatter"
        )
    if selves["nontargets"]:
        notes.append(f"{selves['nontargets']:,} of {len(targets):,} trials are nontargets of an utterance with itself")
    return {"contradicting_labels": int(np.count_nonzero(contradicting)), "self_trials": selves}, notes


def doubt(protocol):
    """What the first line of an answer must say of a list's labels; None where they are good, or nearly so."""
    count, trials = protocol.get("contradicting_labels", 0), protocol["targets"] + protocol["nontargets"]
    if count < DOUBTFUL * trials or not count:
        return None
    return f"LABELS CONTRADICT THE FOLDERS in {100 * count / trials:.0f} % of the trials"
