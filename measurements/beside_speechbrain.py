"""SpeechBrain's own classes and this workflow's stages, with one network over the same utterances, in turns.

    python measurements/beside_speechbrain.py --folder ../shared/speech/fsdd16k

Whole utterances through SpeechBrain's ECAPA-TDNN of the real size, with seeded random weights: Fbank,
InputNormalization, ECAPA_TDNN and CosineSimilarity, one utterance at a time as its verification does, and eight at a
time with their relative lengths; against the functions that extract_features, compile_engine, infer and score call, on
OpenVINO. Both have the same threads. Where others load the machine, compare processor time with --threads 1: threads
that wait for each other lose most. Samples are in memory, networks are loaded: neither is timed. Scores in float32
must be equal to 1e-4. The exit code is 77 where SpeechBrain is not installed (requirements-peers.txt). Keep the machine
otherwise idle.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch
from shared import THREADS, describe_machine, labels, table

from asv import cli, engines
from asv.engine_interface import Job
from asv.features import front_ends
from asv.features.npy import WholeUtterances
from asv.inference import artefact
from asv.inference.embed import embed
from asv.network import families
from asv.network.checkpoint import load_network
from asv.network.trace import trace
from asv.scoring.cosine import cosine_scores
from asv.torchaudio_loader import load_torchaudio

RATE = 16000
PAIRS = 1000
SKIPPED = 77
TOLERANCE = 1e-4  # of scores in float32
BATCH = 8
ONE_BY_ONE, TOGETHER = "SpeechBrain, one by one", f"SpeechBrain, {BATCH} at a time"


def arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--channels", type=cli.positive, default=1024, help="C; SpeechBrain publishes 1024")
    parser.add_argument("--folder", type=Path, help="with wav files of 16 kHz; noise unless given")
    parser.add_argument("--utterances", type=cli.positive, default=200)
    parser.add_argument("--seconds", type=float, default=5.0, help="of an utterance, on average")
    parser.add_argument("--rounds", type=cli.positive, default=3, help="turns of each; medians are shown")
    parser.add_argument("--threads", type=cli.positive, default=THREADS)
    return parser.parse_args()


def make_utterances(folder, count, seconds):
    """Samples of so many utterances, and what they are. Lengths are spread evenly from 0.6 to 1.4 times ``seconds``."""
    draw = np.random.default_rng(0)
    lengths = (draw.uniform(0.6, 1.4, count) * seconds * RATE).astype(int)
    if folder is None:
        return [0.1 * draw.standard_normal(length).astype(np.float32) for length in lengths], "noise"
    files = sorted(folder.rglob("*.wav"))
    if not files:
        sys.exit(f"error: no wav files in {folder}")
    samples, utterances = [], []
    for path in files:
        found, rate = soundfile.read(path, dtype="float32")
        if rate != RATE or found.ndim != 1:
            sys.exit(f"error: {path}: {RATE} Hz and one channel are needed")
        samples.append(found)
    for first, length in enumerate(lengths):  # file n and those after it, as many as it takes
        parts, held = [], 0
        while held < length:
            parts.append(samples[(first + len(parts)) % len(files)])
            held += len(parts[-1])
        utterances.append(np.concatenate(parts)[:length])
    return utterances, f"{len(files)} files of {folder.name}, each with the next ones until it is long enough"


class Watch:
    """Wall and processor seconds of the parts of one turn."""

    def __init__(self):
        self.wall, self.cpu = {}, 0.0

    @contextlib.contextmanager
    def part(self, name):
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


class Theirs:
    """SpeechBrain's classes, put together as its ``SpeakerRecognition`` does."""

    def __init__(self, channels):
        load_torchaudio()  # before speechbrain imports it
        from speechbrain.lobes.features import Fbank
        from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
        from speechbrain.processing.features import InputNormalization

        torch.manual_seed(0)
        self.features, self.norm = Fbank(n_mels=80), InputNormalization(norm_type="sentence", std_norm=False)
        self.network = ECAPA_TDNN(80, channels=[channels] * 4 + [3 * channels], lin_neurons=192).eval()
        for module in self.network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):  # as if trained: else it would do nothing
                module.running_mean.normal_(0, 0.1)
                module.running_var.copy_(torch.exp(0.1 * torch.randn(module.num_features)))
        self.similarity = torch.nn.CosineSimilarity(dim=-1, eps=1e-6)

    @torch.inference_mode()
    def scores(self, size, utterances, pairs, watch):
        embeddings = []
        for start in range(0, len(utterances), size):
            with watch.part("features"):
                chosen = [torch.from_numpy(samples) for samples in utterances[start : start + size]]
                samples = torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True)
                lengths = torch.tensor([len(one) / samples.shape[1] for one in chosen])
                features = self.norm(self.features(samples), lengths)
            with watch.part("network"):
                embeddings.extend(self.network(features, lengths))
        with watch.part("scoring"):
            return np.array([float(self.similarity(embeddings[one], embeddings[two])) for one, two in pairs.T])


class Ours:
    """The workflow's stages on OpenVINO, with the network of a file that SpeechBrain has saved."""

    def __init__(self, folder, checkpoint, label, threads):
        family = families.module("speechbrain")
        self.front_end, self.threads = front_ends.make(family.CONTRACT), threads
        name, precision = engines.parse(label)
        self.job = Job(1, (family.CONTRACT.n_mels, None), precision, threads)
        self.folder, torchscript = folder / label, folder / "network.pt"
        self.folder.mkdir()
        trace(load_network(checkpoint, "speechbrain")[0], (family.CONTRACT.n_mels, 200)).save(str(torchscript))
        self.record, _ = artefact.compile_checked(torchscript, self.folder, name, self.job, "")

    def scores(self, utterances, pairs, watch):
        with contextlib.closing(artefact.load_fastest(self.folder, self.record, self.job)) as session:
            with watch.part("features"), ThreadPoolExecutor(self.threads) as pool:  # the workflow: shards side by side
                features = list(pool.map(self.front_end.whole, utterances))
                lengths = np.array([one.shape[1] for one in features])
                rows = WholeUtterances(np.concatenate([one.T for one in features]), lengths)
            with watch.part("network"):
                embeddings, _ = embed(session, rows, 1)
            with watch.part("scoring"):
                return cosine_scores(embeddings, *pairs)


def measure(methods, utterances, pairs, rounds):
    """Every method in turns: ``(watches by name, scores by name)``."""
    watches, scores = {name: [] for name in methods}, {}
    for method in methods.values():  # what is made at the first call
        method(utterances[:BATCH], np.zeros((2, 1), int), Watch())
    for _ in range(rounds):
        for name, method in methods.items():
            watch = Watch()
            scores[name] = method(utterances, pairs, watch)
            watches[name].append(watch)
    return watches, scores


def rows_of(watches, scores, utterances):
    """A row per method; ratios are to SpeechBrain's of the same turn."""
    count, rows = len(utterances), []
    totals = {name: np.array([sum(watch.wall.values()) for watch in found]) for name, found in watches.items()}
    cpu = {name: median(watch.cpu for watch in found) for name, found in watches.items()}
    for name, found in watches.items():
        parts = {part: median(watch.wall[part] for watch in found) for part in ("features", "network", "scoring")}
        ratios = [totals[peer] / totals[name] for peer in (ONE_BY_ONE, TOGETHER)]
        rows.append(
            (
                name,
                f"{1e3 * parts['features'] / count:.2f}",
                f"{1e3 * parts['network'] / count:.1f}",
                f"{1e6 * parts['scoring'] / PAIRS:.1f}",
                f"{1e3 * cpu[name] / count:.1f}",
                f"{count / np.median(totals[name]):.1f}",
                *(f"{np.median(ratio):.2f}" for ratio in ratios),
                f"{min(ratios[0]):.2f} to {max(ratios[0]):.2f}",
                f"{cpu[ONE_BY_ONE] / cpu[name]:.2f}",
                f"{np.abs(scores[name] - scores[ONE_BY_ONE]).max():.1e}",
            )
        )
    return rows


HEADER = (
    "whole utterances, end to end",
    "features, ms per utterance",
    "network, ms per utterance",
    "scoring, µs per pair",
    "processor, ms per utterance",
    "utterances/s",
    "times one by one",
    f"times {BATCH} at a time",
    "one by one, range of the turns",
    "times one by one, processor time",
    "largest difference of scores",
)


def main():
    options = arguments()
    if importlib.util.find_spec("speechbrain") is None:
        print("skipped: speechbrain is not installed: python -m pip install --no-deps -r requirements-peers.txt")
        sys.exit(SKIPPED)
    utterances, what = make_utterances(options.folder, options.utterances, options.seconds)
    pairs = np.random.default_rng(1).integers(0, len(utterances), (2, PAIRS))
    torch.set_num_threads(options.threads)
    theirs = Theirs(options.channels)
    describe_machine()
    with tempfile.TemporaryDirectory() as place:
        checkpoint = Path(place) / "embedding_model.ckpt"
        torch.save(theirs.network.state_dict(), checkpoint)
        methods = {
            ONE_BY_ONE: partial(theirs.scores, 1),
            TOGETHER: partial(theirs.scores, BATCH),
        }
        for label in labels():
            if label.startswith("openvino"):
                methods[label] = Ours(Path(place), checkpoint, label, options.threads).scores
        before = os.getloadavg()[0]
        watches, scores = measure(methods, utterances, pairs, options.rounds)
    seconds = np.array([len(samples) for samples in utterances]) / RATE
    spread = f"{seconds.min():.1f} to {seconds.max():.1f} s, {seconds.mean():.2f} s on average"
    frames = len({len(samples) // 160 for samples in utterances})
    print(f"SpeechBrain {metadata.version('speechbrain')}, C = {options.channels}, random weights;")
    print(f"{len(utterances)} utterances of {spread}, {frames} lengths in frames ({what});")
    print(f"{PAIRS} pairs; threads: {options.threads}; turns of each: {options.rounds}, medians are shown;")
    print(
        f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after (what is measured has {options.threads}).\n"
    )
    table(HEADER, rows_of(watches, scores, utterances))
    worst = np.abs(scores["openvino-f32"] - scores[ONE_BY_ONE]).max()
    if not worst <= TOLERANCE:  # catches NaN, too
        sys.exit(f"error: scores in float32 differ by {worst:.1e}, more than {TOLERANCE}")


if __name__ == "__main__":
    cli.run(main)
