"""Trace the checkpoint's network to TorchScript, and check the trace against eager PyTorch before writing it.

The graph takes float32 (batch, bands, frames), any batch size, and returns the embedding as the network's family gives
it: (batch, 192) of unit length for modelzoo, of any length for others. With --outputs embedding attention, which only
modelzoo has, it returns the nesting (embedding, (attention,)), attention (batch, frames, 3 C).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from asv import cli, code, engines, files
from asv.errors import InputError
from asv.inference import reference_outputs
from asv.network import families, first_norm
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EmbeddingOnly
from asv.network.trace import check_trace, count_parameters, gflop, trace

TRACED_FRAMES = 200  # of whole utterances: the graph takes any number


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint.pt")
    parser.add_argument("--output", type=Path, required=True, help="TorchScript, .pt")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: where the graph comes from")
    parser.add_argument("--norm", type=Path, required=True, help="first batch norm and what lies before it, .npz")
    parser.add_argument("--reference", type=Path, required=True, help="noise, and what the network makes of it, .npz")
    parser.add_argument("--family", default=families.DEFAULT, help="of networks; unless told, %(default)s")
    parser.add_argument("--outputs", nargs="+", choices=("embedding", "attention"), default=["embedding"])
    parser.add_argument("--n-mels", type=cli.positive, help="bands of the features, which the network must take")
    parser.add_argument("--frames", type=cli.size, default=200, help="frames of a crop, or whole")
    parser.add_argument("--source", help="what messages call the checkpoint, where that is not its path")
    parser.add_argument("--weights", help="which of several places of weights in the checkpoint; messages list them")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.outputs not in (["embedding"], ["embedding", "attention"]):
        raise InputError("--outputs: 'embedding', or 'embedding attention'")
    has_attention = families.module(options.family).OUTPUT.attention
    if "attention" in options.outputs and not has_attention:
        words = f"the family {options.family} gives no attention; set network.outputs: [embedding]"
        raise InputError(f"network.outputs: {words}")
    network, facts = load_network(options.checkpoint, options.family, options.source, options.weights)
    if options.n_mels not in (None, facts["n_mels"]):
        raise InputError(
            f"features.n_mels: the network of {options.source or options.checkpoint} takes {facts['n_mels']} mel bands "
            f"and its features have {options.n_mels}; set features.n_mels: {facts['n_mels']}"
        )
    module = EmbeddingOnly(network) if has_attention and options.outputs == ["embedding"] else network
    shape = (facts["n_mels"], options.frames or TRACED_FRAMES)
    traced = trace(module, shape)
    worst = check_trace(traced, module, shape)
    with files.atomic_file(options.output) as temporary:
        traced.save(str(temporary))
    with files.atomic_file(options.norm) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **first_norm.arrays(*families.module(options.family).first_norm(network)))
    pairs = reference_outputs.compute(options.output, (facts["n_mels"], options.frames))
    reference_outputs.write(options.reference, pairs)
    reference, _ = engines.parse(engines.reference(options.output.suffix))
    parameters = count_parameters(network)
    sidecar = {
        "checkpoint_sha256": files.digest(options.checkpoint),
        **facts,
        "parameters": parameters,
        "gflop": gflop(module, shape),
        "input": shape,
        "outputs": options.outputs,
        "torch": torch.__version__,
        "code": code.digest(__file__, families.source(options.family), engines.source(reference)),
    }
    files.write_json(options.sidecar, sidecar)
    print(f"weights: {facts['weights']}; omitted: {', '.join(facts['omitted']) or 'nothing'}")
    words = f"{options.family}, C = {facts['channels']}, {parameters} parameters"
    print(f"{words}; trace and eager differ by {worst:.1e} at most")


if __name__ == "__main__":
    cli.run(main)
