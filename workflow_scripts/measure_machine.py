"""Describe the machine and measure its matrix-multiply peak, in the precisions that engines use.

The peak is the better of PyTorch's and OpenVINO's on square matrices: what the machine is seen to do, not what its data
sheet promises. One library alone may be far from it, such as PyTorch's in float32 on AMD processors.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
import torch

from asv import cli, cpus, engines, files
from asv.benchmark import timing

SIZE = 2048  # of the square matrices
SECONDS = 1.0  # a precision
PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16}
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "neon", "asimd", "bf16")


def matrices():
    """Two square matrices, float32."""
    return [np.random.default_rng(seed).standard_normal((SIZE, SIZE), np.float32) for seed in (0, 1)]


def pytorch_product(precision, threads):
    """A function that multiplies the matrices by PyTorch."""
    torch.set_num_threads(threads)
    a, b = (torch.from_numpy(matrix).to(PRECISIONS[precision]) for matrix in matrices())
    return lambda: torch.mm(a, b)


def openvino_product(precision, threads):
    """A function that multiplies the matrices by OpenVINO; the second is a constant. None without OpenVINO."""
    try:
        import openvino
        from openvino import opset13
    except ImportError:
        return None
    a, b = matrices()
    left = opset13.parameter(a.shape, openvino.Type.f32)
    model = openvino.Model([opset13.matmul(left, opset13.constant(b), False, False)], [left])
    properties = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
    return lambda: request.infer([a], share_inputs=True)


def peak(precision, threads):
    """Best GFLOP/s of a product of two square matrices, and the library that reached it."""
    best = {}
    for product in (pytorch_product, openvino_product):
        run, times = product(precision, threads), []
        if run is None:
            continue
        started = time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            before = time.perf_counter()
            run()
            times.append(time.perf_counter() - before)
        best[product.__name__.split("_")[0]] = 2 * SIZE**3 / min(times) / 1e9
    library = max(best, key=best.get)
    return best[library], library


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
    bystanders, throttling = timing.Bystanders(), cpus.Throttling()
    model, flags = processor()
    with throttling:
        peaks = {precision: peak(precision, threads) for precision in PRECISIONS}
    facts = {
        "cpu": model,
        "flags": flags,
        "cores": cpus.allowed(),
        "cpu_quota": cpus.quota(),
        "threads": threads,
        "governor": governor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **engines.versions("torchscript"),
        **engines.versions("openvino"),
        "matmul_gflops": {precision: gflops for precision, (gflops, _) in peaks.items()},
        "matmul_library": {precision: library for precision, (_, library) in peaks.items()},
        "bystander_cores": bystanders.cores(),
        "throttled_share": throttling.share(threads),
    }
    files.write_json(options.output, facts)


if __name__ == "__main__":
    cli.run(main)
