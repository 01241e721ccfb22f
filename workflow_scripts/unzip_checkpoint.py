"""Take the checkpoint out of its archive, safely.

The archive is a zip or tar with one checkpoint in it (a file of torch.save, or safetensors; for a family of brought
graphs an ONNX model or a TorchScript program), or such a file itself, whatever its name. Entries with paths that lead
outside, links, decompression bombs and damaged entries are refused.
"""

from pathlib import Path

from asv import cli, files
from asv.network import file_kinds
from asv.network.archive import check_digest, extract_checkpoint


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="checkpoint.zip, or a bare checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint.pt")
    parser.add_argument("--sha256", help="refuse the archive unless this is its digest")
    parser.add_argument("--source", help="what messages call the archive, where that is not its path")
    parser.add_argument("--family", default="", help="of networks; onnx and torchscript take a graph, others weights")
    options = parser.parse_args()
    if options.sha256:
        check_digest(options.archive, options.sha256, options.source)
    with files.atomic_file(options.output) as temporary:
        extract_checkpoint(options.archive, temporary, options.source, file_kinds.read_by(options.family))


if __name__ == "__main__":
    cli.run(main)
