"""Compute the embeddings of one shard with a compiled engine."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files
from asv.ascend import devices
from asv.errors import InputError
from asv.features.npy import open_rows
from asv.inference.embed import embed


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--artefact", type=Path, required=True, help="folder of compile_engine.py")
    parser.add_argument("--features", type=Path, required=True, help=".npy (utterances * crops, mels, frames)")
    parser.add_argument("--crops", type=cli.positive, default=1, help="rows of an utterance")
    parser.add_argument("--options", type=cli.json_object, default="{}", help="options of the engine, JSON")
    parser.add_argument("--threads", type=cli.positive, default=1)
    cli.add_devices(parser)
    parser.add_argument("--output", type=Path, required=True, help="embeddings, .npy (utterances, 192)")
    parser.add_argument("--sidecar", type=Path, required=True, help="JSON: what ran")
    options = parser.parse_args()
    artefact = files.read_json(options.artefact / "artefact.json")
    name, precision = artefact["engine"], artefact["requested_precision"]
    batch_size, *shape = artefact["input"]
    features = open_rows(options.features)
    if features.dtype != np.float32 or list(features.shape[1:]) != shape or len(features) % options.crops:
        raise InputError(
            f"{options.features}: {features.dtype} {features.shape} does not fit an artefact for float32 (n, {shape}) "
            f"and {options.crops} crops an utterance; make the features again"
        )
    with devices.hold(options.devices) as device:
        started = time.perf_counter()
        session = engines.module(name).load(
            options.artefact,
            batch_size=batch_size,
            shape=tuple(shape),
            precision=precision,
            threads=cli.usable_threads(options.threads),
            options=options.options,
            device=device,
        )
        with contextlib.closing(session):
            loaded = time.perf_counter()
            embeddings, engine_seconds = embed(session, features, batch_size, options.crops)
            ended = time.perf_counter()
    with files.atomic_file(options.output) as temporary, temporary.open("wb") as stream:
        np.save(stream, embeddings)
    sidecar = {
        "engine": name,
        "versions": engines.versions(name),
        "requested_precision": precision,
        **session.facts,
        "batch_size": batch_size,
        "utterances": len(embeddings),
        "code": code.digest(__file__, engines.source(name)),
    }
    files.write_json(options.sidecar, sidecar)
    print(
        f"{len(embeddings)} utterances; load {loaded - started:.2f} s, inference {ended - loaded:.2f} s, "
        f"of which engine {engine_seconds:.2f} s"
    )


if __name__ == "__main__":
    cli.run(main)
