"""Labels of trials against the folders, which tell the speakers, too: either may be wrong, so findings are facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class LabelCounts(TypedDict):
    """Numbers of odd trials."""

    contradicting_labels: int  # whose label contradicts the folders
    self_trials: dict[str, int]  # targets, nontargets: of an utterance with itself


def check_labels(
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    targets: npt.NDArray[np.bool_],
    speakers: npt.NDArray[np.integer[Any]],
    names: Sequence[str],
) -> tuple[LabelCounts, dict[str, str] | None]:
    """Compare labels with folders, and look for trials of an utterance with itself.

    Args:
        first, second: integer ``(trials,)``, utterances of both sides.
        targets: bool ``(trials,)``.
        speakers: integer ``(utterances,)``, by folder.
        names: of the utterances.

    Returns:
        ``(counts, contradiction)``: :class:`LabelCounts`, and the first trial whose label contradicts the folders
        (``label``, ``enrolment``, ``test``), or None.
    """
    contradicting = (speakers[first] == speakers[second]) != targets
    itself = first == second
    selves = {
        "targets": int(np.count_nonzero(itself & targets)),
        "nontargets": int(np.count_nonzero(itself & ~targets)),
    }
    counts: LabelCounts = {"contradicting_labels": int(np.count_nonzero(contradicting)), "self_trials": selves}
    if not counts["contradicting_labels"]:
        return counts, None
    trial = int(np.argmax(contradicting))
    sides = {"enrolment": names[first[trial]], "test": names[second[trial]]}
    return counts, {"label": "target" if targets[trial] else "nontarget", **sides}
