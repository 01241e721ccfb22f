"""Compute the embeddings of one shard with a compiled engine."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files, run_record
from asv.ascend import devices
from asv.inference import artefact, averaging, embed


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--artefact", type=Path, required=True, help="folder of compile_engine.py")
    parser.add_argument("--features", type=Path, required=True, help=".npy (utterances * crops, mels, frames)")
    parser.add_argument("--lengths", type=Path, help="frames of each row, .npy: needed for whole utterances")
    parser.add_argument("--crops", type=cli.positive, default=1, help="rows per utterance")
    parser.add_argument("--averaging", choices=averaging.AVERAGINGS, default="unit", help="of the crops' embeddings")
    cli.add_engine_options(parser)
    parser.add_argument("--output", type=Path, required=True, help="embeddings, .npy (utterances, d)")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: what ran")
    parser.add_argument("--run", type=Path, help="JSON: where and when it ran, kept apart since no two runs share it")
    return parser.parse_args()


def main():
    options, began = parse_arguments(), run_record.now()
    record, threads = artefact.read(options.artefact), cli.usable_threads(options.threads)
    with devices.hold(options.devices) as device:
        job = artefact.job(record, threads=threads, options=options.engine_options, device=device)
        features = embed.open_features(options.features, job, options.crops, options.lengths)
        started = time.perf_counter()
        with contextlib.closing(artefact.load_fastest(options.artefact, record, job)) as session:
            loaded = time.perf_counter()
            embeddings, engine_seconds = embed.embed(
                session, features, job.batch_size, options.crops, options.averaging
            )
            ended = time.perf_counter()
    with files.atomic_file(options.output) as temporary, temporary.open("wb") as stream:
        np.save(stream, embeddings)
    sidecar = {
        "engine": record["engine"],
        "versions": engines.versions(record["engine"]),
        "requested_precision": job.precision,
        **session.facts,
        "batch_size": job.batch_size,
        "averaging": options.averaging,
        "embedding": embeddings.shape[1],
        "utterances": len(embeddings),
        "code": code.digest(__file__, engines.source(record["engine"])),
    }
    files.write_json(options.sidecar, sidecar)
    if options.run:
        files.write_json(options.run, {**run_record.machine(), "began": began, "ended": run_record.now()})
    print(
        f"{len(embeddings)} utterances; load {loaded - started:.2f} s, inference {ended - loaded:.2f} s, "
        f"of which engine {engine_seconds:.2f} s"
    )


if __name__ == "__main__":
    cli.run(main)
