"""The artefact of one engine, precision and batch size: a folder with what the engine loads, and ``artefact.json``.

It is compiled and compared with what the reference makes of the network before it is kept, or, where its toolchain
cannot, whenever it is loaded; whoever runs it takes its job from the record.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from .. import engines, files, vectors
from ..engine_interface import InFlightEngine, InFlightSession, Job, Session
from ..errors import InputError
from . import carried_outputs

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..features.contract import Contract

RECORD = "artefact.json"
# Minimum cosine between the embeddings of the artefact and of the trace, on noise. In float32 only the order of sums
# differs; bfloat16 has 8 bits of significand, so the check there only tells a wrong graph from a rounded one.
# In int8 0.99 was measured, and 0.7 between the embeddings of different noise.
MINIMUM_COSINE = {"f32": 0.99999, "int8": 0.9}
MINIMUM_COSINE_REDUCED = 0.98
# Maximum difference of a number, of the largest one, in float32: the order of sums makes 1e-6, dilations that a
# conversion has lost 4e-3 at C = 512, where the cosine is still 0.9997.
MAXIMUM_DIFFERENCE = {"f32": 1e-4}
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
    network_sha256: str
    code: str  # digest of the code that compiled it


class Artefact(_Compiled, total=False):
    """``artefact.json``; the four behind the contract as in :class:`asv.engine_interface.CompileFacts`."""

    contract: Mapping[str, Any]  # of the features that the network was trained on
    artefact: str
    cann: str | None
    atc: str | None
    stand_in: str
    quantisation: Mapping[str, Any]


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
    """A session of the artefact's engine; the caller closes it.

    Raises:
        InputError: as :meth:`asv.engine_interface.Engine.load`, or where the session does not give the outputs that the
            artefact carries.
    """
    session = engines.module(artefact["engine"]).load(folder, job)
    if (folder / carried_outputs.FILE).exists():
        try:
            carried_outputs.check(session, folder, job)
        except BaseException:
            session.close()
            raise
    return session


def load_fastest(folder: Path, artefact: Artefact, job: Job) -> Session | InFlightSession:
    """A session for all features of a shard; the caller closes it.

    Whole utterances come one by one, and are too little work for several threads: where the engine can, each thread
    has one of its own. Batches of crops are run one at a time, as they are benchmarked.
    """
    engine = engines.module(artefact["engine"])
    if job.shape[1] is None and job.threads > 1 and isinstance(engine, InFlightEngine):
        return engine.load_in_flight(folder, job)
    return load(folder, artefact, job)


def compile_checked(
    network: Path,
    folder: Path,
    engine: str,
    job: Job,
    code: str,
    exported: Path | None = None,
    outputs: Path | None = None,
    contract: Contract | None = None,
) -> tuple[Artefact, float | None]:
    """Compile a network into an empty folder, compare it with what the reference makes of it, and write the record.

    Args:
        network: its file, TorchScript or ONNX.
        folder: exists and is empty.
        engine: its name, such as ``openvino``.
        job: what to compile for.
        code: digest of the code that runs, for the record.
        exported: the network in the form that the engine reads, where that is another; ``network`` is the reference's.
        outputs: the reference's, of :mod:`asv.inference.carried_outputs`, where the artefact carries them and
            :func:`load` compares it.
        contract: of the features that the network was trained on, for the record.

    Returns:
        ``(artefact, cosine)``: the record, and the minimum cosine with the reference, None where :func:`load` compares.

    Raises:
        InputError: where the engine refuses the job or the file, or where the artefact disagrees with the reference.
    """
    own = exported or network
    if not engines.reads(engine, own.suffix):
        problem = engines.foreign(engine, own.suffix) or f"{engine} cannot read {own.name}; export it (export_onnx.py)"
        raise InputError(f"engine: {problem}")
    started = time.perf_counter()
    facts = engines.module(engine).compile_artefact(own, folder, job)
    seconds = time.perf_counter() - started
    size = sum(path.stat().st_size for path in folder.iterdir())
    if outputs is None:
        noise = facts.get("quantisation", {}).get("features", {})
        precision, cosine = _compare(network, folder, engine, job, noise)
    else:
        precision, cosine = job.precision, None
        shutil.copyfile(outputs, folder / carried_outputs.FILE)
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
        "network_sha256": files.digest(network),
        "code": code,
    }
    if contract is not None:
        artefact["contract"] = contract.to_mapping()
    files.write_json(folder / RECORD, artefact)
    return artefact, cosine


def _compare(
    network: Path, folder: Path, engine: str, job: Job, noise: Mapping[str, float]
) -> tuple[str, float | None]:
    """The precision that really runs, and the minimum cosine with the reference."""
    name, precision = engines.parse(engines.reference(network.suffix))
    module, of_reference = engines.module(name), Job(job.batch_size, job.shape, precision, job.threads)
    with tempfile.TemporaryDirectory(dir=folder) as place, contextlib.ExitStack() as stack:
        module.compile_artefact(network, Path(place), of_reference)
        reference = stack.enter_context(contextlib.closing(module.load(Path(place), of_reference)))
        session = stack.enter_context(contextlib.closing(engines.module(engine).load(folder, job)))
        return session.facts["precision"], check_session(session, reference, job, **noise)


def _of_reference(reference: Session, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    try:
        return reference.run(batch)
    except RuntimeError as error:  # PyTorch's, of a graph that was made for another number of frames
        raise InputError(
            f"features.frames, accuracy_by_length.frames: the network cannot run {batch.shape[2]} frames of "
            f"{batch.shape[1]} bands: {str(error).strip().splitlines()[-1]}; set the number that it was made for "
            "(whole utterances, and so accuracy_by_length, need a network that takes any number)"
        ) from error


def check_session(session: Session, reference: Session, job: Job, mean: float = 0.0, deviation: float = 1.0) -> float:
    """Compare a session with the reference's on seeded noise; returns the minimum cosine.

    Args:
        session, reference: what is compared, and with what.
        job: of both.
        mean, deviation: of the noise. What lies beyond the features that int8 was calibrated with is cut off there.

    Raises:
        InputError: where an embedding is further away than the precision explains, or is not a number.
    """
    draw, cosine, difference = np.random.default_rng(0), 1.0, 0.0
    minimum = MINIMUM_COSINE.get(job.precision, MINIMUM_COSINE_REDUCED)
    maximum = MAXIMUM_DIFFERENCE.get(job.precision, np.inf)
    for frames in [job.shape[1]] if job.shape[1] is not None else LENGTHS:
        batch = np.float32(mean) + np.float32(deviation) * draw.standard_normal(
            (job.batch_size, job.shape[0], frames), np.float32
        )
        expected = _of_reference(reference, batch)
        found = np.array(session.run(batch))
        cosine = np.minimum(cosine, vectors.cosines(found, expected).min())  # of NaN, NaN
        difference = max(difference, float(np.abs(found - expected).max() / np.abs(expected).max()))
    if not cosine >= minimum:  # catches NaN, too
        raise InputError(
            f"the artefact disagrees with the reference: cosine {cosine:.6f}, at least {minimum} is needed"
        )
    if difference > maximum:
        raise InputError(
            f"the artefact disagrees with the reference by {difference:.1e} of the largest number, and at most "
            f"{maximum:g} is right in {job.precision} (cosine {cosine:.6f}): the engine runs another graph"
        )
    return float(cosine)
