"""A row of ``benchmarks.json``, as a type. Names are those of the columns of ``benchmarks.tsv``: programs read them."""

from __future__ import annotations

from typing import TypedDict


class _Named(TypedDict):
    engine: str  # engine and precision, such as openvino-f32
    name: str  # of the engine alone
    precision: str | None  # what really ran
    batch_size: int
    status: str  # "ok", or "unsupported" where this machine cannot run it: then what follows _Named is None or absent
    stand_in: str | None  # what was in the engine's place
    gate: str | None  # "PASS", "FAIL", or "reference"
    faults: list[str]  # why the gate fails, or why it is unsupported
    best: list[str]  # "throughput", "latency", or both


class Row(_Named, total=False):
    """Rates are in crops per second, times of batches in milliseconds, and are None where they are unknown."""

    threads: int
    throughput: float  # wall time, one batch after another; median over runs
    throughput_low: float
    throughput_high: float
    engine_throughput: float  # time within the engine alone
    async_throughput: float | None  # several requests in flight
    device_throughput: float | None  # without copies to and from the device
    to_device_ms: float | None
    compute_ms: float | None
    from_device_ms: float | None
    latency_mean_ms: float
    latency_p50_ms: float | None
    latency_p90_ms: float | None
    latency_p99_ms: float | None
    real_time_factor: float  # seconds of work per second of speech
    gflops: float | None  # GFLOP/s of the network at this throughput; None where its work is not counted
    peak_share: float | None  # of the machine's matrix-multiply peak, 0 to 1
    compile_seconds: float
    load_seconds: float
    artefact_bytes: int
    peak_memory_bytes: int
    bystander_cores: float | None  # cores that other processes kept busy
    warm: bool  # whether batch times were stable before the runs
    eer: float  # 0 to 1
    roc_auc: float
    min_cosine: float | None  # of an embedding with the reference's; None for the reference
    mean_cosine: float | None
    eer_change: float | None
    cores: int
    cpu_quota: float | None
    throttled_share: float | None  # of the time, 0 to 1
    throttled_periods: int
