"""Compile the traced network for one engine, precision and batch size, and check the result against the trace.

The artefact folder holds what the engine loads, and artefact.json: engine, versions, precision, shapes, source.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np

from asv import cli, code, engines, files, vectors
from asv.ascend import devices
from asv.errors import InputError

# Least cosine between the embeddings of the artefact and of the trace, on noise. In float32 only the order of sums
# differs; bfloat16 has 8 bits of significand, so the check there only tells a wrong graph from a rounded one.
LEAST_COSINE = {"f32": 0.99999}
LEAST_COSINE_REDUCED = 0.98


def check_artefact(session, reference, batch_size, shape, least):
    """Compare a session with the reference session on one seeded batch of noise; return the least cosine."""
    batch = np.random.default_rng(0).standard_normal((batch_size, *shape), np.float32)
    lowest = float(vectors.cosines(session.run(batch), reference.run(batch)).min())
    if not lowest >= least:  # catches NaN, too
        raise InputError(f"the artefact disagrees with the trace: cosine {lowest:.6f}, at least {least} is needed")
    return lowest


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--torchscript", type=Path, required=True, help="traced network, .pt")
    parser.add_argument("--engine", required=True, help="engine and precision, such as openvino-f32")
    parser.add_argument("--batch-size", type=cli.positive, required=True, help="rows of a batch")
    parser.add_argument("--shape", type=int, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--options", type=cli.json_object, default="{}", help="options of the engine, JSON")
    parser.add_argument("--threads", type=cli.positive, default=1)
    cli.add_devices(parser)
    parser.add_argument("--output", type=Path, required=True, help="artefact folder")
    options = parser.parse_args()
    name, precision = engines.parse(options.engine)
    engine, shape = engines.module(name), tuple(options.shape)
    with devices.hold(options.devices) as device, files.atomic_folder(options.output) as folder:
        settings = {
            "batch_size": options.batch_size,
            "shape": shape,
            "precision": precision,
            "options": options.options,
            "device": device,
        }
        started = time.perf_counter()
        facts = engine.compile_artefact(options.torchscript, folder, **settings)
        seconds = time.perf_counter() - started
        artefact_bytes = sum(path.stat().st_size for path in folder.iterdir())
        threads = cli.usable_threads(options.threads)
        reference = engines.module("torchscript").Session(options.torchscript, threads)
        least = LEAST_COSINE.get(precision, LEAST_COSINE_REDUCED)
        with contextlib.closing(engine.load(folder, threads=threads, **settings)) as session:
            cosine = check_artefact(session, reference, options.batch_size, shape, least)
        sidecar = {
            "engine": name,
            "versions": engines.versions(name),
            "requested_precision": precision,
            "precision": session.facts["precision"],
            "input": [options.batch_size, *shape],
            "options": options.options,
            **facts,
            "compile_seconds": seconds,
            "bytes": artefact_bytes,
            "torchscript_sha256": files.digest(options.torchscript),
            "code": code.digest(__file__, engines.source(name)),
        }
        files.write_json(folder / "artefact.json", sidecar)
    print(f"{options.engine}, batch size {options.batch_size}: least cosine with the trace {cosine:.7f}")


if __name__ == "__main__":
    cli.run(main)
