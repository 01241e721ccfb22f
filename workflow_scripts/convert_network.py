"""Convert a TorchScript network to OpenVINO's model, once for all batch sizes."""

from __future__ import annotations

from pathlib import Path

from asv import cli
from asv.network import openvino_model


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt")
    parser.add_argument("--shape", type=cli.size, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--output", type=Path, required=True, help="OpenVINO's model, .xml")
    parser.add_argument("--weights", type=Path, required=True, help="its weights, .bin")
    return parser.parse_args()


def main():
    options = parse_arguments()
    model = openvino_model.any_batch(options.network, options.shape)
    openvino_model.write(model, options.output, options.weights)


if __name__ == "__main__":
    cli.run(main)
