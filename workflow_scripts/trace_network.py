"""Trace the checkpoint's network to TorchScript, and check the trace against eager PyTorch before writing it.

The graph takes float32 (batch, 80, frames), any batch size, and returns the embedding (batch, 192), L2-normalised;
with --outputs embedding attention it returns the nesting (embedding, (attention,)), attention (batch, frames, 3 C).
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from asv import cli, code, files
from asv.errors import InputError
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import MELS, EmbeddingOnly

TOLERANCE = 1e-5  # absolute, on unit-length embeddings in float32


def check_trace(traced, module, frames):
    """Compare trace and eager module at a batch size other than the traced one; raise InputError if they differ."""
    probe = torch.randn((3, MELS, frames), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pairs = zip(_flat(traced(probe)), _flat(module(probe)))
        worst = max(float((a - b).abs().max()) for a, b in pairs)
    if not worst <= TOLERANCE:  # catches NaN, too
        raise InputError(f"the trace differs from eager PyTorch by {worst:g} (at most {TOLERANCE:g}); not written")
    return worst


def _flat(output):
    return [output] if torch.is_tensor(output) else [tensor for part in output for tensor in _flat(part)]


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint.pt")
    parser.add_argument("--output", type=Path, required=True, help="TorchScript, .pt")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: where the graph comes from")
    parser.add_argument("--outputs", nargs="+", choices=("embedding", "attention"), default=["embedding"])
    parser.add_argument("--frames", type=int, default=200, help="frames of a crop")
    parser.add_argument("--source", help="what messages call the checkpoint, where that is not its path")
    parser.add_argument("--weights", help="which of several places of weights in the checkpoint; messages list them")
    options = parser.parse_args()
    if options.outputs not in (["embedding"], ["embedding", "attention"]):
        raise InputError("--outputs: 'embedding', or 'embedding attention'")
    network, facts = load_network(options.checkpoint, options.source, options.weights)
    module = network if "attention" in options.outputs else EmbeddingOnly(network)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit: TorchScript is what the engines read
        traced = torch.jit.trace(module, torch.zeros(1, MELS, options.frames))
    worst = check_trace(traced, module, options.frames)
    with files.atomic_file(options.output) as temporary:
        traced.save(str(temporary))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, MELS, options.frames))
    parameters = sum(p.numel() for n, p in network.named_parameters() if not n.startswith("speaker_embedding"))
    sidecar = {
        "checkpoint_sha256": files.digest(options.checkpoint),
        **facts,
        "parameters": parameters,
        "gflop": counter.get_total_flops() / 1e9,  # of a crop: two for each multiply-accumulate
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
