"""Compile the network for one engine, precision and batch size, and check the result against the reference.

The artefact folder holds what the engine loads, and artefact.json: engine, versions, precision, shapes, source.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, code, engines, files
from asv.ascend import devices
from asv.engine_interface import Job
from asv.features.contract import Contract
from asv.inference import artefact


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    parser.add_argument(
        "--exported", type=Path, nargs="*", default=[], help="the network in the form that the engine reads"
    )
    parser.add_argument("--reference", type=Path, help="what the reference makes of noise, .npz; computed unless told")
    parser.add_argument("--engine", required=True, help="engine and precision, such as openvino-f32")
    parser.add_argument("--batch-size", type=cli.positive, required=True, help="rows per batch")
    parser.add_argument("--shape", type=cli.size, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--contract", type=Contract.from_json, help="JSON: of the network's features, for the record")
    cli.add_engine_options(parser)
    parser.add_argument("--output", type=Path, required=True, help="artefact folder")
    return parser.parse_args()


def main():
    options = parse_arguments()
    name, precision = engines.parse(options.engine)
    threads = cli.usable_threads(options.threads)
    with devices.hold(options.devices) as device, files.atomic_folder(options.output) as folder:
        job = Job(options.batch_size, tuple(options.shape), precision, threads, options.engine_options, device)
        digest, exported = code.digest(__file__, engines.source(name)), next(iter(options.exported), None)
        _, cosine = artefact.compile_checked(
            options.network, folder, name, job, digest, exported, options.reference, options.contract
        )
    if options.engine == engines.reference(options.network.suffix):
        compared = "the reference itself"
    elif cosine is None:
        compared = "compared whenever it is loaded"
    else:
        compared = f"minimum cosine with the reference {cosine:.7f}"
    print(f"{options.engine}, batch size {options.batch_size}: {compared}")


if __name__ == "__main__":
    cli.run(main)
