"""Describe the machine and measure its matrix-multiply peak, in the precisions that engines use.

The peak is that of PyTorch on square matrices: what the machine is seen to do, not what its data sheet promises.
"""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path

import torch

from asv import cli, files, timing

SIZE = 2048  # of the square matrices
SECONDS = 1.0  # a precision
PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16}
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "neon", "asimd", "bf16")


def peak(dtype):
    """Best GFLOP/s of a product of two square matrices."""
    a, b = (torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(seed)).to(dtype) for seed in (0, 1))
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        before = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - before)
    return 2 * SIZE**3 / best / 1e9


def processor():
    """Model and the instruction sets that matter here, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    facts = dict([part.strip() for part in line.split(":", 1)] for line in lines if ":" in line)
    flags = facts.get("flags", facts.get("Features", "")).split()
    return facts.get("model name", platform.machine()), [flag for flag in FLAGS if flag in flags]


def governor():
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.is_file() else None


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--threads", type=cli.positive, default=1)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    threads = cli.usable_threads(options.threads)
    torch.set_num_threads(threads)
    bystanders = timing.Bystanders()
    model, flags = processor()
    facts = {
        "cpu": model,
        "flags": flags,
        "cores": cli.usable_threads(os.cpu_count()),
        "threads": threads,
        "governor": governor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "matmul_gflops": {name: peak(dtype) for name, dtype in PRECISIONS.items()},
        "bystander_cores": bystanders.cores(),
    }
    files.write_json(options.output, facts)


if __name__ == "__main__":
    cli.run(main)
