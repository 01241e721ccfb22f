"""Trace the checkpoint's network to TorchScript, and check the trace against eager PyTorch before writing it.

The graph takes float32 (batch, 80, frames), any batch size, and returns the embedding (batch, 192), L2-normalised;
with --outputs embedding attention it returns the nesting (embedding, (attention,)), attention (batch, frames, 3 C).
"""

from __future__ import annotations

from pathlib import Path

import torch

from asv import cli, code, files
from asv.errors import InputError
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import MELS, EmbeddingOnly
from asv.network.trace import check_trace, count_parameters, gflop, trace


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint.pt")
    parser.add_argument("--output", type=Path, required=True, help="TorchScript, .pt")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: where the graph comes from")
    parser.add_argument("--outputs", nargs="+", choices=("embedding", "attention"), default=["embedding"])
    parser.add_argument("--frames", type=int, default=200, help="frames of a crop")
    parser.add_argument("--source", help="what messages call the checkpoint, where that is not its path")
    parser.add_argument("--weights", help="which of several places of weights in the checkpoint; messages list them")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.outputs not in (["embedding"], ["embedding", "attention"]):
        raise InputError("--outputs: 'embedding', or 'embedding attention'")
    network, facts = load_network(options.checkpoint, options.source, options.weights)
    module = network if "attention" in options.outputs else EmbeddingOnly(network)
    traced = trace(module, options.frames)
    worst = check_trace(traced, module, options.frames)
    with files.atomic_file(options.output) as temporary:
        traced.save(str(temporary))
    parameters = count_parameters(network)
    sidecar = {
        "checkpoint_sha256": files.digest(options.checkpoint),
        **facts,
        "parameters": parameters,
        "gflop": gflop(module, options.frames),
        "input": [MELS, options.frames],
        "outputs": options.outputs,
        "torch": torch.__version__,
        "code": code.digest(__file__),
    }
    files.write_json(options.sidecar, sidecar)
    print(f"weights: {facts['weights']}; omitted: {', '.join(facts['omitted']) or 'nothing'}")
    print(f"C = {facts['channels']}, {parameters} parameters; trace and eager differ by {worst:.1e} at most")


if __name__ == "__main__":
    cli.run(main)
