"""The accuracy gate: whether an engine's embeddings and EER are near enough to the reference's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agreement import EerChange


def gate(lowest_cosine: float, eer_increase: float | None, min_cosine: float, max_eer_increase: float) -> list[str]:
    """Judge an engine.

    Args:
        lowest_cosine: the lowest cosine of an embedding with the reference's.
        eer_increase: largest increase of the EER over the lists, a fraction; None if no list was scored.
        min_cosine, max_eer_increase: what the configuration accepts.

    Returns:
        list of faults in words, each by how much; empty if the engine passes.
    """
    faults = []
    if not lowest_cosine >= min_cosine:  # NaN does not pass
        faults.append(f"lowest cosine {lowest_cosine:.6f} is below {min_cosine:g}")
    if eer_increase is not None and not eer_increase <= max_eer_increase:
        faults.append(f"EER is up by {100 * eer_increase:.3f} points, more than {100 * max_eer_increase:g}")
    return faults


def verdict(
    embeddings_facts: Mapping[str, Any], changes: Mapping[str, EerChange], min_cosine: float, max_eer_increase: float
) -> dict[str, Any]:
    """What is written of an engine, ready for JSON.

    Args:
        embeddings_facts: of :func:`asv.scoring.agreement.compare_embeddings`.
        changes: of :func:`asv.scoring.agreement.eer_changes`.
        min_cosine, max_eer_increase: what the gate accepts.
    """
    increase = max((change["difference"] for change in changes.values()), default=None)
    faults = gate(embeddings_facts["min_cosine"], increase, min_cosine, max_eer_increase)
    return {**embeddings_facts, "eer_change": changes, "gate": "FAIL" if faults else "PASS", "faults": faults}
