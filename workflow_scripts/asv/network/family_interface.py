"""The contract between the workflow and a family of networks, as types.

A family is a module of :mod:`asv.network.families` that has what :class:`Family` lists. It imports torch inside its
functions, because the Snakefile imports the module to learn its contract. A module may also have:

``FRONT_END``, ``front_end(tensors)``: see :class:`CarriesFrontEnd`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Union, runtime_checkable

from ..features.contract import Contract

if TYPE_CHECKING:
    import torch
    from torch import nn

Shapes = Mapping[str, tuple[int, ...]]  # of tensors, by their names in the file, without a prefix
# Names and shapes of tensors in a file. In a shape a number is an axis's length, a word the size that the axis tells
# (a field of `Facts`), None any length.
Axis = Union[int, str, None]
Marks = Mapping[str, tuple[Axis, ...]]


@dataclass(frozen=True)
class Facts:
    """What a network's weights tell of its structure.

    Attributes:
        channels: C, width of the blocks.
        n_mels: bands of the input.
        aggregated: M, channels of the frames that are pooled.
        squeeze: width of the squeeze-excitation's bottleneck.
        attention: width of the pooling's bottleneck.
        context: whether the attention sees mean and deviation over all frames.
        embedding: numbers of an embedding.
        embedding_norm: whether a batch norm follows the last layer.
        classes: rows of the classifier of training speakers; None where the file lacks it.
    """

    channels: int
    n_mels: int
    aggregated: int
    squeeze: int
    attention: int
    context: bool
    embedding: int
    embedding_norm: bool
    classes: int | None = None


@dataclass(frozen=True)
class Output:
    """What a family does with embeddings.

    Attributes:
        unit: whether the network gives them unit length.
        averaging: of several crops: ``raw`` averages them as they are; ``unit`` averages vectors of unit length, and
            gives the average unit length again; ``unit_sum`` leaves it, so that the dot product of two averages is the
            mean of all pairwise cosines.
        subtracted: the set whose mean the published protocol subtracts before scoring, in words; None for none.
        attention: whether the network gives ``(embedding, (attention,))``, which ``network.outputs`` can ask for.
    """

    unit: bool
    averaging: Literal["raw", "unit", "unit_sum"]
    subtracted: str | None = None
    attention: bool = False


@dataclass(frozen=True)
class Figures:
    """Published EERs in percent on VoxCeleb1's cleaned lists O, E and H, and the protocol; None where not published."""

    protocol: str
    o: float | None
    e: float | None = None
    h: float | None = None


@dataclass(frozen=True)
class Published:
    """A published file.

    Attributes:
        file: its name, and where it is found.
        channels: C.
        licence: of the weights.
        training: speech that it was trained on.
        sha256: hexadecimal; None where it is not known.
        figures: that its authors published for it.
        note: what else matters for a fair comparison.
    """

    file: str
    channels: int
    licence: str
    training: str
    sha256: str | None = None
    figures: Sequence[Figures] = ()
    note: str | None = None


@runtime_checkable
class Family(Protocol):
    """A module of :mod:`asv.network.families`."""

    @property
    def NAME(self) -> str:  # noqa: N802  (a constant of the module)
        """What ``network.family`` calls it."""

    @property
    def TITLE(self) -> str:  # noqa: N802
        """What messages call it, such as ``WeSpeaker's ECAPA-TDNN``."""

    @property
    def CONTRACT(self) -> Contract:  # noqa: N802
        """The features that its networks were trained with."""

    @property
    def OUTPUT(self) -> Output:  # noqa: N802
        """What it does with embeddings."""

    @property
    def PUBLISHED(self) -> Sequence[Published]:  # noqa: N802
        """Its published files."""

    @property
    def MARKS(self) -> Marks:  # noqa: N802
        """What identifies its files; first comes the first layer, by which weights are found behind any prefix."""

    @property
    def CLASSES(self) -> str | None:  # noqa: N802
        """Name of the classifier's weights, one row per class; they may lie before the prefix of the network's."""

    @property
    def TRAINING_ONLY(self) -> tuple[str, ...]:  # noqa: N802
        """Beginnings of names that inference does not need."""

    def recognise(self, shapes: Shapes) -> Facts | None:
        """Facts of a network whose weights have these names and shapes; None where they are not this family's.

        Pure: no tensor is read. ``classes`` may be None although the file has the classifier, where it lies outside.
        """

    def build(self, facts: Facts) -> nn.Module:
        """The network, with weights of no meaning.

        It takes float32 ``(batch, n_mels, frames)`` and gives float32 ``(batch, embedding)``, or a tuple that begins
        with it. Called on torch's meta device, too, where tensors have shapes and no numbers.
        """

    def file_name(self, name: str) -> str:
        """What the file calls a weight of the network, by its name in the network's state dictionary."""

    def first_norm(self, network: nn.Module) -> tuple[nn.Module, nn.BatchNorm1d]:
        """The layers up to the first batch norm, which take the network's input; and this norm."""


@runtime_checkable
class CarriesFrontEnd(Family, Protocol):
    """A family whose files carry what its features are made with."""

    @property
    def FRONT_END(self) -> Marks:  # noqa: N802
        """Names and shapes of these tensors in the file."""

    def front_end(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """They, by what they are, as far as the file has them.

        Returns:
            float32 ``window`` ``(win_length,)``, ``mel`` ``(n_mels, n_fft // 2 + 1)``, and ``preemphasis`` ``(2,)``,
            the factors of the sample before and of a sample.
        """
