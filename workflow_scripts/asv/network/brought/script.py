"""A TorchScript program that a user brings, made into the workflow's network. It is executed."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ...errors import InputError
from ..trace import check_trace, gflop
from . import script_norm, trial
from .onnx_choice import FRAMES_MELS, MELS_FRAMES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .onnx_graph import Wanted

WARNING = "is a TorchScript program and is executed: bring only what you trust"
FAILURES = (RuntimeError, NotImplementedError, IndexError, torch.jit.Error)  # of a program that runs
RECURRENT = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")  # whose work torch does not count
LAYOUTS = (MELS_FRAMES, FRAMES_MELS)
# What a second input may be, tried in this order: frames as whole numbers or not, or shares of the longest. Frames come
# first: a network that takes shares hears all for frames, too, but the reverse is not so.
LENGTHS = ("int64 frames", "float frames", "relative")


class Wrapped(nn.Module):
    """A program that takes float32 (batch, mels, frames), whatever its own layout, and gives the embedding alone."""

    def __init__(self, program: nn.Module, layout: str, lengths: str | None, output: str | int | None) -> None:
        super().__init__()
        self.program, self.layout, self.lengths, self.output = program, layout, lengths, output

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        given = features if self.layout == MELS_FRAMES else features.transpose(1, 2).contiguous()
        return self._picked(self.program(given, *self._lengths(features)))

    def _lengths(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if self.lengths is None:
            return ()
        ones = torch.ones_like(features[:, 0, :])
        if self.lengths == "relative":
            return (ones.mean(dim=1),)
        return (ones.sum(dim=1).to(torch.int64 if self.lengths == "int64 frames" else torch.float32),)

    def _picked(self, found: Any) -> torch.Tensor:
        if isinstance(found, dict):
            if self.output not in found:
                raise InputError(f"network.output: the program gives {', '.join(map(str, found))}; set one of them")
            found = found[self.output]
        elif isinstance(found, (tuple, list)):
            found = _of_tuple(found, self.output)
        elif self.output not in (None, 0):
            raise InputError(f"network.output: {self.output}, but the program gives one tensor; set it to null")
        if not torch.is_tensor(found):
            raise InputError(f"network.output: it is a {type(found).__name__}, not a tensor; set another one")
        return found.flatten(1) if found.dim() == 3 and 1 in found.shape[1:] else found


def _of_tuple(found, output):
    """The output at a place; the only one that can be an embedding, where none is named."""
    place = int(output) if isinstance(output, str) and output.isdigit() else output
    if isinstance(place, int) and 0 <= place < len(found):
        return found[place]
    fitting = [part for part in found if torch.is_tensor(part) and part.dim() == 2 and part.is_floating_point()]
    if place is None and len(fitting) == 1:
        return fitting[0]
    parts = [f"{i}: {tuple(part.shape) if torch.is_tensor(part) else type(part)}" for i, part in enumerate(found)]
    raise InputError(
        f"network.output: the program gives several outputs, {'; '.join(parts)}; set the place of the embedding"
    )


@dataclass(frozen=True)
class Brought:
    """The workflow's network, traced and frozen; its first norm, and facts for the answer."""

    traced: torch.jit.ScriptModule
    norm: dict[str, npt.NDArray[np.float32]]
    facts: dict[str, Any]


def load(path: Path, source: object) -> nn.Module:
    """The program, on the CPU, in evaluation mode and float32; InputError where torch cannot load it."""
    try:
        return torch.jit.load(str(path), map_location="cpu").eval().float()
    except (*FAILURES, ValueError) as error:
        raise InputError(f"{source}: torch cannot load the program: {trial.last_line(error)}") from error


def _runner(module: nn.Module) -> trial.Run:
    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the flag
                # Its LSTM does not compare the number of bands with the weights', and reads past their end.
                with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False):
                    found = module(torch.from_numpy(batch))
        except FAILURES as error:
            raise trial.RefusedError(trial.last_line(error)) from error
        if found.dim() != 2 or len(found) != len(batch):
            raise trial.RefusedError(f"it gives {tuple(found.shape)} for a batch of {len(batch)}")
        return found.float().numpy()

    return run


def _arguments(program: Any, source: object) -> str | None:
    """Name of the input for lengths; None for a program of one input."""
    needed = [argument for argument in program.forward.schema.arguments[1:] if not argument.has_default_value()]
    if len(needed) > 2 or not needed:
        names = ", ".join(argument.name for argument in needed) or "none"
        raise InputError(
            f"network.input: {source} needs {len(needed)} inputs ({names}), and one for features and one for lengths "
            "can be filled in; bring a program of these"
        )
    if len(needed) == 2 and "len" not in needed[1].name.lower():
        raise InputError(
            f"network.input: {source} has a second input, {needed[1].name!r}, that does not look like lengths; bring a "
            "program that takes features alone, or calls it lengths"
        )
    return needed[1].name if len(needed) == 2 else None


def _candidates(program: nn.Module, wanted: Wanted, source: object) -> Iterator[Wrapped]:
    """All ways in which the program may be meant, the likelier ones first."""
    second = _arguments(program, source)
    layouts = [wanted.layout] if wanted.layout else LAYOUTS
    for layout, lengths in itertools.product(layouts, LENGTHS if second else [None]):
        yield Wrapped(program, layout, lengths, wanted.output).eval()


def _working(program, mels, frames, wanted, source):
    """The first candidate of each layout that runs on so many frames, and what the others say."""
    found: dict[str, Wrapped] = {}
    words: dict[str, str] = {}
    for candidate in _candidates(program, wanted, source):
        if candidate.layout in found:
            continue
        try:
            _runner(candidate)(trial.noise(1, mels, frames))
            found[candidate.layout] = candidate
        except trial.RefusedError as error:
            words[candidate.layout] = str(error)
    return found, words


def choose(program: nn.Module, mels: int, wanted: Wanted, source: object) -> Wrapped:
    """How the program is meant.

    Raises:
        InputError: where both layouts run, or none.
    """
    frames = trial.ANY if wanted.frames is None else wanted.frames
    found, words = _working(program, mels, frames, wanted, source)
    if len(found) == 2 and frames == mels:  # either axis may be the bands: another number of frames may tell
        found = _working(program, mels, frames + 7, wanted, source)[0] or found
    if len(found) == 2:
        raise InputError(f"network.layout: {source} runs with mels_frames and with frames_mels; set the right one")
    if found:
        return next(iter(found.values()))
    for candidate in _candidates(program, wanted, source):  # perhaps it is the number of frames
        if (taken := trial.frames_taken(_runner(candidate), mels)) is not None:
            _refuse_other_bands(candidate, taken, mels, source)
            raise InputError(
                f"features.frames: {wanted.frames or 'whole'}: the program {source} does not run on {frames} frames "
                f"({words[candidate.layout]}), but on {taken}; set features.frames: {taken}, or export it for any"
            )
    said = "; ".join(f"{layout}: {text}" for layout, text in words.items())
    raise InputError(
        f"network.contract: {source} does not run on features of n_mels {mels}, in no layout ({said}); correct the "
        "contract, network.layout or network.output"
    )


def _refuse_other_bands(candidate: Wrapped, taken: int, mels: int, source: object) -> None:
    """Raise InputError where the number of frames that runs is that of bands, in the other layout."""
    (layout,) = (name for name in LAYOUTS if name != candidate.layout)
    other = Wrapped(candidate.program, layout, candidate.lengths, candidate.output).eval()
    try:
        _runner(other)(trial.noise(1, taken, mels + 7))
    except trial.RefusedError:
        return
    if taken == mels:
        raise InputError(f"network.layout: {candidate.layout}, but {source} runs with {layout}; set that")
    raise InputError(
        f"n_mels: the contract, or features.n_mels, says {mels}, and {source} takes features of {taken} bands "
        f"({layout}); correct it"
    )


def bring(path: Path, mels: int, wanted: Wanted, source: object) -> Brought:
    """Load and execute a program, trace it for the workflow's input, and compare both.

    Args:
        path: its file.
        mels: bands of the contract.
        wanted: the settings.
        source: what messages call it.

    Raises:
        InputError: for whatever is wrong with it, or does not fit contract or settings.
    """
    program = load(path, source)
    module = choose(program, mels, wanted, source)
    run = _runner(module)
    frames = trial.check_frames(run, mels, wanted.frames, source)
    size, any_batch = trial.check_embeddings(run, mels, frames, source, None)
    if not any_batch:
        raise InputError(
            f"{source}: the program takes a batch of 1 alone; trace it with a larger one, or use torch.jit.script"
        )
    traced = _traced(module, (mels, frames), source)
    for count in [frames] if wanted.frames is not None else [frames, frames + trial.OTHER]:
        check_trace(traced, module, (mels, count))
    facts = {
        "embedding": size,
        "parameters": sum(parameter.numel() for parameter in program.parameters()) or None,
        "layout": module.layout,
        "lengths": module.lengths,
        "gflop": None if _is_recurrent(traced) else gflop(module, (mels, frames)) or None,
    }
    return Brought(traced, script_norm.first_norm(traced), facts)


def _is_recurrent(traced: Any) -> bool:
    return any(traced.graph.findAllNodes(kind, recurse=True) for kind in RECURRENT)


def _traced(module: Wrapped, shape: tuple[int, int], source: object) -> torch.jit.ScriptModule:
    """The program as one frozen graph: a trace alone keeps lists that OpenVINO refuses."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch.jit: deprecated; a trace may be of one shape, which is tried
        try:
            return torch.jit.freeze(torch.jit.trace(module, torch.zeros(2, *shape), check_trace=False).eval())
        except FAILURES as error:
            raise InputError(
                f"{source}: the program cannot be traced: {trial.last_line(error)}; bring one that takes features and "
                "gives tensors alone"
            ) from error
