"""Export the network as ONNX, and compare it with the network before writing it.

The file takes mel, float32 (batch, bands, frames), any batch size, and gives embedding, float32 (batch, numbers). Its
metadata say which features it wants, and of which checkpoint it is.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.engines import torchscript
from asv.features.contract import Contract
from asv.network import onnx_export


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--network", type=Path, required=True, help="TorchScript, .pt, or ONNX, .onnx")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: where the network comes from")
    parser.add_argument("--contract", type=Contract.from_json, required=True, help="JSON: of its features")
    parser.add_argument("--frames", type=cli.size, required=True, help="frames of a crop, or whole")
    parser.add_argument("--opset", type=cli.positive, required=True, help="of ONNX; an ONNX network keeps its own")
    parser.add_argument("--output", type=Path, required=True, help="ONNX")
    return parser.parse_args()


def main():
    options = parse_arguments()
    sidecar, n_mels = files.read_json(options.sidecar), options.contract.n_mels
    if options.network.suffix == ".onnx":
        model, (reference, _) = onnx_export.renamed(options.network), onnx_export.runner(options.network)
    else:
        model = onnx_export.exported(options.network, n_mels, options.frames, sidecar["embedding"], options.opset)
        reference = torchscript.Session(options.network, 1).run
    content = onnx_export.finished(model, onnx_export.metadata(sidecar, options.contract))
    worst = onnx_export.check(content, reference, n_mels, options.frames)
    with files.atomic_file(options.output) as temporary:
        temporary.write_bytes(content)
    print(f"{len(content):,} bytes, opset {model.opset_import[0].version}; it differs from the network by {worst:.1e}")


if __name__ == "__main__":
    cli.run(main)
