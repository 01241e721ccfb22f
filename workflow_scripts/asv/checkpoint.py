"""Loading an ECAPA-TDNN checkpoint without trusting it."""

from __future__ import annotations

import pickle

import torch

from .errors import InputError
from .network import EcapaTdnn

WEIGHTS = "model_state_dict"
PREFIX = "module."  # what torch.nn.DataParallel puts before every name
TRAINING_ONLY = "speaker_embedding."
WIDEST = 2048  # channels; the paper's widest has 1024, and a file may claim any width


def _load(path):
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused: it is not a file of torch.save, or it holds more than tensors and plain values, which "
            "could run code when loaded; save step, model_state_dict and optimizer_state_dict anew with tensors only"
        ) from error
    except Exception as error:  # torch.load raises a dozen kinds at damaged bytes
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a readable checkpoint ({reason}); fetch it again") from error
    weights = content.get(WEIGHTS, content) if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not weights or not all(torch.is_tensor(v) for v in weights.values()):
        raise InputError(f"{path}: no {WEIGHTS!r} (a dictionary of tensors) in the checkpoint")
    step = content.get("step")
    return {str(name): value for name, value in weights.items()}, step if isinstance(step, int) else None


def _names(names, most=8):
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _is_plain(value, wanted):
    """Whether a tensor is an ordinary array, of floating-point numbers where those are wanted."""
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and (value.is_floating_point() or not wanted.is_floating_point())
        # A few bytes can be declared, by strides of zero, to be a tensor of any size.
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


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
    if first is None or first.dim() != 3 or not 1 <= first.shape[0] <= WIDEST:
        raise InputError(
            f"{path}: no conv1d_in.weight (C, 80, 5) with C from 1 to {WIDEST} among the weights: "
            "not an ECAPA-TDNN of this kind"
        )
    channels = first.shape[0]
    classifier = weights.get(TRAINING_ONLY + "weight_v")
    speakers = classifier.shape[0] if classifier is not None and classifier.dim() else None
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
    if odd := [n for n in common if not _is_plain(weights[n], expected[n])]:
        faults.append(f"not plain arrays of floating-point numbers: {_names(odd)}")
    if wrong := [n for n in common if n not in odd and not torch.isfinite(weights[n].float()).all()]:
        faults.append(f"NaN or infinite: {_names(wrong)}")
    if faults:
        raise InputError(f"{path}: the weights are not those of an ECAPA-TDNN with C = {channels}; {'; '.join(faults)}")
    network = EcapaTdnn(channels, speakers or 1)
    network.load_state_dict(weights, strict=speakers is not None)
    return network.float().eval(), {"channels": channels, "speakers": speakers, "step": step}
