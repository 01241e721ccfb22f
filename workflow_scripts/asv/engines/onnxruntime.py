"""ONNX Runtime: on the CPU in float32, or on whatever device an execution provider of it drives."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine_interface import CompileFacts, Job, SessionFacts
from ..errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Run = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

PACKAGES = ("onnxruntime",)
PRECISIONS = ("f32",)
NETWORKS = (".onnx",)
ARTEFACT = "network.onnx"
CPU = "CPUExecutionProvider"
DEFAULTS: Mapping[str, Any] = {"providers": [CPU], "graph_optimization_level": "all"}
# What ONNX Runtime calls the levels.
LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


def unsupported(precision: str) -> str | None:
    """Why this machine cannot run a precision, or None if it can."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"onnxruntime cannot be imported: {error}"
    return None


def compile_artefact(network: Path, folder: Path, job: Job) -> CompileFacts:
    """Nothing to compile: the graph is optimised for the CPU that loads it, in less than a second."""
    shutil.copyfile(network, folder / ARTEFACT)
    return {"artefact": ARTEFACT}


def load(folder: Path, job: Job) -> Session:
    return Session(_start(folder, job, job.threads), job.threads)


def load_in_flight(folder: Path, job: Job) -> InFlightSession:
    """A session that runs as many batches at once as there are threads, each on one."""
    return InFlightSession(_start(folder, job, 1), job.threads)


def _start(folder: Path, job: Job, threads: int) -> Run:
    """What runs the file; InputError where a provider is not there: ONNX Runtime would pass over it in silence."""
    import onnxruntime

    chosen = {**DEFAULTS, **job.options}
    wanted, offered = chosen["providers"], onnxruntime.get_available_providers()
    _require(wanted, offered, f"this build of ONNX Runtime has {', '.join(offered)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, LEVELS[chosen["graph_optimization_level"]]
    )
    options.add_free_dimension_override_by_name("batch", job.batch_size)
    options.log_severity_level = 3  # errors; that a provider leaves some operations to the CPU is told by `providers`
    try:
        session = onnxruntime.InferenceSession(str(folder / ARTEFACT), options, providers=wanted)
    except Exception as error:  # its exceptions have no common base
        raise InputError(
            f"onnxruntime refuses {folder / ARTEFACT}: {str(error).strip().splitlines()[0][:300]}; see onnx.opset and "
            "engines.onnxruntime"
        ) from error
    left = session.get_providers()
    _require(wanted, left, f"ONNX Runtime has dropped it, for want of a driver perhaps; {', '.join(left)} is left")
    (name,) = (taken.name for taken in session.get_inputs())
    return lambda batch: session.run(None, {name: batch})[0]


def _require(wanted: Iterable[str], found: Iterable[str], why: str) -> None:
    for name in wanted:
        if name not in found:
            raise InputError(f"engines.onnxruntime.providers: no {name}: {why}; install what it needs, or set [{CPU}]")


def _facts(threads: int) -> SessionFacts:
    return {"precision": "f32", "precision_from": "engine", "threads": threads}


class Session:
    """One batch at a time, on all threads."""

    def __init__(self, run: Run, threads: int) -> None:
        self._run = run
        self.facts = _facts(threads)

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self._run(batch)

    def close(self) -> None:
        """Nothing is held but memory."""


class InFlightSession:
    """As many batches at once as there are threads; ONNX Runtime lets several threads run one session."""

    def __init__(self, run: Run, threads: int) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(threads)
        self.in_flight = threads
        self.facts = _facts(threads)

    def run_all(self, batches: Iterable[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        return list(self._pool.map(self._run, batches))

    def close(self) -> None:
        self._pool.shutdown()
