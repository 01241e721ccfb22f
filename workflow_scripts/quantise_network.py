"""Quantise the network to int8, once for all batch sizes: OpenVINO's intermediate representation, and a record.

Ranges of values are those of the calibration set. Pooling and what follows it stay in float, and so do the most
sensitive layers if the embeddings would differ too much otherwise. Nothing is reported to anybody (NNCF_CI).
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files
from asv.engines import openvino
from asv.quantisation import quantise


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    parser.add_argument("--calibration", type=Path, required=True, help="features of extract_calibration.py")
    parser.add_argument("--calibration-sidecar", type=Path, required=True, help="JSON: what they are of")
    parser.add_argument("--shape", type=cli.size, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--min-mean-cosine", type=float, default=0.998, help="with the float32 embeddings")
    parser.add_argument("--threads", type=cli.positive, default=1)
    parser.add_argument("--output", type=Path, required=True, help="OpenVINO's model, .xml")
    parser.add_argument("--weights", type=Path, required=True, help="its weights, .bin")
    parser.add_argument("--record", type=Path, required=True, help="JSON: which layers, and what it comes to")
    return parser.parse_args()


def main():
    options = parse_arguments()
    features, started = np.load(options.calibration), time.perf_counter()
    model = openvino.any_batch(options.network, options.shape)
    made, outcome = quantise.quantise(model, features, options.min_mean_cosine, cli.usable_threads(options.threads))
    with tempfile.TemporaryDirectory(dir=options.output.absolute().parent) as place:
        written = openvino.save(made, Path(place))
        for path, output in ((written, options.output), (written.with_suffix(".bin"), options.weights)):
            with files.atomic_file(output) as temporary:
                os.replace(path, temporary)
    record = {
        "calibration": files.read_json(options.calibration_sidecar),
        "features": {"mean": float(features.mean()), "deviation": float(features.std())},
        **outcome,
        "versions": engines.installed(("nncf", "openvino")),
        "code": code.digest(__file__),
    }
    files.write_json(options.record, record)
    print(f"{quantise.table(outcome)}; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    cli.run(main)
