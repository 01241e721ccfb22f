"""Make the workflow's network of a graph that the user brings: an ONNX model, or a TorchScript program.

The graph that is written takes float32 (batch, mels, frames), and gives the embedding (batch, numbers). Which input and
output of the user's are meant, and how its input is laid out, is recognised, or said by options. A TorchScript program
is executed; an ONNX model is data.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files
from asv.features.contract import Contract
from asv.inference import reference_outputs
from asv.network.brought import onnx_graph


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="ONNX model or TorchScript program")
    parser.add_argument("--family", choices=("onnx", "torchscript"), required=True, help="which of both it is")
    parser.add_argument("--output", type=Path, required=True, help="the network: .onnx, or TorchScript, .pt")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: where the graph comes from")
    parser.add_argument("--norm", type=Path, required=True, help="first batch norm and what lies before it, .npz")
    parser.add_argument("--reference", type=Path, required=True, help="noise, and what the network makes of it, .npz")
    parser.add_argument("--contract", type=Contract.from_json, required=True, help="JSON: of its features")
    parser.add_argument("--contract-from", default="--contract", help="what messages and answer call the contract")
    parser.add_argument("--frames", type=cli.size, default=200, help="frames of a crop, or whole")
    parser.add_argument("--graph-input", help="name of the input for features; the only one that fits")
    parser.add_argument("--graph-output", help="name or place of the embedding; the only one that fits")
    parser.add_argument("--layout", choices=("mels_frames", "frames_mels"), help="of the input; as it tells")
    parser.add_argument("--source", help="what messages call the graph, where that is not its path")
    return parser.parse_args()


def bring_onnx(options, wanted, source):
    """Write the ONNX network; returns its first norm and facts."""
    brought = onnx_graph.bring(options.checkpoint, options.contract, options.contract_from, wanted, source)
    with files.atomic_file(options.output) as temporary:
        temporary.write_bytes(brought.content)
    return brought.norm, brought.facts


def bring_script(options, wanted, source):
    """Execute the program and write its trace; returns its first norm and facts."""
    from asv.network.brought import script

    print(f"WARNING: {source} {script.WARNING}", file=sys.stderr, flush=True)
    brought = script.bring(options.checkpoint, options.contract.n_mels, wanted, source)
    with files.atomic_file(options.output) as temporary:
        brought.traced.save(str(temporary))
    return brought.norm, brought.facts


def main():
    options = parse_arguments()
    source = options.source or options.checkpoint
    wanted = onnx_graph.Wanted(options.graph_input, options.graph_output, options.layout, options.frames)
    norm, facts = (bring_onnx if options.family == "onnx" else bring_script)(options, wanted, source)
    with files.atomic_file(options.norm) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **norm)
    shape = (options.contract.n_mels, options.frames)
    pairs = reference_outputs.compute(options.output, shape, facts.get("batch") or reference_outputs.ROWS)
    reference_outputs.write(options.reference, pairs)
    reference, _ = engines.parse(engines.reference(options.output.suffix))
    sidecar = {
        "family": options.family,
        "file": Path(source).name,
        "checkpoint_sha256": files.digest(options.checkpoint),
        "contract_from": options.contract_from,
        "channels": None,
        "n_mels": options.contract.n_mels,
        **facts,
        "weights": "those of the graph",
        "omitted": [],
        "step": None,
        "speakers": None,
        "training_set": None,
        "code": code.digest(__file__, engines.source(reference)),
    }
    files.write_json(options.sidecar, sidecar)
    shown = ("graph_input", "graph_output", "layout", "lengths")
    told = ", ".join(f"{name.replace('_', ' ')} {facts[name]}" for name in shown if facts.get(name))
    print(f"{options.family}: {told}; embeddings of {facts['embedding']}")


if __name__ == "__main__":
    cli.run(main)
