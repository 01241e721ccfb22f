"""OpenVINO on the CPU, in float32 or bfloat16.

The artefact is OpenVINO's intermediate representation with static shapes and uncompressed weights: a compiled blob
would tie it to one CPU. The CPU plug-in compiles it when it is loaded.
"""

from __future__ import annotations

from ..errors import InputError

PACKAGES = ("openvino", "torch")  # torch: the conversion reads TorchScript through it
PRECISIONS = ("f32", "bf16")
ARTEFACT = "network.xml"


def compile_artefact(torchscript, folder, *, batch_size, shape, precision, options):
    import openvino
    import torch

    network = torch.jit.load(str(torchscript), map_location="cpu").eval()
    model = openvino.convert_model(network, input=[(openvino.PartialShape([batch_size, *shape]), openvino.Type.f32)])
    openvino.save_model(model, str(folder / ARTEFACT), compress_to_fp16=False)
    return {"artefact": ARTEFACT}


def load(folder, *, batch_size, precision, threads, options):
    return Session(folder / ARTEFACT, precision, threads, options)


class Session:
    def __init__(self, path, precision, threads, options):
        import openvino

        core = openvino.Core()
        properties = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",  # one request at a time, on all its threads
            **options,
        }
        try:
            self._compiled = core.compile_model(core.read_model(str(path)), "CPU", properties)
        except RuntimeError as error:
            message = str(error).strip().splitlines()[-1]
            raise InputError(f"engines.openvino.options {options}: OpenVINO refuses them: {message}") from error
        used = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        if used != precision:
            raise InputError(
                f"openvino: precision {precision} was asked for, this CPU runs {used}; set precision: {used}"
            )
        self._request = self._compiled.create_infer_request()
        self.facts = {
            "precision": used,
            "precision_from": "engine",
            "threads": self._compiled.get_property("INFERENCE_NUM_THREADS"),
        }

    def run(self, batch):
        return self._request.infer([batch], share_inputs=True)[0]
