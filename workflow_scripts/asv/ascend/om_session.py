"""A compiled model as a session of the workflow: every batch is checked here, since neither interface does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..engine_interface import Job, SessionFacts
from ..errors import InputError
from . import om_acl, om_ais_bench, om_explain

if TYPE_CHECKING:
    import numpy.typing as npt

# The interfaces, and the order in which `backend: auto` tries them.
BACKENDS: Mapping[str, Any] = {"ais_bench": om_ais_bench, "acl": om_acl}
AUTO = "auto"


class Model(Protocol):
    """A model on a device, by either interface."""

    stand_in: str | None
    inputs: list[tuple[str, list[int], int]]  # name, shape, bytes
    outputs: list[tuple[str, list[int], int]]

    def run(self, batch: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
        """The first output, and the parts of the time in seconds."""

    def close(self) -> None:
        """Give back what is held."""


def choose(wanted: str) -> tuple[str, Any]:
    """Name and module of the interface: the first that can be imported, or the one that is named.

    Raises:
        InputError: with a remedy, where it cannot be imported.
    """
    failures = []
    for name in BACKENDS if wanted == AUTO else [wanted]:
        try:
            return name, BACKENDS[name].start()
        except Exception as error:  # ImportError, OSError, or whatever a library raises while it loads
            failures.append(om_explain.import_failed(name, error))
    raise InputError("\n".join(map(str, failures))) from failures[-1]


def opened(path: Path, device: int, wanted: str) -> tuple[str, Model]:
    """Name of the interface, and the model on a device.

    Raises:
        InputError: with the tool's words and a remedy.
    """
    name, _ = choose(wanted)
    try:
        return name, BACKENDS[name].Model(path, device)
    except Exception as error:
        raise om_explain.failed("load", error, path.parent) from error


class Session:
    """A model that runs batches of one shape; ``run`` leaves in ``seconds`` how long its parts took."""

    def __init__(self, model: Model, job: Job, path: Path, facts: SessionFacts) -> None:
        self._model, self._shape, self._folder = model, job.batch_shape, path.parent
        self._lost = False
        self.facts = facts
        self.seconds: dict[str, float] = {}
        try:
            self._check_model()
        except InputError:
            self.close()
            raise

    def _check_model(self) -> None:
        """What is loaded is the model of this job: one input of its shape, and one embedding a row."""
        wanted = list(self._shape), 4 * int(np.prod(np.array(self._shape)))
        found = [(shape, size) for _, shape, size in self._model.inputs]
        (_, self._output, size), rows = self._model.outputs[0], self._shape[0]
        if found != [wanted] or len(self._output) != 2 or self._output[0] != rows:
            raise InputError(
                f"ascend_om: the model takes {self._model.inputs} and gives {self._model.outputs}, not one float32 "
                f"batch {self._shape} and its embeddings; delete {self._folder} and run again"
            )
        if size != 4 * rows * self._output[1]:
            raise InputError(
                f"ascend_om: the embeddings are {size} bytes for {self._output}, so they are not float32; delete "
                f"{self._folder} and run again"
            )

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if self._lost:
            raise InputError("ascend_om: the device failed in an earlier batch; the same command again goes on")
        if batch.dtype != np.float32 or batch.shape != self._shape:
            raise InputError(
                f"ascend_om: a batch is {batch.dtype} {batch.shape}, and the model was compiled for float32 "
                f"{self._shape}; its bytes alone would not have told"
            )
        plain = np.array(batch, np.float32, order="C", subok=False)  # contiguous, of its own memory, no memory map
        try:
            output, self.seconds = self._model.run(plain)
        except Exception as error:
            self._lost = True
            raise om_explain.failed("run", error, self._folder) from error
        if output.dtype != np.float32 or list(output.shape) != self._output:
            raise InputError(
                f"ascend_om: the embeddings came back as {output.dtype} {output.shape}, and float32 {self._output} "
                f"was expected; delete {self._folder} and run again"
            )
        return output

    def close(self) -> None:
        """Give the device back; nothing of this process may use it afterwards.

        A lost device cannot be given back. That changes no result, and must not take the place of the error that tells
        of the loss, so it is printed.
        """
        try:
            self._model.close()
        except Exception as error:
            print(f"ascend_om: the device was not given back: {error}", file=sys.stderr)
