"""Training of the demo's network, on voices that are spoken in memory; none of them is among the evaluation voices."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from .. import files
from ..features.contract import Contract
from ..features.torchaudio_mel import LogMel, to_network_input
from ..network.ecapa_tdnn import EcapaTdnn
from ..progress import progress
from . import corpus

SEED = 1
FRAMES = 200  # of a crop
BATCH = 32
LEARNING_RATE = 4e-3
MARGIN, SCALE = 0.2, 20.0  # of the additive-margin softmax (Wang et al., 2018, arXiv:1801.05599)


def training_features() -> tuple[list[torch.Tensor], torch.Tensor]:
    """Network input of the training utterances.

    Returns:
        ``(mels, labels)``: a list of float32 ``(80, frames)``, at least FRAMES each, and int64 ``(utterances,)``.
    """
    speakers = list(corpus.TRAINING)
    utterances = corpus.utterances(speakers, corpus.TRAINING_SESSIONS)
    log_mel = LogMel(Contract())
    mels = []
    for utterance in progress(utterances, "training voices", "utterance"):
        samples = torch.from_numpy(corpus.speak(utterance)).float() / (1 << 15)
        mels.append(to_network_input(log_mel(samples)))
    return mels, torch.tensor([speakers.index(utterance.speaker) for utterance in utterances])


def train(network: EcapaTdnn, mels: Sequence[torch.Tensor], labels: torch.Tensor, steps: int) -> torch.optim.Optimizer:
    """Train in place: random crops, additive-margin softmax, Adam with one cycle of the learning rate.

    Args:
        network: :class:`EcapaTdnn`; its weights change.
        mels, labels: as of :func:`training_features`, at least BATCH utterances.
        steps: of BATCH crops each.

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


def make(channels: int, steps: int) -> tuple[EcapaTdnn, torch.optim.Optimizer]:
    """The demo's network of width ``channels``, and its optimizer.

    Args:
        channels: width of the network.
        steps: of training; with 0 the weights stay as they were drawn.
    """
    torch.manual_seed(SEED)
    network = EcapaTdnn(channels, len(corpus.TRAINING))
    if steps == 0:
        return network, torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    return network, train(network, *training_features(), steps)


def write_archive(path: files.PathLike, network: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write ``checkpoint/checkpoint.pt`` in a zip archive; equal weights give equal bytes."""
    # The running averages of Adam would make the file three times as large, and nothing here goes on training.
    optimizer_state = {**optimizer.state_dict(), "state": {}}
    content = {"step": step, "model_state_dict": network.state_dict(), "optimizer_state_dict": optimizer_state}
    buffer = io.BytesIO()  # a file's name would be stored inside
    torch.save(content, buffer)
    entry = zipfile.ZipInfo("checkpoint/checkpoint.pt", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    with files.atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(entry, buffer.getbuffer())  # stored: weights hardly compress
