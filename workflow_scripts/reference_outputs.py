"""Write what the reference makes of noise that is like the features of a calibration set, for networks in int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asv import cli
from asv.inference import reference_outputs


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    parser.add_argument("--calibration", type=Path, required=True, help="features of extract_calibration.py, .npy")
    parser.add_argument("--shape", type=cli.size, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--output", type=Path, required=True, help="noise, and what the network makes of it, .npz")
    return parser.parse_args()


def main():
    options = parse_arguments()
    features = np.load(options.calibration)
    mean, deviation = float(features.mean()), float(features.std())
    pairs = reference_outputs.compute(options.network, tuple(options.shape), mean=mean, deviation=deviation)
    reference_outputs.write(options.output, pairs)


if __name__ == "__main__":
    cli.run(main)
