"""The accuracy gate: whether it is shown that an engine's embeddings and EER are near enough to the reference's.

The paired interval of the EER's increase decides: PASS where the whole of it is within the limit, FAIL where the whole
of it is beyond, UNDECIDED where it holds the limit. ``docs/metrics.md`` says how often that is right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .agreement import EerChange

PASS, FAIL, UNDECIDED = "PASS", "FAIL", "UNDECIDED"
GRAVITY = (PASS, UNDECIDED, FAIL)  # from the best
LIKE_FP16 = "fp16"  # whose minimum cosine every precision has that is not named
ROUNDING = 1e-9  # of a rate, which is a quotient of counts
# Where n speakers give an interval of half-width w, m speakers give w * sqrt(n / m). To lie on one side of the limit in
# four of five samples, its end must be 0.84 standard errors away from it, besides the 1.96 of the interval itself.
MARGIN = (1.96 + 0.84) / 1.96
MOST_SPEAKERS = 1_000_000


class Judgement(NamedTuple):
    """Of one trial list."""

    verdict: str
    words: str  # why; empty for a plain PASS
    speakers_needed: int | None  # that would settle what is undecided; None: nothing to settle, or nobody can tell


def min_cosine(setting: float | Mapping[str, float | None], precision: str) -> float | None:
    """The minimum cosine of a precision; None: it is not judged.

    Args:
        setting: ``accuracy_gate.min_cosine``: a number for all, or a mapping of precisions, in which one that is not
            named has the value of fp16.
        precision: of the engine's label.

    >>> [min_cosine({"f32": 0.9999, "fp16": 0.999, "int8": None}, name) for name in ("f32", "int8", "mixed_float16")]
    [0.9999, None, 0.999]
    """
    if isinstance(setting, Mapping):
        return setting.get(precision, setting.get(LIKE_FP16))
    return setting


def speakers_needed(change: EerChange, limit: float) -> int | None:
    """How many speakers would settle on which side of the limit the increase is, in two digits.

    In four of five samples of so many, if the true increase is the one that was found. None where it is the limit, or
    where that takes more than :data:`MOST_SPEAKERS`.
    """
    low, high, speakers = change["low"], change["high"], change["speakers"]
    if low is None or high is None or not speakers:
        return None
    distance = change["difference"] - limit
    width = change["difference"] - low if distance > 0 else high - change["difference"]
    if not abs(distance) > ROUNDING:
        return None
    count = speakers * max(1.0, (MARGIN * width / abs(distance)) ** 2)
    if count > MOST_SPEAKERS:
        return None
    unit = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return math.ceil(count / unit) * unit


def signed(value: float) -> str:
    """A difference with its sign, in three digits.

    >>> signed(0.2083), signed(-2), signed(-1e-12)
    ('+0.208', '-2.000', '+0.000')
    """
    return f"{value:+.3f}".replace("-0.000", "+0.000")


def judge(change: EerChange, limit: float) -> Judgement:
    """Judge the increase of the EER on one trial list; ``limit`` is ``accuracy_gate.max_eer_increase``."""
    low, high = change["low"], change["high"]
    increase = f"the EER's increase, {signed(100 * change['difference'])} points"
    if not change["sides_changed"] and (low is None or high is None or high - low < ROUNDING):
        return Judgement(PASS, "not one trial changes sides", None)
    if low is None or high is None:
        return Judgement(UNDECIDED, f"{increase}, has no interval: {change['reason']}", None)
    found = f"{increase} ({signed(100 * low)} to {signed(100 * high)})"
    if high <= limit + ROUNDING:
        return Judgement(PASS, "", None)
    if low > limit + ROUNDING:
        return Judgement(FAIL, f"{found}, is above {100 * limit:g}", None)
    needed = speakers_needed(change, limit)
    many = "more speakers than can be told" if needed is None else f"some {needed:,} speakers"
    words = f"{found}, may or may not be above {100 * limit:g}; {many} would settle it, here are {change['speakers']:,}"
    return Judgement(UNDECIDED, words, needed)


def verdict(
    embeddings_facts: Mapping[str, Any],
    changes: Mapping[str, EerChange],
    min_cosine: float | None,
    max_eer_increase: float,
) -> dict[str, Any]:
    """What is written of an engine, ready for JSON.

    Args:
        embeddings_facts: of :func:`asv.scoring.agreement.compare_embeddings`.
        changes: of :func:`asv.scoring.agreement.eer_changes`.
        min_cosine: what the gate accepts; None: whatever it is.
        max_eer_increase: what the gate accepts, a fraction.

    Returns:
        dictionary: the facts, ``eer_change``, ``limits``, ``gate``, ``faults`` (why it is not PASS), ``evidence`` (why
        it is, in words, where that is to be said), ``decisive`` (the list whose increase decides, or None) and
        ``speakers_needed``.
    """
    judgements = {name: judge(change, max_eer_increase) for name, change in changes.items()}
    decisive = max(judgements, key=lambda name: _weight(judgements[name], changes[name]), default=None)
    verdicts = [judgement.verdict for judgement in judgements.values()]
    faults = [
        f"{name}: {judgement.words}" if len(changes) > 1 else judgement.words
        for name, judgement in judgements.items()
        if judgement.verdict != PASS
    ]
    lowest = embeddings_facts["min_cosine"]
    if math.isnan(lowest) or (min_cosine is not None and lowest < min_cosine):
        verdicts.append(FAIL)
        limit = -1 if min_cosine is None else min_cosine
        faults.insert(0, f"lowest cosine {lowest:.6f} is below {limit:g}")
    elif min_cosine is None and not changes:
        verdicts.append(UNDECIDED)
        faults.append("nothing to judge by: neither a trial list nor a minimum cosine of this precision")
    found = max(verdicts, key=GRAVITY.index, default=PASS)
    unchanged = bool(judgements) and all(judgement.words for judgement in judgements.values())
    return {
        **embeddings_facts,
        "eer_change": changes,
        "limits": {"min_cosine": min_cosine, "max_eer_increase": max_eer_increase},
        "gate": found,
        "faults": faults,
        "evidence": ["not one trial changes sides"] if found == PASS and unchanged else [],
        "decisive": decisive,
        "speakers_needed": judgements[decisive].speakers_needed if found == UNDECIDED and decisive else None,
    }


def _weight(judgement, change):
    """To order lists by how much they speak against an engine."""
    high = change["difference"] if change["high"] is None else change["high"]
    return GRAVITY.index(judgement.verdict), high
