"""Measuring an artefact: loaded, run one batch after another and with several requests in flight, and described."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from .. import cpus, engines
from ..engine_interface import InFlightEngine, Job
from ..errors import InputError
from ..inference import artefact as artefacts
from . import timing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class _Measured(TypedDict):
    engine: str
    versions: dict[str, str]
    requested_precision: str
    precision: str
    precision_from: str
    threads: int
    device: int | None
    batch_size: int
    one_by_one: dict[str, Any]  # of timing.measure_one_by_one
    in_flight: dict[str, Any] | None  # of timing.measure_in_flight; None for engines without that mode
    load_seconds: float
    peak_memory_bytes: int
    bystander_cores: float | None
    cores: int
    cpu_quota: float | None
    throttled_periods: int
    throttled_share: float | None


class Measurement(_Measured, total=False):
    """``bs<N>.json`` of ``benchmark_engine``; the last three keys as in :class:`asv.engine_interface.SessionFacts`."""

    cann: str | None
    backend: str
    stand_in: str
    layers: str


def inputs(job: Job) -> list[npt.NDArray[np.float32]]:
    """Batches to measure a job with; InputError for whole utterances, which have no shape to measure."""
    mels, frames = job.shape
    if frames is None:
        raise InputError(
            "features.frames: whole utterances have no fixed shape, so there is no speed of a batch to measure; set a "
            "number of frames for benchmarks"
        )
    return timing.batches_of_noise((mels, frames), job.batch_size)


def measure(
    folder: Path,
    artefact: artefacts.Artefact,
    job: Job,
    batches: Sequence[npt.NDArray[np.float32]],
    limits: Mapping[str, Any],
) -> Measurement:
    """Measure an artefact; nothing else should run on the machine.

    Args:
        folder: of the artefact.
        artefact: its record.
        job: as it was compiled for.
        batches: float32 ``(batch_size, mels, frames)``, held in memory.
        limits: ``seconds`` and ``count``, the minima of a run, and the number of ``runs``.
    """
    throttling, bystanders, started = cpus.Throttling(), timing.Bystanders(), time.perf_counter()
    with contextlib.closing(artefacts.load(folder, artefact, job)) as session:
        load_seconds = time.perf_counter() - started
        one_by_one = timing.measure_one_by_one(session, batches, around=throttling, **limits)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    engine, in_flight = engines.module(artefact["engine"]), None
    if isinstance(engine, InFlightEngine):
        with contextlib.closing(engine.load_in_flight(folder, job)) as several:
            latency = one_by_one["latency_mean_ms"] / 1e3
            in_flight = timing.measure_in_flight(several, batches, latency=latency, around=throttling, **limits)
    return {
        "engine": artefact["engine"],
        "versions": engines.versions(artefact["engine"]),
        "requested_precision": job.precision,
        **session.facts,
        "device": job.device,
        "batch_size": job.batch_size,
        "one_by_one": one_by_one,
        "in_flight": in_flight,
        "load_seconds": load_seconds,
        "peak_memory_bytes": memory,
        "bystander_cores": bystanders.cores(),
        "cores": cpus.allowed(),
        "cpu_quota": cpus.quota(),
        "throttled_periods": throttling.periods,
        "throttled_share": throttling.share(job.threads),
    }
