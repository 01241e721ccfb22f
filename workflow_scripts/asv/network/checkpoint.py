"""Loading a checkpoint of a speaker network without trusting it."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, TypedDict

import torch

from ..errors import InputError
from . import carried, families, recognition, tensors, training_sets, zips
from .ecapa_options import fits, symbols
from .family_interface import CarriesFrontEnd
from .file_kinds import shown
from .inert import PickleError, Tensor
from .weights import first_names, kind_of

if TYPE_CHECKING:
    from pathlib import Path

# Parts of the training that lie among the weights of a network saved with its loss.
BESIDE = {"loss", "loss_fn", "loss_function", "criterion", "n_averaged"}
COUNTER = ".num_batches_tracked"  # of training; old files lack it, averages of files have it in float, inference no use
MOST_OMITTED = 12  # names in an answer


class CheckpointFacts(TypedDict):
    """What is told of a checkpoint: :class:`asv.network.family_interface.Facts`, and more.

    Attributes:
        family: its name.
        speakers: training speakers; None if the classifier's weights are not there.
        training_set: what so many classes tell of the training, in words; None if nothing.
        front_end: parts of the front end that the file carries, which agree with the family's features.
        step: of training; None if not recorded.
        weights: where they lay, in words.
        omitted: what else lies in the file.
    """

    family: str
    channels: int
    n_mels: int
    aggregated: int
    squeeze: int
    attention: int
    context: bool
    embedding: int
    embedding_norm: bool
    classes: int | None
    speakers: int | None
    training_set: str | None
    front_end: list[str]
    step: int | None
    weights: str
    omitted: list[str]


def _step_of(tree):
    """The training step, where the file says it."""
    steps = [tree.get(name) for name in ("step", "global_step")] if isinstance(tree, dict) else []
    return next((step for step in steps if type(step) is int and 0 <= step < 1 << 62), None)


@functools.lru_cache(maxsize=4)
def _expected_shapes(family, facts):
    """Shapes of a network's weights by their names in the file, without the counters."""
    with torch.device("meta"):  # no memory, whatever sizes the file claims
        weights = families.module(family).build(facts).state_dict()
    shapes = {families.module(family).file_name(name): tuple(value.shape) for name, value in weights.items()}
    return {name: shape for name, shape in shapes.items() if not name.endswith(COUNTER)}


def _check(described, loaded, expected, needed):
    """Yield what is wrong with weights, in words.

    Args:
        described: values by name as the file describes them; ``loaded``, those of them that are plain tensors.
        expected: the network's shapes by name; ``needed``, names that must be there.
    """
    if missing := sorted(needed - described.keys()):
        yield f"missing: {first_names(missing)}"
    if surplus := sorted(described.keys() - expected.keys()):
        yield f"surplus: {first_names(map(shown, surplus))}"
    common = sorted(expected.keys() & described.keys())
    ours = {name: described[name].shape for name in common if isinstance(described[name], Tensor)}
    if wrong := [f"{n} {ours[n]} instead of {expected[n]}" for n in ours if ours[n] != expected[n]]:
        yield f"misshapen: {first_names(wrong)}"
    odd = [n for n in common if ours.get(n) == expected[n] and not _is_real(loaded.get(n))]
    foreign = [f"{n} ({kind_of(described[n])})" for n in common if n not in ours]
    if odd or foreign:
        yield f"not plain arrays of floating-point numbers: {first_names(odd + foreign)}"
    if wrong := [n for n, value in loaded.items() if _is_real(value) and not torch.isfinite(value.float()).all()]:
        yield f"NaN or infinite: {first_names(wrong)}"


def _is_real(value):
    return value is not None and value.is_floating_point()


def load_network(
    path: Path | str, family: str = families.DEFAULT, source: Path | str | None = None, wanted: str | None = None
) -> tuple[torch.nn.Module, CheckpointFacts]:
    """Load a checkpoint into a network of its family, with the sizes and number of training speakers found in it.

    Nothing in the file is executed, and of it only the weights are read (see :mod:`asv.network.unpickle`).

    Args:
        path: file of ``torch.save``, or safetensors. The weights may lie at the top or in dictionaries, behind any
            prefix that they share.
        family: a name of :mod:`asv.network.families` (``network.family``).
        source: what messages call the file.
        wanted: which of several places, by the label that the message shows (``checkpoint.weights``).

    Returns:
        ``(network, facts)``: the network in evaluation mode, float32 on the CPU, and :class:`CheckpointFacts`. Its
        input and output are as :meth:`asv.network.family_interface.Family.build` says.

    Raises:
        InputError: for a damaged or hostile file, for weights of another network, in no or several places, for
            missing, surplus, misshapen or non-finite weights, by name, and for a front end in the file that is not
            the family's.
    """
    module = families.module(family)
    try:
        with tensors.open_file(path) as opened:
            return _load(opened, module, wanted)
    except InputError as error:
        raise InputError(f"{source or path}: {error}") from error
    except PickleError as error:
        raise InputError(f"{source or path}: {error}; fetch it again, or save its weights anew, alone") from error
    except zips.DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{source or path}: not a readable checkpoint ({reason}); fetch it again") from error


def _load(opened, family, wanted):
    place = recognition.find(opened.tree, family, wanted)
    described = {name: value for name, value in place.weights().items() if not f".{name}".endswith(COUNTER)}
    facts = recognition.recognise(family, described)
    expected = _expected_shapes(family.NAME, facts)
    needed = {name for name in expected if facts.classes or not name.startswith(family.TRAINING_ONLY)}
    front_end = {name: described.pop(name) for name in getattr(family, "FRONT_END", {}) if name in described}
    beside = {name for name in described if name.split(".")[0] in BESIDE}
    beside |= {name for name in described if name.startswith(family.TRAINING_ONLY) and name not in expected}
    described = {name: value for name, value in described.items() if name not in beside}
    # Of the right shape before they are read: so much and no more is read of any file.
    ours = {n: v for n, v in described.items() if n in expected and isinstance(v, Tensor)}
    loaded = opened.read({n: v for n, v in ours.items() if v.shape == expected[n]})
    if faults := list(_check(described, loaded, expected, needed)):
        raise InputError(f"the weights are not those of {family.TITLE} with C = {facts.channels}; {'; '.join(faults)}")
    network = family.build(facts)
    weights = {name: loaded.get(family.file_name(name)) for name in network.state_dict()}
    # The counters, and perhaps the classifier, are not there.
    network.load_state_dict({name: value for name, value in weights.items() if value is not None}, strict=False)
    return network.float().eval(), {
        "family": family.NAME,
        **asdict(facts),
        **_training_of(place, family, facts),
        "front_end": _check_front_end(opened, family, front_end),
        "step": _step_of(opened.tree),
        "weights": place.words,
        "omitted": _omitted(place, beside),
    }


def _omitted(place, beside):
    omitted = [*place.omitted(), *sorted({name.split(".")[0] for name in beside})]
    return omitted[:MOST_OMITTED] + [f"{len(omitted) - MOST_OMITTED} more"][: len(omitted) > MOST_OMITTED]


def _training_of(place, family, facts):
    """Classes, speakers and training set; the classifier may lie beside the part that is the network."""
    classes, parts = facts.classes, place.prefix.split(".")[:-1]
    for depth in range(len(parts), -1, -1) if family.CLASSES else ():
        value = place.content.get(".".join([*parts[:depth], family.CLASSES]))
        if classes is None and isinstance(value, Tensor) and value.shape:
            classes = value.shape[0]
    known = training_sets.of_classes(classes)
    return {
        "classes": classes,
        "speakers": known.speakers if known else classes,
        "training_set": known.name if known else None,
    }


def _check_front_end(opened, family, described):
    """Names of the parts of the front end that the file carries, compared with the family's features."""
    if not described or not isinstance(family, CarriesFrontEnd):
        return []
    for name, value in described.items():
        if not isinstance(value, Tensor) or not fits(family.FRONT_END[name], value.shape):
            expected = symbols(family.FRONT_END[name])
            raise InputError(f"its front end is misshapen: {shown(name)} ({kind_of(value)}) instead of {expected}")
    loaded = opened.read(described)
    if odd := sorted(name for name in described if not _is_real(loaded.get(name))):
        raise InputError(f"not plain arrays of floating-point numbers: {first_names(odd)}")
    parts = family.front_end(loaded)
    carried.compare(parts, family.CONTRACT)
    return sorted(parts)
