"""Measure the throughput and latency of one engine artefact. Run it alone on the machine.

Batches of noise are held in memory: the values change no operation of the network. After a warm-up, runs of at least
--seconds and --count batches are repeated; the median run counts. An engine that can keep several requests in flight is
measured in that mode, too; of an engine with a device of its own, copies to and from it are told apart from its work.
"""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.ascend import devices
from asv.benchmark import measurement
from asv.inference import artefact


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--artefact", type=Path, required=True, help="folder of compile_engine.py")
    cli.add_engine_options(parser)
    parser.add_argument("--seconds", type=float, default=0.5, help="minimum duration of a run")
    parser.add_argument("--count", type=cli.positive, default=11, help="minimum number of batches of a run")
    parser.add_argument("--runs", type=cli.positive, default=3)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    return parser.parse_args()


def main():
    options = parse_arguments()
    record, threads = artefact.read(options.artefact), cli.usable_threads(options.threads)
    limits = {"seconds": options.seconds, "count": options.count, "runs": options.runs}
    with devices.hold(options.devices) as device:
        job = artefact.job(record, threads=threads, options=options.engine_options, device=device)
        measured = measurement.measure(options.artefact, record, job, measurement.inputs(job), limits)
    files.write_json(options.output, measured)
    rates = {"one by one": measured["one_by_one"], "in flight": measured["in_flight"]}
    print(", ".join(f"{rate['throughput']:.1f} crops/s {kind}" for kind, rate in rates.items() if rate))


if __name__ == "__main__":
    cli.run(main)
