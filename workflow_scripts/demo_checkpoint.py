"""Make a checkpoint for the demo, zipped as the real one is: checkpoint/checkpoint.pt in a zip archive.

By default a small network is trained on the demo's training voices, which are spoken in memory; none of them is among
the evaluation voices. This takes a minute or two, and made the demo/checkpoint.zip of the repository. The
result is the same each time on one machine; another machine's rounding gives slightly other weights.

With --untrained, weights are drawn at random and left so: at --channels 512 a network of the real one's size, for
honest timing without the real weights. Its accuracy means nothing.

The voices are spoken by eSpeak NG (GPLv3; python -m pip install espeakng-loader), which only training needs.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from asv import cli, files
from asv.demo import corpus
from asv.features.mel import LogMel, MelSettings, to_network_input
from asv.network.ecapa_tdnn import EcapaTdnn
from asv.progress import progress

SEED = 1
FRAMES = 200  # of a crop
BATCH = 32
LEARNING_RATE = 4e-3
MARGIN, SCALE = 0.2, 20.0  # of the additive-margin softmax (Wang et al., 2018, arXiv:1801.05599)


def training_features():
    """Network input of the training utterances.

    Returns:
        ``(mels, labels)``: a list of float32 ``(80, frames)``, at least FRAMES each, and int64 ``(utterances,)``.
    """
    speakers = list(corpus.TRAINING)
    utterances = corpus.utterances(speakers, corpus.TRAINING_SESSIONS)
    log_mel = LogMel(MelSettings())
    mels = []
    for utterance in progress(utterances, "training voices", "utterance"):
        samples = torch.from_numpy(corpus.speak(utterance)).float() / (1 << 15)
        mels.append(to_network_input(log_mel(samples)))
    return mels, torch.tensor([speakers.index(utterance.speaker) for utterance in utterances])


def train(network, mels, labels, steps):
    """Train in place: random crops, additive-margin softmax, Adam with one cycle of the learning rate.

    Returns:
        The optimizer.
    """
    network.speaker_embedding.weight_g.requires_grad_(False)  # rows of length 1: the logits are cosines
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    draw = np.random.default_rng(SEED)
    network.train()
    for _ in progress(range(steps), "training", "step"):
        chosen = draw.choice(len(mels), BATCH, replace=False)
        starts = [draw.integers(mels[index].shape[1] - FRAMES + 1) for index in chosen]
        crops = torch.stack([mels[index][:, start : start + FRAMES] for index, start in zip(chosen, starts)])
        embedding, _ = network(crops)
        target = labels[chosen]
        cosine = network.speaker_embedding(embedding)
        logits = SCALE * (cosine - MARGIN * functional.one_hot(target, cosine.shape[1]))
        loss = functional.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"loss of the last step: {loss.item():.3f}")
    return optimizer


def write_archive(path, network, optimizer, step):
    """Write the zip archive; equal weights give equal bytes."""
    # The running averages of Adam would make the file three times as large, and nothing here goes on training.
    optimizer_state = {**optimizer.state_dict(), "state": {}}
    content = {"step": step, "model_state_dict": network.state_dict(), "optimizer_state_dict": optimizer_state}
    buffer = io.BytesIO()  # a file's name would be stored inside
    torch.save(content, buffer)
    entry = zipfile.ZipInfo("checkpoint/checkpoint.pt", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    with files.atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(entry, buffer.getbuffer())  # stored: weights hardly compress


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="checkpoint.zip")
    parser.add_argument("--channels", type=cli.positive, default=24, help="C, the width of the network")
    parser.add_argument("--untrained", action="store_true", help="random weights, no training")
    parser.add_argument("--steps", type=cli.positive, default=300, help="training steps, of 32 crops each")
    parser.add_argument("--threads", type=cli.positive, default=2, help="CPU threads of the training")
    options = parser.parse_args()
    torch.set_num_threads(cli.usable_threads(options.threads))
    torch.manual_seed(SEED)
    network = EcapaTdnn(options.channels, len(corpus.TRAINING))
    if options.untrained:
        optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    else:
        optimizer = train(network, *training_features(), options.steps)
    write_archive(options.output, network, optimizer, 0 if options.untrained else options.steps)


if __name__ == "__main__":
    cli.run(main)
