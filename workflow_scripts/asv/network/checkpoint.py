"""Loading an ECAPA-TDNN checkpoint without trusting it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypedDict

import torch

from ..errors import InputError
from . import families, tensors, zips
from .ecapa_tdnn import EcapaTdnn
from .file_kinds import shown
from .inert import PickleError, Tensor
from .weights import first_names, kind_of, places, summary

if TYPE_CHECKING:
    from pathlib import Path

ANCHOR = "conv1d_in.weight"  # the first layer, by which weights are found whatever stands before their names
TRAINING_ONLY = "speaker_embedding."
# Parts of the training that lie among the weights of a network saved with its loss.
BESIDE = {"loss", "loss_fn", "loss_function", "criterion", "n_averaged"}
COUNTER = ".num_batches_tracked"  # of training; old files lack it, inference does not use it
MOST_OMITTED = 12  # names in an answer
WIDEST = 2048  # channels; the paper's widest has 1024, and a file may claim any width


class CheckpointFacts(TypedDict):
    """What is told of a checkpoint.

    Attributes:
        channels: width of the network.
        speakers: training speakers; None if the classifier's weights are not there.
        step: of training; None if not recorded.
        weights: where they lay, in words.
        omitted: what else lies in the file.
    """

    channels: int
    speakers: int | None
    step: int | None
    weights: str
    omitted: list[str]


def _is_first_layer(value):
    return isinstance(value, Tensor) and len(value.shape) == 3 and 1 <= value.shape[0] <= WIDEST


def _choose(tree, wanted):
    """The place of weights that ``wanted`` (``checkpoint.weights``) names, or the only one."""
    found = places(tree, ANCHOR, _is_first_layer)
    labels = first_names(map(shown, found))
    if not found:
        family = families.resembles(tree)
        raise InputError(
            f"no {ANCHOR} (C, 80, 5) with C from 1 to {WIDEST} among the weights: not an ECAPA-TDNN of this kind"
            f"{f'; it seems to be {family}' if family else ''}. In it: {summary(tree)}"
        )
    if wanted is None and len(found) > 1:
        raise InputError(f"weights in {len(found)} places; set checkpoint.weights to one of: {labels}")
    if wanted is not None and wanted not in found:
        raise InputError(f"checkpoint.weights: no weights at {wanted!r}; choose from: {labels}")
    return found[next(iter(found)) if wanted is None else wanted]


def _step_of(tree):
    """The training step, where the file says it."""
    steps = [tree.get(name) for name in ("step", "global_step")] if isinstance(tree, dict) else []
    return next((step for step in steps if type(step) is int and 0 <= step < 1 << 62), None)


@functools.lru_cache(maxsize=4)
def _shapes(channels, speakers):
    """Shapes of the network's weights by name, without the counters."""
    with torch.device("meta"):  # no memory, whatever width the file claims
        weights = EcapaTdnn(channels, speakers).state_dict()
    return {name: tuple(value.shape) for name, value in weights.items() if not name.endswith(COUNTER)}


def _check(described, loaded, expected, needed):
    """Yield what is wrong with weights, in words.

    Args:
        described: values by name as the file describes them; ``loaded``, those of them that are plain tensors.
        expected: the network's shapes by name; ``needed``, names that must be there.
    """
    if missing := needed - described.keys():
        yield f"missing: {first_names(missing)}"
    if surplus := described.keys() - expected.keys():
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
    path: Path | str, source: Path | str | None = None, wanted: str | None = None
) -> tuple[EcapaTdnn, CheckpointFacts]:
    """Load a checkpoint into an :class:`EcapaTdnn` of the width and number of training speakers found in it.

    Nothing in the file is executed, and of it only the weights are read (see :mod:`asv.network.unpickle`).

    Args:
        path: file of ``torch.save``, or safetensors. The weights may lie at the top or in dictionaries, behind any
            prefix that they share.
        source: what messages call the file.
        wanted: which of several places, by the label that the message shows (``checkpoint.weights``).

    Returns:
        ``(network, facts)``: the network in evaluation mode, float32 on the CPU, and :class:`CheckpointFacts`.

    Raises:
        InputError: for a damaged or hostile file, for weights in no or several places, and for missing, surplus,
            misshapen or non-finite weights, by name.
    """
    try:
        with tensors.open_file(path) as opened:
            return _load(opened, wanted)
    except InputError as error:
        raise InputError(f"{source or path}: {error}") from error
    except PickleError as error:
        raise InputError(f"{source or path}: {error}; fetch it again, or save its weights anew, alone") from error
    except zips.DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{source or path}: not a readable checkpoint ({reason}); fetch it again") from error


def _load(opened, wanted):
    place = _choose(opened.tree, wanted)
    described = {name: value for name, value in place.weights().items() if not f".{name}".endswith(COUNTER)}
    beside = sorted({name.split(".")[0] for name in described} & BESIDE)
    described = {name: value for name, value in described.items() if name.split(".")[0] not in beside}
    channels = described[ANCHOR].shape[0]
    classifier = described.get(TRAINING_ONLY + "weight_v")
    speakers = classifier.shape[0] if isinstance(classifier, Tensor) and classifier.shape else None
    expected = _shapes(channels, speakers or 1)
    needed = {name for name in expected if speakers or not name.startswith(TRAINING_ONLY)}
    # Of the right shape before they are read: so much and no more is read of any file.
    ours = {n: v for n, v in described.items() if n in expected and isinstance(v, Tensor)}
    loaded = opened.read({n: v for n, v in ours.items() if v.shape == expected[n]})
    if faults := list(_check(described, loaded, expected, needed)):
        raise InputError(f"the weights are not those of an ECAPA-TDNN with C = {channels}; {'; '.join(faults)}")
    network = EcapaTdnn(channels, speakers or 1)
    network.load_state_dict(loaded, strict=False)  # the counters, and perhaps the classifier, are not there
    omitted = [*place.omitted(), *beside]
    omitted = omitted[:MOST_OMITTED] + [f"{len(omitted) - MOST_OMITTED} more"][: len(omitted) > MOST_OMITTED]
    facts = {"channels": channels, "speakers": speakers, "step": _step_of(opened.tree)}
    return network.float().eval(), {**facts, "weights": place.words, "omitted": omitted}
