"""OpenVINO on the CPU, in float32 or bfloat16.

The artefact is OpenVINO's intermediate representation with static shapes and uncompressed weights: a compiled blob
would tie it to one CPU. The CPU plug-in compiles it when it is loaded.
"""

from __future__ import annotations

from ..errors import InputError

PACKAGES = ("openvino", "torch")  # torch: the conversion reads TorchScript through it
PRECISIONS = ("f32", "bf16")
ARTEFACT = "network.xml"


def compile_artefact(torchscript, folder, *, batch_size, shape, precision, options, device):
    import openvino
    import torch

    network = torch.jit.load(str(torchscript), map_location="cpu").eval()
    model = openvino.convert_model(network, input=[(openvino.PartialShape([batch_size, *shape]), openvino.Type.f32)])
    openvino.save_model(model, str(folder / ARTEFACT), compress_to_fp16=False)
    return {"artefact": ARTEFACT}


def unsupported(precision):
    """Why this machine cannot run a precision, or None if it can."""
    try:
        import openvino
    except ImportError as error:
        return f"openvino cannot be imported: {error}"
    offered = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    needed = {"f32": "FP32", "bf16": "BF16"}[precision]
    return None if needed in offered else f"this CPU offers {', '.join(offered)}"


def load(folder, *, batch_size, shape, precision, threads, options, device):
    # One request at a time, on all its threads.
    return Session(_compile(folder, precision, threads, {"PERFORMANCE_HINT": "LATENCY", **options}))


def load_in_flight(folder, *, batch_size, shape, precision, threads, options, device):
    """A session that keeps as many requests in flight as OpenVINO thinks best for throughput."""
    return InFlightSession(_compile(folder, precision, threads, {**options, "PERFORMANCE_HINT": "THROUGHPUT"}))


def _compile(folder, precision, threads, options):
    import openvino

    core = openvino.Core()
    properties = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        # By default every process pins its threads to the first cores: jobs side by side would share one.
        "ENABLE_CPU_PINNING": False,
        **options,
    }
    try:
        compiled = core.compile_model(core.read_model(str(folder / ARTEFACT)), "CPU", properties)
    except RuntimeError as error:
        message = str(error).strip().splitlines()[-1]
        raise InputError(f"engines.openvino.options {options}: OpenVINO refuses them: {message}") from error
    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if used != precision:
        raise InputError(f"openvino: precision {precision} asked for, but this CPU runs {used}; set precision: {used}")
    return compiled


class Session:
    def __init__(self, compiled):
        self._request = compiled.create_infer_request()
        self.facts = {
            "precision": compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(),
            "precision_from": "engine",
            "threads": compiled.get_property("INFERENCE_NUM_THREADS"),
        }

    def run(self, batch):
        return self._request.infer([batch], share_inputs=True)[0]

    def close(self):
        """Nothing is held but memory."""


class InFlightSession:
    def __init__(self, compiled):
        import openvino

        self._queue = openvino.AsyncInferQueue(compiled)
        self.in_flight = len(self._queue)

    def run_all(self, batches):
        """Run batches, several at a time, and wait for the last; their outputs stay in the engine."""
        for batch in batches:
            self._queue.start_async([batch], share_inputs=True)
        self._queue.wait_all()
