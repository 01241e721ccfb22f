"""Measure the throughput and latency of one engine artefact. Run it alone on the machine.

Real features are held in memory. After a warm-up, runs of at least --seconds and --count batches are repeated; the
median run counts. An engine that can keep several requests in flight is measured in that mode, too; of an engine with a
device of its own, copies to and from it are told apart from its work.
"""

from __future__ import annotations

import contextlib
import resource
import time
from pathlib import Path

import numpy as np

from asv import cli, cpus, engines, files
from asv.ascend import devices
from asv.benchmark import timing
from asv.errors import InputError
from asv.features.npy import open_rows
from asv.progress import progress


def measure_one_by_one(session, batches, options, throttling):
    """One batch after the other, as an application that waits for each answer."""
    count, seconds, stable = timing.warm_up(session.run, batches)
    parts = []  # of each batch, where the session tells

    def run(batch):
        session.run(batch)
        parts.append(getattr(session, "seconds", {}))

    runs = []
    for _ in progress(range(options.runs), "benchmark", "run"):
        with throttling:
            runs.append(timing.timed_run(run, batches, options.seconds, options.count))
    warm_up = {"batches": count, "seconds": seconds, "stable": stable}
    return {**timing.summary(runs, len(batches[0])), **timing.part_means(parts), "warm_up": warm_up}


def measure_in_flight(session, batches, options, latency, throttling):
    """Several requests in flight: crops a second of each run. ``latency`` (s) of one tells how many batches to take."""
    count = max(options.count, 2 * session.in_flight, int(options.seconds / latency))
    chosen = [batches[index % len(batches)] for index in range(count)]
    session.run_all(chosen[: 2 * session.in_flight])
    rates = []
    for _ in range(options.runs):
        with throttling:
            started = time.perf_counter()
            session.run_all(chosen)
            rates.append(count * len(batches[0]) / (time.perf_counter() - started))
    return {"throughput": float(np.median(rates)), "throughput_runs": rates, "in_flight": session.in_flight}


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--artefact", type=Path, required=True, help="folder of compile_engine.py")
    parser.add_argument("--features", type=Path, required=True, help=".npy (crops, mels, frames) of a shard")
    parser.add_argument("--options", type=cli.json_object, default="{}", help="options of the engine, JSON")
    parser.add_argument("--threads", type=cli.positive, default=1)
    cli.add_devices(parser)
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of a run")
    parser.add_argument("--count", type=cli.positive, default=11, help="least batches of a run")
    parser.add_argument("--runs", type=cli.positive, default=3)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    artefact = files.read_json(options.artefact / "artefact.json")
    name, precision = artefact["engine"], artefact["requested_precision"]
    batch_size, *shape = artefact["input"]
    features = open_rows(options.features)
    if not len(features):
        raise InputError(
            f"{options.features}: no features to measure with, since every utterance of this shard was rejected "
            "(results/rejected.tsv); mend or remove its files, or set another number of shards"
        )
    batches = timing.batches_in_memory(features, batch_size)
    engine, threads = engines.module(name), cli.usable_threads(options.threads)
    with devices.hold(options.devices) as device:
        settings = {
            "batch_size": batch_size,
            "shape": tuple(shape),
            "precision": precision,
            "threads": threads,
            "options": options.options,
            "device": device,
        }
        throttling, in_flight = cpus.Throttling(), None
        bystanders, started = timing.Bystanders(), time.perf_counter()
        with contextlib.closing(engine.load(options.artefact, **settings)) as session:
            load_seconds = time.perf_counter() - started
            one_by_one = measure_one_by_one(session, batches, options, throttling)
            facts = session.facts
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if hasattr(engine, "load_in_flight"):
            with contextlib.closing(engine.load_in_flight(options.artefact, **settings)) as session:
                latency = one_by_one["latency_mean_ms"] / 1e3
                in_flight = measure_in_flight(session, batches, options, latency, throttling)
    result = {
        "engine": name,
        "versions": engines.versions(name),
        "requested_precision": precision,
        **facts,
        "device": device,
        "batch_size": batch_size,
        "one_by_one": one_by_one,
        "in_flight": in_flight,
        "load_seconds": load_seconds,
        "peak_memory_bytes": memory,
        "bystander_cores": bystanders.cores(),
        "cores": cpus.allowed(),
        "cpu_quota": cpus.quota(),
        "throttled_periods": throttling.periods,
        "throttled_share": throttling.share(threads),
    }
    files.write_json(options.output, result)
    rates = {"one by one": one_by_one, **({"in flight": in_flight} if in_flight else {})}
    print(", ".join(f"{rate['throughput']:.1f} crops/s {kind}" for kind, rate in rates.items()))


if __name__ == "__main__":
    cli.run(main)
