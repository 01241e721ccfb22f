"""How far an engine's embeddings are from the reference's, and the gate that says what is acceptable."""

from __future__ import annotations


def gate(min_cosine, eer_increase, least_cosine, largest_increase):
    """Judge an engine.

    Args:
        min_cosine: least cosine of an embedding with the reference's.
        eer_increase: largest increase of the EER over the lists, a fraction; None if no list was scored.
        least_cosine, largest_increase: what the configuration accepts.

    Returns:
        list of faults in words, each by how much; empty if the engine passes.
    """
    faults = []
    if not min_cosine >= least_cosine:  # NaN does not pass
        faults.append(f"least cosine {min_cosine:.6f} is under {least_cosine:g}")
    if eer_increase is not None and not eer_increase <= largest_increase:
        faults.append(f"EER is up by {100 * eer_increase:.3f} points, more than {100 * largest_increase:g}")
    return faults
