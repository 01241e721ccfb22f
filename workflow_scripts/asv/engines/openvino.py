"""OpenVINO on the CPU, in float32 or bfloat16, or in int8 of a network that was quantised before.

The artefact is OpenVINO's intermediate representation with static shapes and uncompressed weights: a compiled blob
would tie it to one CPU. The CPU plug-in compiles it when it is loaded.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..engine_interface import CompileFacts, Job, SessionFacts
from ..errors import InputError
from ..network import openvino_model
from ..quantisation import running

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PACKAGES = ("openvino", "torch")  # torch: the conversion reads TorchScript through it
PRECISIONS = ("f32", "bf16", "int8")
QUANTISED = ("int8",)
NETWORKS = (".pt", ".onnx", ".xml")
ARTEFACT = "network.xml"

ONE_AND_SEVERAL = "the workflow sets it: one request at a time and several in flight are both measured"
# Properties that the options must not have, and why: with them something else would run than what is reported.
RESERVED = {
    "INFERENCE_PRECISION_HINT": "precision is what sets it",
    "EXECUTION_MODE_HINT": "precision is what sets it",
    "INFERENCE_NUM_THREADS": "threads is what sets it",
    "NUM_STREAMS": ONE_AND_SEVERAL,
    "PERFORMANCE_HINT": ONE_AND_SEVERAL,
    "PERFORMANCE_HINT_NUM_REQUESTS": ONE_AND_SEVERAL,
    "DEVICE_PROPERTIES": "properties of the CPU stand in the options themselves",
}
# Names of OpenVINO's earlier releases and of functions in its Python interface, and what the property is called.
PROPERTIES = {
    "ENFORCE_BF16": "INFERENCE_PRECISION_HINT",
    "INFERENCE_PRECISION": "INFERENCE_PRECISION_HINT",
    "EXECUTION_MODE": "EXECUTION_MODE_HINT",
    "CPU_THREADS_NUM": "INFERENCE_NUM_THREADS",
    "COMPILATION_NUM_THREADS": "INFERENCE_NUM_THREADS",
    "CPU_THROUGHPUT_STREAMS": "NUM_STREAMS",
    "STREAMS": "NUM_STREAMS",
    "PERFORMANCE_MODE": "PERFORMANCE_HINT",
    "NUM_REQUESTS": "PERFORMANCE_HINT_NUM_REQUESTS",
    "CPU_BIND_THREAD": "ENABLE_CPU_PINNING",
    "AFFINITY": "ENABLE_CPU_PINNING",
    "ENABLE_PROFILING": "PERF_COUNT",
    "DENORMALS_OPTIMIZATION": "CPU_DENORMALS_OPTIMIZATION",
    "SPARSE_WEIGHTS_DECOMPRESSION_RATE": "CPU_SPARSE_WEIGHTS_DECOMPRESSION_RATE",
}


def option_faults(options: Mapping[Any, Any]) -> Iterator[str]:
    """What is wrong with options, as far as can be seen without OpenVINO: messages."""
    for name, value in options.items():
        if not isinstance(name, str):
            yield f"engines.openvino.options: {name!r} is not the name of a property"
            continue
        words = re.findall(r"\w+", name)  # of ov::hint::inference_precision the last one counts
        spelt = words[-1].upper() if words else name
        known = PROPERTIES.get(spelt, spelt)
        other = f" ({known})" if known != name else ""
        if known in RESERVED:
            yield f"engines.openvino.options: {name}{other}: {RESERVED[known]}; remove it"
        elif other:
            yield f"engines.openvino.options: {name}: OpenVINO calls it {known}; write that"
        elif not isinstance(value, (str, int, float)):
            yield f"engines.openvino.options: {name}: {value!r} is neither text, nor a number, nor true or false"


def _require_usable(options: Mapping[str, Any]) -> None:
    if faults := list(option_faults(options)):
        raise InputError("\n  ".join(faults))


def compile_artefact(network: Path, folder: Path, job: Job) -> CompileFacts:
    _require_usable(job.options)
    beside = network.with_suffix(".json")  # the record of the quantisation
    quantised = network.suffix == ".xml" and beside.exists()
    if quantised != (job.precision in QUANTISED):
        wanted = "the network itself" if quantised else "what quantise_network.py makes of it"
        raise InputError(f"{network}: precision {job.precision} is compiled of {wanted}")
    openvino_model.save(openvino_model.read(network, job.batch_shape), folder / ARTEFACT)
    record: CompileFacts = {"quantisation": files.read_json(beside)} if quantised else {}
    return {"artefact": ARTEFACT, **record}


def unsupported(precision: str) -> str | None:
    """Why this machine cannot run a precision, or None if it can."""
    try:
        import openvino
    except ImportError as error:
        return f"openvino cannot be imported: {error}"
    offered = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision in QUANTISED and importlib.util.find_spec("nncf") is None:
        return "nncf, which quantises the network, is not installed; python -m pip install -r requirements.txt"
    needed = {"f32": "FP32", "bf16": "BF16", "int8": "INT8"}[precision]
    return None if needed in offered else f"this CPU offers {', '.join(offered)}"


def load(folder: Path, job: Job) -> Session:
    # One request at a time, on all its threads.
    return Session(_compile(folder, job, "LATENCY"), job)


def load_in_flight(folder: Path, job: Job) -> InFlightSession:
    """A session that keeps as many requests in flight as OpenVINO thinks best for throughput."""
    return InFlightSession(_compile(folder, job, "THROUGHPUT"), job)


def _compile(folder: Path, job: Job, hint: str) -> Any:
    """The network, compiled for the CPU with a hint, and the precision that runs compared with the job's."""
    _require_usable(job.options)
    import openvino

    core = openvino.Core()
    precision = running.float_precision(core) if job.precision in QUANTISED else job.precision
    properties = {
        "PERFORMANCE_HINT": hint,
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": job.threads,
        # By default every process pins its threads to the first cores: jobs side by side would share one.
        "ENABLE_CPU_PINNING": False,
        **job.options,
    }
    try:
        compiled = core.compile_model(core.read_model(str(folder / ARTEFACT)), "CPU", properties)
    except RuntimeError as error:
        message = str(error).strip().splitlines()[-1]
        message += _nearest(job.options, core.get_property("CPU", "SUPPORTED_PROPERTIES"))
        raise InputError(f"engines.openvino.options {job.options}: OpenVINO refuses them: {message}") from error
    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if used != precision:
        remedy = f"set precision: {used}" if used in PRECISIONS else "this CPU needs another engine"
        raise InputError(f"openvino: precision {precision} asked for, but this CPU runs {used}; {remedy}")
    return compiled


def _nearest(options: Mapping[str, Any], known: Iterable[str]) -> str:
    """A hint for options whose names OpenVINO does not know."""
    close = {name: difflib.get_close_matches(name, known, 1) for name in options if name not in known}
    return "".join(f"; for {name}, did you mean {found[0]}?" for name, found in close.items() if found)


def _facts(compiled: Any, job: Job) -> SessionFacts:
    facts: SessionFacts = {
        "precision": compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(),
        "precision_from": "engine",
        "threads": compiled.get_property("INFERENCE_NUM_THREADS"),
    }
    if job.precision in QUANTISED:
        facts["precision"], facts["layers"] = running.told(compiled, facts["precision"])
    return facts


class Session:
    """One request at a time."""

    def __init__(self, compiled: Any, job: Job) -> None:
        self._request = compiled.create_infer_request()
        self.facts = _facts(compiled, job)

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self._request.infer([batch], share_inputs=True)[0]

    def close(self) -> None:
        """Nothing is held but memory."""


class InFlightSession:
    """A queue of requests."""

    def __init__(self, compiled: Any, job: Job) -> None:
        import openvino

        self._queue = openvino.AsyncInferQueue(compiled)
        outputs: dict[int, npt.NDArray[np.float32]] = {}

        def keep(request: Any, number: int) -> None:  # no method: the queue would hold this session, which holds it
            outputs[number] = request.get_output_tensor(0).data.copy()

        self._queue.set_callback(keep)
        self._outputs = outputs
        self.in_flight = len(self._queue)
        self.facts = _facts(compiled, job)

    def run_all(self, batches: Iterable[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        self._outputs.clear()
        for number, batch in enumerate(batches):
            self._queue.start_async([batch], number)  # copied: nothing else keeps it until the request has ended
        self._queue.wait_all()
        return [self._outputs[number] for number in range(len(self._outputs))]

    def close(self) -> None:
        """Nothing is held but memory."""
