"""The contract between the workflow and an engine, as types; docs/adding-an-engine.md shows a complete engine.

An engine is a module of :mod:`asv.engines` that has what :class:`Engine` lists. It imports its toolchain inside its
functions, because the Snakefile imports the module to learn its precisions and packages. A module may also have:

``unsupported(precision)``: why this machine cannot run the precision, or None.
``option_faults(options)``: messages about options that are wrong, reported before any job starts.
``load_in_flight(folder, job)``: see :class:`InFlightEngine`.
``NETWORKS``: suffixes of the networks' files that it compiles, ``.pt`` (TorchScript) and ``.onnx``; else ``.pt`` alone.
``QUANTISED``: precisions whose network is quantised first (:mod:`asv.quantisation`): ``.xml`` of OpenVINO, or ONNX.
``PLUGIN``: an :class:`asv.ascend.plugin.Plugin`, which makes it an engine with a toolchain and devices of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Job:
    """What an engine is asked to compile, to load and to run.

    Attributes:
        batch_size: rows of every batch; a last batch that has fewer utterances is filled up by the caller.
        shape: of a row, ``(mels, frames)``; ``frames`` is None for whole utterances, which have any number of them, and
            the batch size is 1 then.
        precision: one of the engine's ``PRECISIONS``.
        threads: CPU threads that the engine may use, never more than the process can keep busy.
        options: of the engine, as ``engines.<name>`` in the configuration has them; values that JSON can hold.
        device: number of the device that this process holds (:mod:`asv.ascend.devices`), None for an engine without.
    """

    batch_size: int
    shape: tuple[int, int | None]
    precision: str
    threads: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    device: int | None = None

    @property
    def batch_shape(self) -> tuple[int, int, int | None]:
        """Shape of a batch: ``(batch_size, mels, frames)``."""
        return (self.batch_size, *self.shape)


class CompileFacts(TypedDict, total=False):
    """What an engine tells of an artefact that it has compiled.

    ``artefact`` is the name of its file in the folder, ``cann`` the version of Ascend's toolkit, ``atc`` that of its
    converter. ``stand_in`` is set where something else was in the engine's place, and says what; nothing made with it
    is taken for the engine's. ``quantisation`` is the record of quantise_network.py or quantise_onnx.py, where the
    network was quantised.
    """

    artefact: str
    cann: str | None
    atc: str | None
    stand_in: str
    quantisation: Mapping[str, Any]


class _RunFacts(TypedDict):
    precision: str
    precision_from: str
    threads: int


class SessionFacts(_RunFacts, total=False):
    """What an engine tells of a session.

    ``precision`` is what really runs, and ``precision_from`` says how that is known: ``engine`` if the engine was
    asked, ``request`` if it cannot be. ``threads`` are those in use. ``cann`` and ``stand_in`` are as in
    :class:`CompileFacts`; ``backend`` is the interface to the device, of an engine that has several. ``layers`` says of
    a quantised network what its layers run in.
    """

    cann: str | None
    backend: str
    stand_in: str
    layers: str


class Session(Protocol):
    """An artefact that is loaded and ready to run, one batch at a time.

    A session may have an attribute ``seconds`` besides, the parts of its last :meth:`run` in seconds, a dictionary of
    ``to_device``, ``compute`` and ``from_device``: the benchmark then tells the throughput without copies.
    """

    facts: SessionFacts

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Embeddings of a batch.

        Args:
            batch: float32 ``(batch_size, mels, frames)``, of the job's shape; it need not be contiguous, and the
                engine must not write to it.

        Returns:
            float32 ``(batch_size, d)``, valid until the next call.

        Raises:
            InputError: where a device fails, with its own words and a remedy.
        """

    def close(self) -> None:
        """Give back what the session holds. It raises nothing, since it also runs after an error of :meth:`run`."""


@runtime_checkable
class InFlightSession(Protocol):
    """An artefact that is loaded for throughput: several requests are under way at once."""

    facts: SessionFacts
    in_flight: int  # requests that are under way at once, 1 or more

    def run_all(self, batches: Iterable[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """Run batches, each as :meth:`Session.run` takes it, and return when the last has ended.

        Returns:
            Their outputs in their order, float32 ``(batch_size, d)`` of their own memory.
        """

    def close(self) -> None:
        """As :meth:`Session.close`."""


@runtime_checkable
class Engine(Protocol):
    """A module of :mod:`asv.engines`."""

    @property
    def PACKAGES(self) -> tuple[str, ...]:  # noqa: N802  (a constant of the module)
        """Distributions whose versions the engine's artefacts and results depend on."""

    @property
    def PRECISIONS(self) -> tuple[str, ...]:  # noqa: N802
        """Precisions that it offers; the first is what ``precision: auto`` means."""

    def compile_artefact(self, network: Path, folder: Path, job: Job) -> CompileFacts:
        """Compile a network for batches of the job's shape.

        Args:
            network: its file, TorchScript (``.pt``) or ONNX (``.onnx``): float32 ``(n, mels, frames)`` to embeddings
                ``(n, d)``, or to a tuple that begins with them.
            folder: exists and is empty; all that :meth:`load` needs goes into it.
            job: ``threads`` may be ignored.

        Raises:
            InputError: where options are wrong or the toolchain refuses the network.
        """

    def load(self, folder: Path, job: Job) -> Session:
        """A session of what :meth:`compile_artefact` wrote for the same job; the folder is only read.

        Raises:
            InputError: where options are wrong, or where the precision cannot be had on this machine.
        """


@runtime_checkable
class InFlightEngine(Engine, Protocol):
    """An engine that can keep several requests under way."""

    def load_in_flight(self, folder: Path, job: Job) -> InFlightSession:
        """As :meth:`Engine.load`, for throughput."""
