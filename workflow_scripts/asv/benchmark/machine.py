"""The machine that is measured on: its processor, and the peak that its matrix products reach.

The peak is the better of PyTorch's and OpenVINO's on square matrices: what the machine is seen to do, not what its data
sheet promises. One library alone may be far from it, such as PyTorch's in float32 on AMD processors. In int8 it is
OpenVINO's, of several products in a row, as in a quantised network; on a processor without instructions for it that may
be less than in float32.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from .. import cpus, engines
from .timing import Bystanders

if TYPE_CHECKING:
    import numpy.typing as npt

SIZE = 2048  # of the square matrices
SECONDS = 1.0  # per precision and library
# Products in a row of which the rate is that of one: from and to float32 would take as long as a product of integers.
IN_A_ROW = {"f32": 1, "bf16": 1, "int8": 8}
PRECISIONS = tuple(IN_A_ROW)
OF_PYTORCH = {"f32": "float32", "bf16": "bfloat16"}  # what it multiplies, and how it calls it
PACKAGES = ("torch", "openvino")  # those whose matrix products are timed


class Machine(TypedDict):
    """``machine.json``. ``matmul_gflops`` and ``matmul_library`` are by precision; what is not known is None."""

    cpu: str
    flags: list[str]
    cores: int
    cpu_quota: float | None
    threads: int
    governor: str | None
    system: str
    python: str
    torch: str
    openvino: str
    matmul_gflops: dict[str, float]
    matmul_library: dict[str, str]
    bystander_cores: float | None
    throttled_share: float | None


def _matrices() -> list[npt.NDArray[np.float32]]:
    return [np.random.default_rng(seed).standard_normal((SIZE, SIZE), np.float32) for seed in (0, 1)]


def _pytorch_product(precision: str, threads: int) -> Callable[[], Any] | None:
    """A function that multiplies two square matrices, ``IN_A_ROW``; None where the library has no public one."""
    if precision not in OF_PYTORCH:
        return None
    import torch

    torch.set_num_threads(threads)
    dtype = getattr(torch, OF_PYTORCH[precision])
    a, b = (torch.from_numpy(matrix).to(dtype) for matrix in _matrices())
    return lambda: torch.mm(a, b)


def _in_integers(values: Any, lowest: int) -> Any:
    """Values from -4 to 4, nearly, as integers from ``-lowest`` to 127 without a zero point."""
    from openvino import opset13

    step = np.float32(4 / lowest)
    ends = (-lowest * step, 127 * step)
    return opset13.fake_quantize(values, *ends, *ends, lowest + 128)


def _openvino_product(precision: str, threads: int) -> Callable[[], Any] | None:
    """The same; the second matrix is a constant. None without OpenVINO."""
    try:
        import openvino
        from openvino import opset13
    except ImportError:
        return None
    a, b = _matrices()
    left = product = opset13.parameter(a.shape, openvino.Type.f32)
    right = opset13.constant(b)
    if precision == "int8":  # to 8 bits and back: the plug-in then multiplies integers
        right = _in_integers(right, 127)
    for _ in range(IN_A_ROW[precision]):
        left_factor = _in_integers(product, 128) if precision == "int8" else product
        product = opset13.matmul(left_factor, right, False, False)
    model = openvino.Model([product], [left])
    hint = "f32" if precision == "int8" else precision  # of what is left
    properties = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads}
    request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
    return lambda: request.infer([a], share_inputs=True)


PRODUCTS = {"pytorch": _pytorch_product, "openvino": _openvino_product}


def _shortest(run: Callable[[], Any]) -> float:
    """Seconds of the fastest call within ``SECONDS``; it is called at least once."""
    best, started = float("inf"), time.perf_counter()
    while True:
        before = time.perf_counter()
        run()
        after = time.perf_counter()
        best = min(best, after - before)
        if after - started >= SECONDS:
            return best


def peak(precision: str, threads: int) -> tuple[float, str]:
    """Best GFLOP/s of a product of two square matrices, and the library that reached it."""
    rates = {}
    for library, product in PRODUCTS.items():
        run = product(precision, threads)
        if run is not None:
            rates[library] = IN_A_ROW[precision] * 2 * SIZE**3 / _shortest(run) / 1e9
    best = max(rates, key=lambda library: rates[library])
    return rates[best], best


def governor() -> str | None:
    """The frequency governor of the first core, such as ``performance``, where the system tells."""
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.is_file() else None


def describe(threads: int) -> Machine:
    """Measure and describe this machine; nothing else should run on it."""
    bystanders, throttling = Bystanders(), cpus.Throttling()
    model, flags = cpus.processor()
    with throttling:
        peaks = {precision: peak(precision, threads) for precision in PRECISIONS}
    versions = engines.installed(PACKAGES)
    return {
        "cpu": model,
        "flags": flags,
        "cores": cpus.allowed(),
        "cpu_quota": cpus.quota(),
        "threads": threads,
        "governor": governor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": versions["torch"],
        "openvino": versions["openvino"],
        "matmul_gflops": {precision: gflops for precision, (gflops, _) in peaks.items()},
        "matmul_library": {precision: library for precision, (_, library) in peaks.items()},
        "bystander_cores": bystanders.cores(),
        "throttled_share": throttling.share(threads),
    }
