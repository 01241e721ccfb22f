"""The network as TorchScript, and proof that the trace computes what the network does."""

from __future__ import annotations

import warnings

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ..errors import InputError

TOLERANCE = 1e-5  # in float32, of the largest value where it is above 1, as in embeddings of no unit length


def trace(module: torch.nn.Module, shape: tuple[int, int]) -> torch.jit.ScriptModule:
    """Trace a module that takes float32 ``(batch, *shape)``, shape ``(n_mels, frames)``, for any batch size."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit: TorchScript is what the engines read
        return torch.jit.trace(module, torch.zeros(1, *shape), check_trace=False)  # check_trace() looks closer


def check_trace(traced: torch.nn.Module, module: torch.nn.Module, shape: tuple[int, int]) -> float:
    """Compare trace and eager module at a batch size other than the traced one.

    Returns:
        The largest difference, of the largest value of an output where that is above 1.

    Raises:
        InputError: it exceeds TOLERANCE, or is not a number.
    """
    probe = torch.randn((3, *shape), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pairs = list(zip(_flat(traced(probe)), _flat(module(probe))))
        worst = max(float((a - b).abs().max() / b.abs().max().clamp(min=1)) for a, b in pairs)
    if not worst <= TOLERANCE:  # catches NaN, too
        raise InputError(f"the trace differs from eager PyTorch by {worst:g} (at most {TOLERANCE:g}); not written")
    return worst


def _flat(output):
    return [output] if torch.is_tensor(output) else [tensor for part in output for tensor in _flat(part)]


class _Counter(TorchDispatchMode):
    """Counts as torch's FlopCounterMode, which imports torch's compiler first: half of the time that a trace takes."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # where it is true, the compiler is imported, to be told to keep away
        return False

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        output = function(*arguments, **(options or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.count += count(*arguments, **(options or {}), out_val=output)
        return output


def gflop(module: torch.nn.Module, shape: tuple[int, int]) -> float:
    """Work for one crop in 10^9 floating-point operations: two for each multiply-accumulate."""
    with torch.no_grad(), _Counter() as counter:
        module(torch.zeros(1, *shape))
    return counter.count / 1e9


def count_parameters(network: torch.nn.Module) -> int:
    """Parameters that an embedding depends on: all but those of the classifier of training speakers."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("speaker_embedding"))
