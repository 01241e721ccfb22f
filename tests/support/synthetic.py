"""Small trees and checkpoints that tests make for themselves."""

from __future__ import annotations

import zipfile

import numpy as np
import soundfile
import torch

from asv import files
from asv.features import manifest
from asv.features.manifest import Utterance
from asv.network import onnx_export
from asv.network.ecapa_tdnn import EcapaTdnn, EmbeddingOnly

CONFIG = """
dataset: {root: wavs, trials: [trials.txt]}
checkpoint: {archive: checkpoint.zip}
"""


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


def make_project(workflow, config=CONFIG, speakers=4, sessions=2):
    """Give a workflow's folder a data set, a trial list, a checkpoint and their configuration; returns the workflow.

    The configuration, which may be another one of the same files, names them as :data:`CONFIG` does. Four speakers are
    all in the first of two shards, five are in both.
    """
    write_trials(workflow.folder / "trials.txt", write_tree(workflow.folder / "wavs", speakers, sessions))
    write_checkpoint(workflow.folder / "checkpoint.zip")
    workflow.configure(config)
    return workflow


def write_traced(path, channels=16, speakers=4, seed=0):
    """A small seeded network, traced at batch size 1, for float32 ``(n, 80, 200)``."""
    torch.manual_seed(seed)
    network = EcapaTdnn(channels=channels, speakers=speakers).eval()
    with torch.no_grad():
        torch.jit.trace(EmbeddingOnly(network), torch.zeros(1, 80, 200)).save(str(path))


def write_exported(torchscript, frames=200):
    """The network of :func:`write_traced` as ONNX, beside it; returns its path. ``frames`` None: any number."""
    path = torchscript.with_name(f"{frames}.onnx")
    path.write_bytes(onnx_export.finished(onnx_export.exported(torchscript, 80, frames, 192, 13), {}))
    return path


def write_score_inputs(folder, names, embeddings, durations, training_speakers=4):
    """What score.py and write_answer.py read, of utterances in one shard.

    Returns:
        ``(score, answer)``: arguments of both, with outputs in the same folder.
    """
    rows = [Utterance(name, *name.split("/")[:2], name, float(s), 16000, 1) for name, s in zip(names, durations)]
    manifest.write_utterances(folder / "manifest.tsv", rows)
    manifest.write_rejected(folder / "rejected.tsv", [])
    np.save(folder / "embeddings.npy", embeddings)
    engine = {"engine": "none", "versions": {}, "requested_precision": "f32", "precision": "f32", "code": "0"}
    engine |= {"precision_from": "engine", "threads": 1, "batch_size": 4, "utterances": len(names), "averaging": "unit"}
    network = {"checkpoint_sha256": "0", "channels": 8, "speakers": training_speakers, "step": 7, "parameters": 1}
    network |= {"weights": "model_state_dict", "omitted": ["optimizer_state_dict"]}
    network |= {"family": "modelzoo", "embedding": 192, "training_set": None}
    features = {"sample_rate": 16000, "hop_length": 160, "n_mels": 80, "shape": [80, 200], "contract": "0", "crops": 1}
    contents = {
        "sidecar": engine,
        "features": features | {"seed": 0, "placement": "digest", "code": "0"},
        "artefact": {"options": {}, "code": "0"},
        "network": network | {"code": "0"},
        "fit": {"verdict": "untrained", "distance": None, "better": None, "better_distance": None, "utterances": 1},
    }
    for name, content in contents.items():
        files.write_json(folder / f"{name}.json", content)
    tables = [part for name in ("manifest", "rejected") for part in (f"--{name}", folder / f"{name}.tsv")]
    score = [*tables, "--features", folder / "features.json", "--embeddings", folder / "embeddings.npy"]
    score += ["--output", folder / "protocols.json", "--scores", folder / "scores"]
    answer = [part for name in contents for part in (f"--{name}", folder / f"{name}.json")]
    answer += ["--protocols", folder / "protocols.json", "--text", folder / "eer.txt", "--json", folder / "eer.json"]
    answer += ["--source", "mine.pt", "--root", "wavs"]
    return score, answer
