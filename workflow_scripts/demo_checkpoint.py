"""Make a checkpoint for the demo, zipped as the real one is: checkpoint/checkpoint.pt in a zip archive.

By default a small network is trained on the demo's training voices, which are spoken in memory; none of them is among
the evaluation voices. This takes a minute or two, and made the demo/checkpoint.zip of the repository. The
result is the same each time on one machine; another machine's rounding gives slightly other weights.

With --untrained, weights are drawn at random and left so: at --channels 512 a network of the real one's size, for
honest timing without the real weights. Its accuracy means nothing.

The voices are spoken by eSpeak NG (GPLv3; python -m pip install espeakng-loader), which only training needs.
"""

from __future__ import annotations

from pathlib import Path

import torch

from asv import cli
from asv.demo import training


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="checkpoint.zip")
    parser.add_argument("--channels", type=cli.positive, default=24, help="C, the width of the network")
    parser.add_argument("--untrained", action="store_true", help="random weights, no training")
    parser.add_argument("--steps", type=cli.positive, default=300, help="training steps, of 32 crops each")
    parser.add_argument("--threads", type=cli.positive, default=2, help="CPU threads of the training")
    options = parser.parse_args()
    torch.set_num_threads(cli.usable_threads(options.threads))
    steps = 0 if options.untrained else options.steps
    training.write_archive(options.output, *training.make(options.channels, steps), steps)


if __name__ == "__main__":
    cli.run(main)
