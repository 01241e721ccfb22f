"""How the families' ECAPA-TDNN differ: choices, names and sizes. The network itself is :mod:`asv.network.ecapa`.

Nothing here imports torch, since the Snakefile imports the families' modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .family_interface import Axis, Facts, Marks, Shapes

SCALE = 8  # chunks of a Res2 block, or groups of the convolution in its place
BLOCKS = 3
LARGEST: Mapping[Axis, int] = {"channels": 2048}  # the paper's widest has 1024, and a file may claim any size
LARGEST_OTHER = 1 << 14
SYMBOLS: Mapping[Axis, str] = {"channels": "C", "n_mels": "bands", "aggregated": "M", "embedding": "E", None: "any"}


@dataclass(frozen=True)
class Style:
    """What a family chose where the paper and its readers differ.

    Attributes:
        padding: of convolutions that are wider than one frame.
        middle: of a block: a Res2 layer whose ``first`` or ``last`` chunk passes, or one ``grouped`` convolution.
        summed: whether a block takes the sum of all earlier outputs, or the previous one alone.
        dilations: of the blocks.
        aggregate_norm: whether the layer that joins the blocks has a batch norm.
        squeeze_norm: whether the squeeze-excitation's bottleneck has one after its ReLU.
        attention_norm: whether the pooling's bottleneck has ReLU and batch norm before its tanh.
        context_unbiased, context_floor: deviation that the attention sees; its variance is raised to the floor, or the
            floor is added to it where ``context_added``.
        central: whether the pooled variance is the mean of squared differences, or that of squares less the squared
            mean; it is raised to ``pooled_floor``.
        linear: layers that the file keeps as linear ones, where others have convolutions of one frame.
    """

    padding: Literal["zeros", "reflect"]
    middle: Literal["first", "last", "grouped"]
    context_unbiased: bool
    context_floor: float
    pooled_floor: float
    summed: bool = False
    dilations: tuple[int, ...] = (2, 3, 4)
    aggregate_norm: bool = False
    squeeze_norm: bool = False
    attention_norm: bool = True
    context_added: bool = False
    central: bool = False
    linear: frozenset[str] = frozenset()


def table(
    blocks: tuple[str, ...], *, once: Mapping[str, str], in_block: Mapping[str, str], in_chunk: Mapping[str, str]
) -> dict[str, str]:
    """Names of layers: from those of :class:`asv.network.ecapa.Ecapa` to those of a file.

    Args:
        blocks: what the file calls the blocks.
        once: names of layers outside the blocks.
        in_block: names within a block.
        in_chunk: names within a block, of the layers of one chunk, with ``{}`` for its number; empty without Res2.
    """
    names = dict(once)
    for number, block in enumerate(blocks):
        names.update({f"blocks.{number}.{ours}": f"{block}.{theirs}" for ours, theirs in in_block.items()})
        for chunk in range(SCALE - 1):
            names.update(
                {
                    f"blocks.{number}.middle.{chunk}.{ours}": f"{block}.{theirs.format(chunk)}"
                    for ours, theirs in in_chunk.items()
                }
            )
    return names


def translated(names: Mapping[str, str], name: str) -> str:
    """Name of a tensor in the file; ``names`` as :func:`table` makes them."""
    layer, _, last = name.rpartition(".")
    return f"{names[layer]}.{last}"


def symbols(shape: tuple[Axis, ...]) -> str:
    """A shape of :data:`asv.network.family_interface.Marks` for a message, such as ``(C, bands, 5)``."""
    return f"({', '.join(str(SYMBOLS.get(axis, axis)) for axis in shape)})"


def fits(expected: tuple[Axis, ...], shape: tuple[int, ...]) -> bool:
    """Whether a shape is one of those that a mark allows."""
    return len(shape) == len(expected) and all(
        length == axis if isinstance(axis, int) else 1 <= length <= LARGEST.get(axis, LARGEST_OTHER)
        for axis, length in zip(expected, shape)
    )


def mark_faults(marks: Marks, shapes: Shapes) -> Iterator[str]:
    """What of a family's marks is not there, or is of another shape, in words."""
    if missing := [name for name in marks if name not in shapes]:
        yield f"missing: {', '.join(missing)}"
    there = {name: expected for name, expected in marks.items() if name in shapes}
    if wrong := [name for name, expected in there.items() if not fits(expected, shapes[name])]:
        yield "misshapen: " + ", ".join(f"{name} {shapes[name]} instead of {symbols(marks[name])}" for name in wrong)


def read_sizes(marks: Marks, shapes: Shapes) -> dict[str, int] | None:
    """Sizes that the shapes tell, by the words of the marks; None where a mark is missing or misshapen."""
    if any(mark_faults(marks, shapes)):
        return None
    found: dict[str, int] = {}
    for name, expected in marks.items():
        for axis, length in zip(expected, shapes[name]):
            if isinstance(axis, str):
                found.setdefault(axis, length)
    return found


def read_facts(
    marks: Marks, shapes: Shapes, *, attention: str, classes: str | None = None, last_norm: str | None = None
) -> Facts | None:
    """Facts of an ECAPA-TDNN, or None where the marks are not there, or C is no multiple of :data:`SCALE`.

    Args:
        marks: they name ``channels``, ``n_mels``, ``aggregated``, ``squeeze``, ``attention`` and ``embedding``.
        shapes: of the file.
        attention: name of the bottleneck of the pooling, whose inputs tell whether there is context.
        classes: name of the classifier's weights, if they lie among the network's.
        last_norm: name of a weight that the file has if a batch norm follows the last layer.
    """
    sizes = read_sizes(marks, shapes)
    if sizes is None or sizes["channels"] % SCALE:
        return None
    return Facts(
        **sizes,  # the marks' words are the fields' names
        context=shapes[attention][1] == 3 * sizes["aggregated"],
        embedding_norm=last_norm in shapes,
        classes=(shapes.get(classes or "") or (None,))[0],
    )
