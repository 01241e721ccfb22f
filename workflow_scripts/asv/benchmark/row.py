"""A row of ``benchmarks.json``, as a type. Names are those of the columns of ``benchmarks.tsv``: programs read them."""

from __future__ import annotations

from typing import Any, TypedDict


class _Named(TypedDict):
    engine: str  # engine and precision, such as openvino-f32
    name: str  # of the engine alone
    precision: str | None  # what really ran
    batch_size: int
    status: str  # "ok", or "unsupported" where this machine cannot run it: then what follows _Named is None or absent
    stand_in: str | None  # what was in the engine's place
    gate: str | None  # "PASS", "UNDECIDED", "FAIL", or "reference"
    faults: list[str]  # why the gate does not pass, or why it is unsupported
    best: list[str]  # "throughput", "latency"; with " within noise" where others are, too


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
    eer_change: dict[str, Any] | None  # of every trial list
    cores: int
    cpu_quota: float | None
    throttled_share: float | None  # of the time, 0 to 1
    throttled_periods: int
    async_throughput_low: float | None
    async_throughput_high: float | None
    eer_increase: float | None  # over the reference's, of the list that decides; None for the reference
    eer_increase_low: float | None  # its 95 % interval
    eer_increase_high: float | None
    min_dcf_increase: float | None  # on the same list
    min_dcf_increase_low: float | None
    min_dcf_increase_high: float | None
    sides_changed: int | None  # trials that are accepted by one of the two alone
    speakers: int | None  # of that list
    speakers_needed: int | None  # that would settle what is UNDECIDED
    min_cosine_limit: float | None  # that the gate accepts; None: whatever it is
    max_eer_increase: float | None  # that the gate accepts
    evidence: str | None  # why it is PASS, where that is to be said
    noise: list[str]  # why its speed is to be measured again
