"""ONNX Runtime: on the CPU in float32 or int8, or on whatever device an execution provider of it drives."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..engine_interface import CompileFacts, Job, SessionFacts
from ..errors import InputError
from ..quantisation import running_onnx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Run = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

PACKAGES = ("onnxruntime",)
PRECISIONS = ("f32", "int8")
QUANTISED = ("int8",)
QUANTISING = ("onnx", "openvino")  # what quantise_onnx.py takes besides
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
    if precision in QUANTISED and (missing := [name for name in QUANTISING if importlib.util.find_spec(name) is None]):
        return f"{missing[0]}, by which it is quantised, is not installed; python -m pip install -r requirements.txt"
    return None


def compile_artefact(network: Path, folder: Path, job: Job) -> CompileFacts:
    """Nothing to compile: the graph is optimised for the CPU that loads it, in less than a second."""
    facts: CompileFacts = {"artefact": ARTEFACT}
    if job.precision in QUANTISED:
        facts["quantisation"] = files.read_json(network.with_suffix(".json"))
        if "int8_work" not in facts["quantisation"]:
            raise InputError(f"{network}: precision int8 is compiled of what quantise_onnx.py makes of the network")
    shutil.copyfile(network, folder / ARTEFACT)
    return facts


def load(folder: Path, job: Job) -> Session:
    return Session(*_start(folder, job, job.threads))


def load_in_flight(folder: Path, job: Job) -> InFlightSession:
    """A session that runs as many batches at once as there are threads, each on one."""
    return InFlightSession(*_start(folder, job, 1), job.threads)


def _start(folder: Path, job: Job, threads: int) -> tuple[Run, SessionFacts]:
    """What runs the file, and what runs.

    Raises:
        InputError: where a provider is not there: ONNX Runtime would pass over it in silence.
    """
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
    facts: SessionFacts = {"precision": job.precision, "precision_from": "engine", "threads": threads}
    with tempfile.TemporaryDirectory() as place:
        optimised = Path(place, ARTEFACT)
        if job.precision in QUANTISED:
            options.optimized_model_filepath = str(optimised)
        try:
            session = onnxruntime.InferenceSession(str(folder / ARTEFACT), options, providers=wanted)
        except Exception as error:  # its exceptions have no common base
            if job.precision in QUANTISED:  # of a full disk it says "Protobuf serialization failed"
                files.try_to_write(optimised, (folder / ARTEFACT).stat().st_size)
            raise InputError(
                f"onnxruntime refuses {folder / ARTEFACT}: {str(error).strip().splitlines()[0][:300]}; see onnx.opset "
                "and engines.onnxruntime"
            ) from error
        if job.precision in QUANTISED:
            facts["precision"], facts["layers"] = running_onnx.told(optimised)
    left = session.get_providers()
    _require(wanted, left, f"ONNX Runtime has dropped it, for want of a driver perhaps; {', '.join(left)} is left")
    (name,) = (taken.name for taken in session.get_inputs())
    return (lambda batch: session.run(None, {name: batch})[0]), facts


def _require(wanted: Iterable[str], found: Iterable[str], why: str) -> None:
    for name in wanted:
        if name not in found:
            raise InputError(f"engines.onnxruntime.providers: no {name}: {why}; install what it needs, or set [{CPU}]")


class Session:
    """One batch at a time, on all threads."""

    def __init__(self, run: Run, facts: SessionFacts) -> None:
        self._run = run
        self.facts = facts

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self._run(batch)

    def close(self) -> None:
        """Nothing is held but memory."""


class InFlightSession:
    """As many batches at once as there are threads; ONNX Runtime lets several threads run one session."""

    def __init__(self, run: Run, facts: SessionFacts, threads: int) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(threads)
        self.in_flight = threads
        self.facts = {**facts, "threads": threads}

    def run_all(self, batches: Iterable[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        return list(self._pool.map(self._run, batches))

    def close(self) -> None:
        self._pool.shutdown()
