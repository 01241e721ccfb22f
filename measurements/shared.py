"""What the benchmarks share: running scripts and the workflow, measuring them, printing tables."""

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

BENCHMARKS = Path(__file__).resolve().parent
REPO = BENCHMARKS.parent
SCRIPTS = REPO / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from asv import cli  # noqa: E402

SHAPE = (80, 200)
THREADS = cli.usable_threads(os.cpu_count())


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    print(flush=True)


def describe_machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    packages = ("torch", "torchaudio", "openvino", "snakemake")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(f"{facts.get('model name', platform.machine())}, {THREADS} cores ({', '.join(flags)});")
    print(f"Python {platform.python_version()}, {versions}.\n", flush=True)


def script_command(name, *arguments):
    return [sys.executable, str(SCRIPTS / name), *map(str, arguments)]


def run(name, *arguments):
    """Run a stage script; returns its seconds of wall time and its output."""
    started = time.perf_counter()
    done = subprocess.run(script_command(name, *arguments), check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def workflow_command(*arguments, cores=THREADS):
    """The workflow, with options, ``--`` and targets as arguments."""
    command = [sys.executable, "-m", "snakemake", "-s", REPO / "Snakefile", "--cores", cores, "-q", "all", *arguments]
    return [str(part) for part in command]


def measured(command, folder="."):
    """Run a command in a folder; returns its output and what peak.py tells of it."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "peak.json"
        whole = [sys.executable, str(BENCHMARKS / "peak.py"), str(report), *map(str, command)]
        done = subprocess.run(whole, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(whole)} failed:\n{done.stdout[-4000:]}")
        return done.stdout, json.loads(report.read_text())


def workflow(folder, *arguments, cores=THREADS):
    """Run the workflow in a folder; returns what :func:`measured` tells."""
    return measured(workflow_command(*arguments, cores=cores), folder)[1]


def jobs(folder, since=0.0):
    """Jobs that ended in a folder since a time: ``(rule, log)`` to ``(start, end)``, as Snakemake recorded them."""
    records = (json.loads(path.read_text()) for path in (folder / ".snakemake/metadata").rglob("*") if path.is_file())
    return {
        (record["rule"], str(*record["log"])): (record["starttime"], record["endtime"])
        for record in records  # one an output file
        if record["endtime"] >= since
    }


def labels():
    """Engines and precisions that this machine can run, the reference first."""
    import openvino

    bf16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["torchscript-f32", "openvino-f32", *(["openvino-bf16"] if bf16 else [])]


def make_torchscript(folder, channels=None):
    """TorchScript of the shipped demo checkpoint, or of an untrained network of so many channels; the checkpoint is
    left beside it."""
    folder.mkdir(exist_ok=True)
    archive = REPO / "demo" / "checkpoint.zip"
    if channels:
        archive = folder / "checkpoint.zip"
        run("demo_checkpoint.py", "--untrained", "--channels", channels, "--output", archive)
    run("unzip_checkpoint.py", "--archive", archive, "--output", folder / "checkpoint.pt")
    run("trace_network.py", "--checkpoint", folder / "checkpoint.pt", "--output", folder / "network.pt",
        "--sidecar", folder / "network.json", "--norm", folder / "first_norm.npz",
        "--reference", folder / "reference.npz")  # fmt: skip
    return folder / "network.pt"


def compile_engine(torchscript, artefact, label, batch_size):
    run("compile_engine.py", "--network", torchscript, "--engine", label, "--batch-size", batch_size,
        "--output", artefact)  # fmt: skip
    return artefact


def main(description, parts):
    """Run the parts named on the command line, each in a temporary folder."""
    parser = cli.parser(description)
    parser.add_argument("part", nargs="*", choices=[*parts, []], help="all unless named")
    options = parser.parse_args()
    describe_machine()
    for name in options.part or parts:
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder))
