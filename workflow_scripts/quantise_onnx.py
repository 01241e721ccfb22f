"""Quantise the network as ONNX to int8 for ONNX Runtime, once for all batch sizes: an ONNX file, and a record.

Ranges of values, and which layers stay in float, are as quantise_network.py has them; the quantisers are those that
ONNX Runtime's own tool places.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files
from asv.network import openvino_model
from asv.quantisation import by_onnx_runtime, quantise


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="ONNX, any batch size")
    cli.add_quantisation_options(parser)
    parser.add_argument("--output", type=Path, required=True, help="ONNX")
    return parser.parse_args()


def main():
    options = parse_arguments()
    features, started = np.load(options.calibration), time.perf_counter()
    named = by_onnx_runtime.named(options.network)
    with tempfile.TemporaryDirectory() as folder:  # OpenVINO reads models from files; this one has names for all nodes
        path = Path(folder, "network.onnx")
        path.write_bytes(named.SerializeToString())
        model = openvino_model.any_batch(path, options.shape)
    toolkit = by_onnx_runtime.OnnxRuntime(named, model, features, cli.usable_threads(options.threads))
    made, outcome = quantise.quantise(toolkit, options.min_mean_cosine)
    with files.atomic_file(options.output) as temporary:
        temporary.write_bytes(made)
    calibration = files.read_json(options.calibration_sidecar)
    versions = engines.installed(("onnx", "onnxruntime", "openvino"))
    record = quantise.record(outcome, calibration, features, versions)
    files.write_json(options.record, {**record, "code": code.digest(__file__)})
    print(f"{quantise.table(outcome)}; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    cli.run(main)
