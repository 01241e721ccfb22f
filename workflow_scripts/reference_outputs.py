"""Write what the reference makes of a few seeded inputs, for artefacts that run where the reference cannot."""

from __future__ import annotations

from pathlib import Path

from asv import cli, engines, files
from asv.engine_interface import Job
from asv.inference import carried_outputs


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    parser.add_argument("--batch-size", type=cli.positive, required=True, help="rows per batch")
    parser.add_argument("--shape", type=cli.positive, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--output", type=Path, required=True, help=".npz: inputs, embeddings")
    return parser.parse_args()


def main():
    options = parse_arguments()
    label = engines.reference(options.network.suffix)
    job = Job(options.batch_size, tuple(options.shape), engines.parse(label)[1])
    with files.atomic_file(options.output) as temporary:
        carried_outputs.write(options.network, label, job, temporary)


if __name__ == "__main__":
    cli.run(main)
