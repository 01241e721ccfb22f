"""Generated data of any size, for benchmarks: trees of wavs, trial lists, what score.py reads."""

from __future__ import annotations

import os

import numpy as np
import shared  # noqa: F401 - puts asv on the path
import soundfile

from asv import files
from asv.features import manifest
from asv.scoring import metrics, tables

UTTERANCES = 120  # of a speaker
SESSION = 6  # utterances
SECONDS = 8.2  # of an utterance, VoxCeleb1's average
VOICES = 100  # different wavs; the others are links to them, so that a tree needs little disk
BLOCK = 1 << 16  # trials at a time


def utterance_names(speakers, utterances=UTTERANCES):
    """Ids of utterances, speaker by speaker, each speaker's in sessions of :data:`SESSION`."""
    return [f"id{s:05}/v{u // SESSION:04}/{u:05}.wav" for s in range(speakers) for u in range(utterances)]


def write_wav(path, seed, seconds=SECONDS):
    """Noise, 16-bit 16 kHz: features and networks take as long over it as over speech."""
    random = np.random.default_rng(seed)
    soundfile.write(path, 0.05 * random.standard_normal(int(16000 * seconds)), 16000, subtype="PCM_16")


def wav_tree(root, names, seconds=SECONDS):
    """A data set in VoxCeleb1's layout."""
    pool = root.parent / f"{root.name}_pool"
    pool.mkdir(exist_ok=True)
    voices = [pool / f"{voice}.wav" for voice in range(VOICES)]
    for seed, voice in enumerate(voices):
        if not voice.exists():
            write_wav(voice, seed, seconds)
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(voices[number % VOICES], path)


def trial_list(path, names, trials, utterances=UTTERANCES):
    """A list of as many trials, half of them of one speaker; every speaker has so many utterances."""
    random = np.random.default_rng(0)
    with path.open("w") as stream:
        for start in range(0, trials, BLOCK):
            count = min(BLOCK, trials - start)
            first = random.integers(len(names), size=count)
            target = np.arange(count) % 2 == 0
            same = first // utterances * utterances + random.integers(utterances, size=count)
            other = (first + utterances * random.integers(1, len(names) // utterances, size=count)) % len(names)
            rows = zip(target.tolist(), first.tolist(), np.where(target, same, other).tolist())
            stream.writelines(f"{int(t)} {names[a]} {names[b]}\n" for t, a, b in rows)


def scoring_inputs(folder, speakers, utterances, trials, shards=1):
    """What score.py reads: embeddings around their speakers' means, a trial list, a cohort of all speakers.

    Returns:
        score.py's arguments.
    """
    random = np.random.default_rng(0)
    names = utterance_names(speakers, utterances)
    shards = [part for part in np.array_split(np.arange(speakers), shards) if len(part)]
    for index, part in enumerate(shards):
        means = np.repeat(random.standard_normal((len(part), 192), np.float32), utterances, axis=0)
        np.save(folder / f"e{index}.npy", means + 3 * random.standard_normal(means.shape, np.float32))
        own = names[part[0] * utterances : (part[-1] + 1) * utterances]
        manifest.write_utterances(
            folder / f"m{index}.tsv", (manifest.Utterance(n, *n.split("/")[:2], n, 8.0, 16000, 1) for n in own)
        )
    manifest.write_rejected(folder / "r.tsv", [])
    trial_list(folder / "list.txt", names, trials, utterances)
    (folder / "cohort.txt").write_text("\n".join(names[::10]))
    files.write_json(folder / "features.json", {"sample_rate": 16000})
    of_shards = {"embeddings": "e{}.npy", "manifest": "m{}.tsv"}
    return [
        *("--features", folder / "features.json"),
        *(p for n, f in of_shards.items() for p in (f"--{n}", *(folder / f.format(i) for i in range(len(shards))))),
        *("--rejected", folder / "r.tsv", "--trials", folder / "list.txt", "--scores", folder / "scores"),
        *("--output", folder / "protocols.json"),
    ]


def comparison_inputs(folder, speakers, utterances, trials, shards=1):
    """What compare_engine.py and plot_scores.py read: embeddings and scores of two engines, nearly the same.

    Returns:
        ``(compare, plot)``: arguments of both.
    """
    random = np.random.default_rng(0)
    names = utterance_names(speakers, utterances)
    parts = [part for part in np.array_split(np.arange(len(names)), shards) if len(part)]
    for index, part in enumerate(parts):
        rows = (manifest.Utterance(names[i], *names[i].split("/")[:2], names[i], 8.0, 16000, 1) for i in part)
        manifest.write_utterances(folder / f"m{index}.tsv", rows)
        embeddings = random.standard_normal((len(part), 192), np.float32)
        np.save(folder / f"r{index}.npy", embeddings)
        np.save(folder / f"e{index}.npy", embeddings + 1e-6)
    targets = np.arange(trials) % 2 == 0
    first = random.integers(len(names), size=trials)
    second = np.where(targets, first // utterances * utterances, random.integers(len(names), size=trials))
    scores = random.normal(np.where(targets, 0.6, 0.1), 0.12)
    for engine, noise in (("reference", 0), ("ours", 1e-6)):
        table = folder / engine / "list.tsv"
        tables.write(table, names, first, second, targets, scores + noise * random.standard_normal(trials))
    result = {"dataset": {"demo": False}, "network": {"demo": None}, "scoring": {"as_norm": None}}
    result["engine"] = {"name": "none", "precision": "f32", "batch_size": 1}
    result["protocols"] = {"list": metrics.summary(scores, targets)}
    files.write_json(folder / "result.json", result)
    of_shards = {"embeddings": "e{}.npy", "reference": "r{}.npy", "manifest": "m{}.tsv"}
    compare = [p for n, f in of_shards.items() for p in (f"--{n}", *(folder / f.format(i) for i in range(len(parts))))]
    compare += ["--scores", folder / "ours", "--reference-scores", folder / "reference"]
    compare += ["--table", folder / "agreement.tsv", "--output", folder / "agreement.json"]
    plot = ["--scores", folder / "ours", "--result", folder / "result.json"]
    plot += ["--det-output", folder / "det.svg", "--histogram-output", folder / "histogram.svg"]
    return compare, plot
