"""Measure the workflow on this machine; each part prints a Markdown table, ratios against a baseline of the same run.

  stages    wall time of every job of the main job on the demo, and what a job costs before its work begins
  mel       feature extraction against the reference method: float32 convolution STFT of the whole file
  engines   throughput at C = 512 against eager PyTorch
  repeat    how far the medians of repeated runs of the whole benchmark program lie apart
  precision how far bfloat16 moves embeddings and the EER, and how much batch sizes differ

Nothing is downloaded; all of it runs in a temporary folder. Keep the machine otherwise idle.
"""

from __future__ import annotations

import json
import time
from collections import deque
from functools import partial
from statistics import median

import numpy as np
import soundfile
import torch
from shared import SCRIPTS, SHAPE, THREADS, compile_engine, jobs, labels, main, make_torchscript, run, table, workflow

from asv import cli, engines, files, vectors
from asv.audio.reading import AudioRules
from asv.dataset.tree import AudioFile
from asv.demo import corpus
from asv.engine_interface import Job
from asv.features import front_ends
from asv.features.contract import Contract
from asv.features.crops import crop_starts
from asv.features.extraction import CropSettings, extract
from asv.features.torchaudio_mel import LogMel, to_network_input
from asv.inference.embed import embed
from asv.network.checkpoint import load_network
from asv.network.ecapa_tdnn import EmbeddingOnly
from asv.scoring import cosine, metrics


def stages(folder):
    total = workflow(folder, "--", "results/eer_bs4.txt")["seconds"]
    startup = {path.stem: median(run(path.name, "--help")[0] for _ in range(3)) for path in SCRIPTS.glob("*.py")}
    rows = [
        (rule, end - start, startup.get(rule, 0.0))
        for (rule, _), (start, end) in sorted(jobs(folder).items(), key=lambda item: item[1])
    ]
    table(("job", "wall time, s", "start-up alone (`--help`), s"), rows)
    again = workflow(folder, "--", "results/eer_bs4.txt")["seconds"]
    work, startup = (sum(row[column] for row in rows) for column in (1, 2))
    print(f"{len(rows)} jobs, {work:.1f} s in all; start-up {startup:.1f} s.")
    print(f"The whole command took {total:.1f} s, a second call {again:.1f} s.\n")


class ReferenceMel(torch.nn.Module):
    """Log-mel of whole files by a float32 convolution with a windowed Fourier basis, as the reference computes it."""

    def __init__(self, settings):
        super().__init__()
        time_steps = torch.arange(settings.n_fft, dtype=torch.float64)
        bins = torch.arange(settings.n_fft // 2 + 1, dtype=torch.float64)
        angle = 2 * torch.pi * bins[:, None] * time_steps / settings.n_fft
        window = torch.hann_window(settings.n_fft, dtype=torch.float64)
        self.basis = torch.cat((torch.cos(angle) * window, -torch.sin(angle) * window)).float()[:, None]
        self.filters = LogMel(settings).filters.T
        self.settings = settings

    def forward(self, samples):
        half = self.settings.n_fft // 2
        padded = torch.nn.functional.pad(samples[None, None], (half, half), mode="reflect")
        real, imaginary = torch.conv1d(padded, self.basis, stride=self.settings.hop_length)[0].chunk(2)
        return torch.log(torch.clamp(self.filters @ torch.sqrt(real**2 + imaginary**2), min=self.settings.floor))


def speak_corpus(folder):
    run("demo_corpus.py", "--output", folder / "wav", "--trials", folder / "trials.txt")
    return sorted((folder / "wav").rglob("*.wav"))


def mel(folder):
    settings, rules, crops = Contract(), AudioRules(), CropSettings(frames=200)
    ours, reference = front_ends.make(settings), ReferenceMel(settings)
    paths = speak_corpus(folder)
    listed = [AudioFile(str(path.parent), path.name, path.name, 0, 0) for path in paths]
    torch.set_num_threads(1)

    def by_reference(keep):
        for path in paths:
            whole = to_network_input(reference(torch.from_numpy(soundfile.read(path, dtype="float32")[0]))).numpy()
            start = crop_starts(path.name, whole.shape[1], crops.frames, 1, 0)[0]
            keep.append(whole[:, start : start + crops.frames])

    def by_stage(keep):
        used, _ = extract(listed, rules, ours, crops, keep)
        assert len(used) == len(paths)

    rows, other_rows = [], []
    by_reference(rows)
    by_stage(other_rows)
    difference = max(float(np.abs(one - other).max()) for one, other in zip(rows, other_rows, strict=True))
    methods = {"reference: whole file, convolution": by_reference, "ours: checked file, the crop's frames": by_stage}
    seconds = {name: [] for name in methods}
    for _ in range(5):
        for name, method in methods.items():
            started = time.perf_counter()
            method(deque(maxlen=1))
            seconds[name].append((time.perf_counter() - started) / len(paths))
    baseline = median(seconds["reference: whole file, convolution"])
    rows = [(name, 1e3 * median(times), baseline / median(times)) for name, times in seconds.items()]
    table(("features, 1 thread, wav file to crop", "ms per utterance", "times as fast"), rows)
    length = np.mean([soundfile.info(path).duration for path in paths])
    print(f"{len(paths)} utterances of {length:.1f} s on average; their inputs differ by at most {difference:.1e}.\n")


def load(folder, torchscript, label, batch_size, threads):
    name, precision = engines.parse(label)
    job = Job(batch_size, SHAPE, precision, threads)
    artefact = folder / f"{label}-bs{batch_size}"
    if not artefact.exists():
        artefact.mkdir()
        engines.module(name).compile_artefact(torchscript, artefact, job)
    return engines.module(name).load(artefact, job)


def compare_engines(folder, batch_size=8, rounds=5, seconds=4.0):
    torchscript = make_torchscript(folder, 512)
    network = EmbeddingOnly(load_network(folder / "checkpoint.pt")[0]).eval()

    def eager(batch):
        with torch.inference_mode():
            return network(torch.from_numpy(batch)).numpy()

    methods = {"eager PyTorch, f32": eager}
    methods |= {label: load(folder, torchscript, label, batch_size, THREADS).run for label in labels()}
    torch.set_num_threads(THREADS)
    batch = np.random.default_rng(0).uniform(-1, 1, (batch_size, *SHAPE)).astype(np.float32)
    rates = {name: [] for name in methods}
    for _ in range(rounds):  # in turns, so that a busy moment of the machine meets all of them
        for name, method in methods.items():
            method(batch)
            count, started = 0, time.perf_counter()
            while time.perf_counter() - started < seconds:
                method(batch)
                count += batch_size
            rates[name].append(count / (time.perf_counter() - started))
    baseline, gflop = median(rates["eager PyTorch, f32"]), files.read_json(folder / "network.json")["gflop"]
    rows = [
        (name, median(r), median(r) / baseline, f"{min(r):.3g} to {max(r):.3g}", gflop * median(r))
        for name, r in rates.items()
    ]
    table((f"C = 512, batch {batch_size}, {THREADS} threads", "utt/s", "times eager", "spread", "GFLOP/s"), rows)


def repeat(folder, batch_size=8, times=7):
    """The whole program several times, and each engine in turn, so that a busy moment of the machine meets all."""
    rows = []
    for name, channels in (("demo, C = 24", None), ("C = 512", 512)):
        place = folder / str(channels)
        torchscript = make_torchscript(place, channels)
        artefacts = {label: compile_engine(torchscript, place / label, label, batch_size) for label in labels()}
        rates = {label: [] for label in artefacts}
        for _ in range(times):
            for label, artefact in artefacts.items():
                words = ("--artefact", artefact, "--threads", THREADS, "--output", folder / "b.json")
                run("benchmark_engine.py", *words)
                rates[label].append(json.loads((folder / "b.json").read_text())["one_by_one"]["throughput"])
        for label, medians in rates.items():
            least, middle, most = min(medians), median(medians), max(medians)
            spread = f"±{100 * (most - least) / 2 / middle:.1f} %"
            rows.append((f"{name}, {label}", f"{least:.1f}", f"{middle:.1f}", f"{most:.1f}", spread))
    header = f"benchmark_engine.py {times} times, batch {batch_size}, {THREADS} threads: medians, crops/s"
    table((header, "least", "median", "most", "spread"), rows)


def precision(folder):
    paths = speak_corpus(folder)
    run("extract_features.py", "--root", folder / "wav", "--output", folder / "f.npy", "--manifest", folder / "m.tsv",
        "--rejected", folder / "r.tsv", "--sidecar", folder / "f.json")  # fmt: skip
    features = np.load(folder / "f.npy")
    row_of = {str(path.relative_to(folder / "wav")): row for row, path in enumerate(paths)}
    targets, first, second = zip(*((t, row_of[a], row_of[b]) for t, a, b in corpus.trials()))
    rows = []
    for name, channels in (("demo", None), ("C = 512, untrained", 512)):
        place = folder / str(channels)
        torchscript = make_torchscript(place, channels)
        reference, _ = embed(load(place, torchscript, "torchscript-f32", 4, THREADS), features, 4)
        for label in labels():
            sizes = [embed(load(place, torchscript, label, size, THREADS), features, size)[0] for size in (1, 4, 7, 64)]
            cosines = vectors.cosines(sizes[1], reference)
            spread = max(float(np.abs(other - sizes[0]).max()) for other in sizes[1:])
            scores = cosine.cosine_scores(sizes[1], np.array(first), np.array(second))
            eer, _ = metrics.equal_error_rate(metrics.error_rates(scores, targets))
            rows.append((f"{name}, {label}", f"{cosines.min():.6f}", f"{spread:.1e}", f"{100 * eer:.3f} %"))
    table(("demo corpus", "minimum cosine to torchscript-f32", "largest difference between batch sizes", "EER"), rows)


PARTS = {
    "stages": stages,
    "mel": mel,
    "engines": compare_engines,
    "repeat": repeat,
    "precision": precision,
}

if __name__ == "__main__":
    cli.run(partial(main, __doc__, PARTS))
