"""Which family's weights lie in a checkpoint, and where."""

from __future__ import annotations

from ..errors import InputError
from . import families, foreign
from .ecapa_options import LARGEST, SCALE, fits, mark_faults, symbols
from .family_interface import Facts, Family
from .file_kinds import shown
from .inert import Tensor
from .weights import Place, first_names, places, summary


def find(tree: object, family: Family, wanted: str | None = None) -> Place:
    """The place of a family's weights.

    Args:
        tree: what the checkpoint holds, as :class:`asv.network.tensors.TensorFile` describes it.
        family: whose first layer is looked for.
        wanted: which of several places (``checkpoint.weights``).

    Raises:
        InputError: where there is no place, or several; it says what else the file seems to be, and which setting
            reads it.
    """
    found = _places(tree, family)
    labels = first_names(sorted(map(shown, found)))
    if not found:
        raise InputError(_no_place(tree, family))
    if wanted is None and len(found) > 1:
        raise InputError(f"weights in {len(found)} places; set checkpoint.weights to one of: {labels}")
    if wanted is not None and wanted not in found:
        raise InputError(f"checkpoint.weights: no weights at {wanted!r}; choose from: {labels}")
    return found[next(iter(found)) if wanted is None else wanted]


def recognise(family: Family, weights: dict[str, object]) -> Facts:
    """Facts of weights that a place holds.

    Raises:
        InputError: they lack what identifies the family's.
    """
    shapes = _shapes(weights)
    facts = family.recognise(shapes)
    if facts is None:
        faults = list(mark_faults(family.MARKS, shapes))
        channels = shapes[next(iter(family.MARKS))][0]
        words = "; ".join(faults) or f"C = {channels} is no multiple of {SCALE}"
        raise InputError(f"the weights are not those of {family.TITLE}; {words}")
    return facts


def _places(tree, family):
    anchor, shape = next(iter(family.MARKS.items()))
    return places(tree, anchor, lambda value: isinstance(value, Tensor) and fits(shape, value.shape))


def _shapes(weights):
    return {name: value.shape for name, value in weights.items() if isinstance(value, Tensor)}


def _families_of(tree):
    """Families that recognise weights in a checkpoint."""
    found = []
    for family in map(families.module, families.names()):
        try:
            if any(family.recognise(_shapes(place.weights())) for place in _places(tree, family).values()):
                found.append(family)
        except InputError:  # too many places, or names
            continue
    return found


def _no_place(tree, family):
    anchor, shape = next(iter(family.MARKS.items()))
    expected = f"no {anchor} {symbols(shape)} with C from 1 to {LARGEST['channels']} among the weights"
    words = f"{expected}: not an ECAPA-TDNN of this kind (network.family: {family.NAME}){_hint(tree)}"
    return f"{words}. In it: {summary(tree)}"


def _hint(tree):
    """What the checkpoint is instead, as the end of a sentence."""
    others = _families_of(tree)
    if len(others) == 1:
        return f"; it is {others[0].TITLE}: set network.family: {others[0].NAME}"
    if others:
        titles = " or ".join(family.TITLE for family in others)
        settings = " or ".join(f"network.family: {family.NAME}" for family in others)
        return (
            f"; it is {titles}, whose names are the same and whose features are not: set {settings}, by the toolkit "
            "that it comes from"
        )
    other = foreign.resembles(tree)
    return f"; it seems to be {other}" if other else ""
