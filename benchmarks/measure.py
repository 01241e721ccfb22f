"""Measure the workflow on this machine; each part prints a Markdown table, ratios against a baseline of the same run.

  stages    wall time of every job of the main job on the demo, and what a job costs before its work begins
  mel       feature extraction against the reference method: float32 convolution STFT of the whole file
  engines   throughput at C = 512 against eager PyTorch
  overhead  the inference stage as a whole against the time inside the engine, 2000 utterances
  scoring   580,000 trials over 145,000 generated embeddings, as VoxCeleb1-E: seconds and peak memory
  precision how far bfloat16 moves embeddings and the EER, and how much batch sizes differ

Nothing is downloaded; all of it runs in a temporary folder. Keep the machine otherwise idle.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch

REPO = Path(__file__).resolve().parent.parent
SCRIPTS = REPO / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from asv import cli, demo, engines, files, manifest, metrics, scoring  # noqa: E402
from asv.checkpoint import load_network  # noqa: E402
from asv.crops import crop_starts  # noqa: E402
from asv.inference import embed  # noqa: E402
from asv.mel import LogMel, MelSettings, to_network_input  # noqa: E402
from asv.network import EmbeddingOnly  # noqa: E402

SHAPE = (80, 200)
THREADS = cli.usable_threads(os.cpu_count())


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    print()


def run(name, *arguments):
    """Run a stage script; returns its seconds of wall time and its output."""
    started = time.perf_counter()
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def snakemake(folder, *arguments):
    """Run the workflow in a folder; returns its seconds of wall time."""
    command = [sys.executable, "-m", "snakemake", "-s", REPO / "Snakefile", "--cores", THREADS, "-q", "all", "--"]
    started = time.perf_counter()
    subprocess.run([str(part) for part in (*command, *arguments)], cwd=folder, check=True)
    return time.perf_counter() - started


def describe_machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    packages = ("torch", "torchaudio", "openvino", "snakemake")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(f"{facts.get('model name', platform.machine())}, {THREADS} cores ({', '.join(flags)});")
    print(f"Python {platform.python_version()}, {versions}.\n")


def stages(folder):
    total = snakemake(folder, "results/eer_bs4.txt")
    jobs = {}
    for path in (folder / ".snakemake" / "metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text())  # one an output file
            jobs[record["rule"], str(record["log"])] = record["endtime"] - record["starttime"], record["starttime"]
    startup = {path.stem: median(run(path.name, "--help")[0] for _ in range(3)) for path in SCRIPTS.glob("*.py")}
    rows = [
        (job[0], seconds, startup.get(job[0], 0.0))
        for job, (seconds, _) in sorted(jobs.items(), key=lambda item: item[1][1])
    ]
    table(("job", "wall s", "of which before its work (its --help) s"), rows)
    again = snakemake(folder, "results/eer_bs4.txt")
    work, startup = (sum(row[column] for row in rows) for column in (1, 2))
    print(f"{len(rows)} jobs, {work:.1f} s in all, of which {startup:.1f} s before their work.")
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
        self.filters = LogMel(settings)._mel.mel_scale.fb.T
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
    settings = MelSettings()
    ours, reference = LogMel(settings), ReferenceMel(settings)
    paths = speak_corpus(folder)
    torch.set_num_threads(1)

    def read(path):
        return torch.from_numpy(soundfile.read(path, dtype="float32")[0])

    def by_reference(path):
        whole = to_network_input(reference(read(path)))
        start = crop_starts(path.name, whole.shape[1], 200, 1, 0)[0]
        return whole[:, start : start + 200]

    def by_crop(path):
        samples = read(path)
        start = crop_starts(path.name, settings.frames(len(samples)), 200, 1, 0)[0]
        return to_network_input(ours.crop(samples, start, 200))

    difference = max(float((by_reference(path) - by_crop(path)).abs().max()) for path in paths[:20])
    seconds = {"reference: whole file, convolution": [], "ours: the crop's frames, FFT": []}
    for _ in range(5):
        for name, method in zip(seconds, (by_reference, by_crop)):
            started = time.perf_counter()
            for path in paths:
                method(path)
            seconds[name].append((time.perf_counter() - started) / len(paths))
    baseline = median(seconds["reference: whole file, convolution"])
    rows = [(name, 1e3 * median(times), baseline / median(times)) for name, times in seconds.items()]
    table(("features, 1 thread, wav file to crop", "ms an utterance", "times as fast"), rows)
    length = np.mean([soundfile.info(path).duration for path in paths])
    print(f"{len(paths)} utterances of {length:.1f} s on average; their inputs differ by at most {difference:.1e}.\n")


def make_torchscript(folder, *arguments):
    """TorchScript of a checkpoint of demo_checkpoint.py, and that checkpoint."""
    run("demo_checkpoint.py", *arguments, "--output", folder / "checkpoint.zip")
    run("unzip_checkpoint.py", "--archive", folder / "checkpoint.zip", "--output", folder / "checkpoint.pt")
    run("trace_network.py", "--checkpoint", folder / "checkpoint.pt", "--output", folder / "network.pt",
        "--sidecar", folder / "network.json")  # fmt: skip
    return folder / "network.pt"


def load(folder, torchscript, label, batch_size, threads):
    name, precision = engines.parse(label)
    settings = {"batch_size": batch_size, "shape": SHAPE, "precision": precision, "options": {}, "device": None}
    artefact = folder / f"{label}-bs{batch_size}"
    if not artefact.exists():
        artefact.mkdir()
        engines.module(name).compile_artefact(torchscript, artefact, **settings)
    return engines.module(name).load(artefact, threads=threads, **settings)


def labels():
    import openvino

    bf16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["torchscript-f32", "openvino-f32", *(["openvino-bf16"] if bf16 else [])]


def compare_engines(folder, batch_size=8, rounds=5, seconds=4.0):
    torchscript = make_torchscript(folder, "--untrained", "--channels", "512")
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
    baseline = median(rates["eager PyTorch, f32"])
    rows = [
        (name, median(r), median(r) / baseline, f"{min(r):.3g} to {max(r):.3g}", 12.82 * median(r))
        for name, r in rates.items()
    ]
    table((f"C = 512, batch {batch_size}, {THREADS} threads", "utt/s", "times eager", "spread", "GFLOP/s"), rows)


def overhead(folder, utterances=2000):
    features = np.random.default_rng(0).uniform(-1, 1, (utterances, *SHAPE)).astype(np.float32)
    np.save(folder / "features.npy", features)
    rows = []
    for name, arguments in (("C = 512", ("--untrained", "--channels", "512")), ("demo", None)):
        place = folder / name.replace(" ", "")
        place.mkdir()
        if arguments is None:
            (place / "checkpoint.zip").write_bytes((REPO / "demo" / "checkpoint.zip").read_bytes())
            run("unzip_checkpoint.py", "--archive", place / "checkpoint.zip", "--output", place / "checkpoint.pt")
            run("trace_network.py", "--checkpoint", place / "checkpoint.pt", "--output", place / "network.pt",
                "--sidecar", place / "network.json")  # fmt: skip
        else:
            make_torchscript(place, *arguments)
        for label in labels()[1:]:
            run("compile_engine.py", "--torchscript", place / "network.pt", "--engine", label, "--batch-size", 8,
                "--output", place / label)  # fmt: skip
            wall, output = run("infer.py", "--artefact", place / label, "--features", folder / "features.npy",
                "--threads", THREADS, "--output", place / "e.npy", "--sidecar", place / "e.json")  # fmt: skip
            engine = float(output.split("engine ")[1].split()[0])
            rows.append((f"{name}, {label}", wall, engine, f"{100 * (wall / engine - 1):.1f} %"))
    table(
        (f"inference stage, {utterances} utterances, batch 8, {THREADS} threads", "wall s", "engine s", "overhead"),
        rows,
    )


def generate_scoring(folder, speakers=1251, utterances=116, trials=580_000):
    """What score.py reads, of VoxCeleb1-E's size, and a cohort of all its speakers; returns score.py's arguments."""
    random = np.random.default_rng(0)
    names = [f"sp{s:05}/v{u // 6:04}/{u:05}.wav" for s in range(speakers) for u in range(utterances)]
    embeddings = np.repeat(random.normal(size=(speakers, 192)), utterances, axis=0)
    np.save(folder / "e.npy", (embeddings + 3 * random.normal(size=embeddings.shape)).astype(np.float32))
    manifest.write_utterances(
        folder / "m.tsv", (manifest.Utterance(name, *name.split("/")[:2], name, 8.0, 16000, 1) for name in names)
    )
    manifest.write_rejected(folder / "r.tsv", [])
    first = random.integers(len(names), size=trials)
    same = first // utterances * utterances + random.integers(utterances, size=trials)
    target = np.arange(trials) % 2 == 0
    second = np.where(target, same, (first + utterances * random.integers(1, speakers, size=trials)) % len(names))
    rows = zip(target.tolist(), first.tolist(), second.tolist())
    (folder / "list.txt").write_text("".join(f"{int(t)} {names[a]} {names[b]}\n" for t, a, b in rows))
    (folder / "cohort.txt").write_text("\n".join(names[::10]))
    engine = {"engine": "none", "versions": {}, "requested_precision": "f32", "precision": "f32", "code": ""}
    engine |= {"precision_from": "engine", "threads": 1, "batch_size": 1, "utterances": len(names)}
    network = {"checkpoint_sha256": "", "channels": 0, "parameters": 0, "step": 0, "speakers": 0, "code": ""}
    contents = {"sidecar": engine, "network": network, "features": {"sample_rate": 16000, "code": ""}}
    contents["artefact"] = {"options": {}, "code": ""}
    for name, content in contents.items():
        files.write_json(folder / f"{name}.json", content)
    return [
        *(part for name in contents for part in (f"--{name}", folder / f"{name}.json")),
        *("--embeddings", folder / "e.npy", "--manifest", folder / "m.tsv", "--rejected", folder / "r.tsv"),
        *("--trials", folder / "list.txt", "--scores", folder / "scores"),
        *("--text", folder / "eer.txt", "--json", folder / "eer.json"),
    ]


def score_large(folder):
    arguments = generate_scoring(folder)
    # ru_maxrss of children is their largest so far, so each is measured by a process of its own.
    measured = (
        "import resource, subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    rows = []
    for name, extra in (
        ("no intervals", ["--bootstrap-replicates", 0]),
        ("as shipped: 1000 bootstrap replicates", []),
        ("and AS-norm, a cohort of 1251 speakers", ["--cohort", folder / "cohort.txt"]),
    ):
        command = [sys.executable, "-c", measured, SCRIPTS / "score.py", *arguments, *extra]
        started = time.perf_counter()
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        rows.append((name, time.perf_counter() - started, int(done.stdout) / 1e6))
    table(("score.py, 580,000 trials, 145,116 embeddings", "wall s", "peak GB"), rows)
    print((folder / "eer.txt").read_text().split("\n\n")[1] + "\n")


def precision(folder):
    paths = speak_corpus(folder)
    run("extract_features.py", "--root", folder / "wav", "--output", folder / "f.npy", "--manifest", folder / "m.tsv",
        "--rejected", folder / "r.tsv", "--sidecar", folder / "f.json")  # fmt: skip
    features = np.load(folder / "f.npy")
    row_of = {str(path.relative_to(folder / "wav")): row for row, path in enumerate(paths)}
    targets, first, second = zip(*((t, row_of[a], row_of[b]) for t, a, b in demo.trials()))
    rows = []
    for name in ("demo", "C = 512, untrained"):
        place = folder / name.split(",")[0].replace(" ", "")
        place.mkdir()
        if name == "demo":
            archive = REPO / "demo" / "checkpoint.zip"
            run("unzip_checkpoint.py", "--archive", archive, "--output", place / "checkpoint.pt")
            run("trace_network.py", "--checkpoint", place / "checkpoint.pt", "--output", place / "network.pt",
                "--sidecar", place / "network.json")  # fmt: skip
        else:
            make_torchscript(place, "--untrained", "--channels", "512")
        reference, _ = embed(load(place, place / "network.pt", "torchscript-f32", 4, THREADS), features, 4)
        for label in labels():
            sizes = [
                embed(load(place, place / "network.pt", label, size, THREADS), features, size)[0]
                for size in (1, 4, 7, 64)
            ]
            cosines = (scoring.unit_length(sizes[1]) * scoring.unit_length(reference)).sum(axis=1)
            spread = max(float(np.abs(other - sizes[0]).max()) for other in sizes[1:])
            scores = scoring.cosine_scores(sizes[1], np.array(first), np.array(second))
            eer, _ = metrics.equal_error_rate(metrics.error_rates(scores, targets))
            rows.append((f"{name}, {label}", f"{cosines.min():.6f}", f"{spread:.1e}", f"{100 * eer:.3f} %"))
    table(("demo corpus", "least cosine to torchscript-f32", "largest difference between batch sizes", "EER"), rows)


PARTS = {
    "stages": stages,
    "mel": mel,
    "engines": compare_engines,
    "overhead": overhead,
    "scoring": score_large,
    "precision": precision,
}


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="all unless named")
    options = parser.parse_args()
    describe_machine()
    for name in options.part or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[name](Path(folder))


if __name__ == "__main__":
    cli.run(main)
