"""Small trees and checkpoints that tests make for themselves."""

from __future__ import annotations

import zipfile

import numpy as np
import soundfile
import torch

from asv.network import EcapaTdnn


def write_voice(path, pitch, seconds=2.5, seed=0):
    """A seeded, buzzing "utterance": harmonics of a pitch (Hz) in noise, 16-bit 16 kHz wav."""
    random = np.random.default_rng(seed)
    time = np.arange(int(16000 * seconds)) / 16000
    harmonics = sum(np.sin(2 * np.pi * pitch * k * time + random.uniform(0, 6)) / k for k in range(1, 20))
    signal = 0.1 * harmonics + 0.02 * random.standard_normal(len(time))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, signal.clip(-1, 1), 16000, subtype="PCM_16")


def write_tree(root, speakers=4, sessions=2, utterances=2):
    """A VoxCeleb1 tree of voices; returns the utterance ids."""
    names = []
    for speaker in range(speakers):
        for session in range(sessions):
            for utterance in range(utterances):
                name = f"id{speaker}/s{session}/{utterance:05}.wav"
                write_voice(root / name, 90 + 40 * speaker, seed=len(names))
                names.append(name)
    return names


def write_trials(path, names):
    """All pairs of utterances from different sessions as a VoxCeleb list."""
    pairs = [(a, b) for a in names for b in names if a < b and a.rsplit("/", 1)[0] != b.rsplit("/", 1)[0]]
    path.write_text("".join(f"{int(a.split('/')[0] == b.split('/')[0])} {a} {b}\n" for a, b in pairs))


def write_checkpoint(path, channels=8, speakers=4, seed=0):
    """An untrained, seeded checkpoint in a zip, as the real one."""
    torch.manual_seed(seed)
    content = {"step": 7, "model_state_dict": EcapaTdnn(channels, speakers).state_dict(), "optimizer_state_dict": {}}
    with zipfile.ZipFile(path, "w") as archive, archive.open("checkpoint/checkpoint.pt", "w") as stream:
        torch.save(content, stream)
