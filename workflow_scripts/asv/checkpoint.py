"""Loading an ECAPA-TDNN checkpoint without trusting it."""

from __future__ import annotations

import pickle

import torch

from .errors import InputError
from .network import EcapaTdnn

WEIGHTS = "model_state_dict"
PREFIX = "module."  # what torch.nn.DataParallel puts before every name
TRAINING_ONLY = "speaker_embedding."


def _load(path):
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused: it is not a file of torch.save, or it holds more than tensors and plain values, which "
            "could run code when loaded; save step, model_state_dict and optimizer_state_dict anew with tensors only"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: not a readable checkpoint ({str(error).splitlines()[0]}); fetch it again") from error
    weights = content.get(WEIGHTS, content) if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not weights or not all(torch.is_tensor(v) for v in weights.values()):
        raise InputError(f"{path}: no {WEIGHTS!r} (a dictionary of tensors) in the checkpoint")
    step = content.get("step")
    return {str(name): value for name, value in weights.items()}, step if isinstance(step, int) else None


def _names(names, most=8):
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def load_network(path):
    """Load a checkpoint into an :class:`EcapaTdnn` of the width and number of training speakers found in it.

    Args:
        path: file of ``torch.save``: a dictionary with ``model_state_dict``, or the state dictionary itself; names may
            carry the prefix ``module.``.

    Returns:
        ``(network, facts)``: the network in evaluation mode, float32 on the CPU, and ``channels``, ``speakers`` (None
        if the classifier's weights are not there), ``step`` (None if not recorded).

    Raises:
        InputError: for an unsafe or damaged file, and for missing, surplus, misshapen or non-finite weights, by name.
    """
    weights, step = _load(path)
    if all(name.startswith(PREFIX) for name in weights):
        weights = {name[len(PREFIX) :]: value for name, value in weights.items()}
    first = weights.get("conv1d_in.weight")
    if first is None or first.dim() != 3:
        raise InputError(f"{path}: no conv1d_in.weight (C, 80, 5) among the weights: not an ECAPA-TDNN of this kind")
    channels = first.shape[0]
    classifier = weights.get(TRAINING_ONLY + "weight_v")
    speakers = classifier.shape[0] if classifier is not None else None
    with torch.device("meta"):  # names and shapes alone, whatever width the file claims
        expected = EcapaTdnn(channels, speakers or 1).state_dict()
    needed = {name for name in expected if speakers or not name.startswith(TRAINING_ONLY)}
    faults = []
    if missing := needed - weights.keys():
        faults.append(f"missing: {_names(missing)}")
    if surplus := weights.keys() - expected.keys():
        faults.append(f"surplus: {_names(surplus)}")
    common = sorted(expected.keys() & weights.keys())
    if wrong := [n for n in common if weights[n].shape != expected[n].shape]:
        shapes = [f"{n} {tuple(weights[n].shape)} instead of {tuple(expected[n].shape)}" for n in wrong]
        faults.append(f"misshapen: {_names(shapes)}")
    if wrong := [n for n in common if not torch.isfinite(weights[n]).all()]:
        faults.append(f"NaN or infinite: {_names(wrong)}")
    if faults:
        raise InputError(f"{path}: the weights are not those of an ECAPA-TDNN with C = {channels}; {'; '.join(faults)}")
    network = EcapaTdnn(channels, speakers or 1)
    network.load_state_dict(weights, strict=speakers is not None)
    return network.float().eval(), {"channels": channels, "speakers": speakers, "step": step}
