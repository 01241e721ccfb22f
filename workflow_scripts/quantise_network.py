"""Quantise the network to int8, once for all batch sizes: OpenVINO's intermediate representation, and a record.

Ranges of values are those of the calibration set. Pooling and what follows it stay in float, and so do the most
sensitive layers if the embeddings would differ too much otherwise. Nothing is reported to anybody (NNCF_CI).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files
from asv.network import openvino_model
from asv.quantisation import quantise
from asv.quantisation.by_nncf import Nncf


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    cli.add_quantisation_options(parser)
    parser.add_argument("--output", type=Path, required=True, help="OpenVINO's model, .xml")
    parser.add_argument("--weights", type=Path, required=True, help="its weights, .bin")
    return parser.parse_args()


def main():
    options = parse_arguments()
    features, started = np.load(options.calibration), time.perf_counter()
    model = openvino_model.any_batch(options.network, options.shape)
    toolkit = Nncf(model, features, cli.usable_threads(options.threads))
    made, outcome = quantise.quantise(toolkit, options.min_mean_cosine)
    openvino_model.write(made, options.output, options.weights)
    calibration, versions = files.read_json(options.calibration_sidecar), engines.installed(("nncf", "openvino"))
    record = quantise.record(outcome, calibration, features, versions)
    files.write_json(options.record, {**record, "code": code.digest(__file__)})
    print(f"{quantise.table(outcome)}; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    cli.run(main)
