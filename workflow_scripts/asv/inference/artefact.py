"""The artefact of one engine, precision and batch size: a folder with what the engine loads, and ``artefact.json``.

It is compiled and compared with the trace before it is kept; whoever runs it takes its job from the record.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from .. import engines, files, vectors
from ..engine_interface import InFlightEngine, InFlightSession, Job, Session
from ..errors import InputError

RECORD = "artefact.json"
# Minimum cosine between the embeddings of the artefact and of the trace, on noise. In float32 only the order of sums
# differs; bfloat16 has 8 bits of significand, so the check there only tells a wrong graph from a rounded one.
MINIMUM_COSINE = {"f32": 0.99999}
MINIMUM_COSINE_REDUCED = 0.98
LENGTHS = (150, 333)  # frames of the noise where any number may come


class _Compiled(TypedDict):
    engine: str
    versions: dict[str, str]  # of the engine's packages
    requested_precision: str
    precision: str  # what really runs
    input: Sequence[int | None]  # batch size, mels, frames; None: any number of these
    options: Mapping[str, Any]  # of the engine
    compile_seconds: float
    bytes: int
    torchscript_sha256: str
    code: str  # digest of the code that compiled it


class Artefact(_Compiled, total=False):
    """``artefact.json``; the last three keys as in :class:`asv.engine_interface.CompileFacts`."""

    artefact: str
    cann: str | None
    stand_in: str


def read(folder: Path) -> Artefact:
    """The record of an artefact's folder; FileNotFoundError where there is none."""
    record: Artefact = files.read_json(folder / RECORD)
    return record


def job(artefact: Artefact, *, threads: int, options: Mapping[str, Any], device: int | None) -> Job:
    """The job that an artefact was compiled for; threads, options and device are those of the process that runs it."""
    batch_size, mels, frames = artefact["input"]
    assert batch_size is not None
    assert mels is not None
    return Job(batch_size, (mels, frames), artefact["requested_precision"], threads, options, device)


def load(folder: Path, artefact: Artefact, job: Job) -> Session:
    """A session of the artefact's engine; the caller closes it."""
    return engines.module(artefact["engine"]).load(folder, job)


def load_fastest(folder: Path, artefact: Artefact, job: Job) -> Session | InFlightSession:
    """A session for all features of a shard; the caller closes it.

    Whole utterances come one by one, and are too little work for several threads: where the engine can, each thread
    has one of its own. Batches of crops are run one at a time, as they are benchmarked.
    """
    engine = engines.module(artefact["engine"])
    if job.shape[1] is None and job.threads > 1 and isinstance(engine, InFlightEngine):
        return engine.load_in_flight(folder, job)
    return load(folder, artefact, job)


def compile_checked(torchscript: Path, folder: Path, engine: str, job: Job, code: str) -> tuple[Artefact, float]:
    """Compile a traced network into an empty folder, compare it with the trace, and write the record.

    Args:
        torchscript: the traced network.
        folder: exists and is empty.
        engine: its name, such as ``openvino``.
        job: what to compile for.
        code: digest of the code that runs, for the record.

    Returns:
        ``(artefact, cosine)``: the record, and the minimum cosine with the trace.

    Raises:
        InputError: where the engine refuses the job, or where the artefact disagrees with the trace.
    """
    started = time.perf_counter()
    facts = engines.module(engine).compile_artefact(torchscript, folder, job)
    seconds = time.perf_counter() - started
    size = sum(path.stat().st_size for path in folder.iterdir())
    precision, cosine = _compare_with_trace(torchscript, folder, engine, job)
    artefact: Artefact = {
        "engine": engine,
        "versions": engines.versions(engine),
        "requested_precision": job.precision,
        "precision": precision,
        "input": [*job.batch_shape],
        "options": job.options,
        **facts,
        "compile_seconds": seconds,
        "bytes": size,
        "torchscript_sha256": files.digest(torchscript),
        "code": code,
    }
    files.write_json(folder / RECORD, artefact)
    return artefact, cosine


def _compare_with_trace(torchscript: Path, folder: Path, engine: str, job: Job) -> tuple[str, float]:
    """The precision that really runs, and the minimum cosine with the trace."""
    reference_engine: Any = engines.module(engines.parse(engines.REFERENCE)[0])
    reference = reference_engine.Session(torchscript, job.threads)
    with contextlib.closing(engines.module(engine).load(folder, job)) as session:
        minimum = MINIMUM_COSINE.get(job.precision, MINIMUM_COSINE_REDUCED)
        return session.facts["precision"], check_session(session, reference, job, minimum)


def check_session(session: Session, reference: Session, job: Job, minimum: float) -> float:
    """Compare a session with the reference's on seeded noise; returns the minimum cosine.

    Raises:
        InputError: where the cosine is below ``minimum``, or not a number.
    """
    draw, cosine = np.random.default_rng(0), 1.0
    for frames in [job.shape[1]] if job.shape[1] is not None else LENGTHS:
        batch = draw.standard_normal((job.batch_size, job.shape[0], frames), np.float32)
        found = np.array(session.run(batch))
        cosine = np.minimum(cosine, vectors.cosines(found, reference.run(batch)).min())  # of NaN, NaN
    if not cosine >= minimum:  # catches NaN, too
        raise InputError(f"the artefact disagrees with the trace: cosine {cosine:.6f}, at least {minimum} is needed")
    return float(cosine)
