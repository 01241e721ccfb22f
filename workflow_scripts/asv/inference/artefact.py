"""The artefact of one engine, precision and batch size: a folder with what the engine loads, and ``artefact.json``.

It is compiled and compared with what the reference makes of the network before it is kept, or, where its toolchain
cannot, whenever it is loaded; whoever runs it takes its job from the record.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from .. import engines, files
from ..engine_interface import CompileFacts, InFlightEngine, InFlightSession, Job, Session
from ..errors import InputError
from . import artefact_check, reference_outputs

if TYPE_CHECKING:
    from ..features.contract import Contract

RECORD = "artefact.json"


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
    if (folder / artefact_check.CARRIED).exists():
        try:
            artefact_check.loaded(session, folder, job)
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
    reference: Path | None = None,
    contract: Contract | None = None,
) -> tuple[Artefact, float | None]:
    """Compile a network into an empty folder, compare it with what the reference makes of it, and write the record.

    Args:
        network: its file as the reference reads it, TorchScript or ONNX.
        folder: exists and is empty.
        engine: its name, such as ``openvino``.
        job: what to compile for.
        code: digest of the code that runs, for the record.
        exported: the network in the form that the engine reads, where that is another.
        reference: what the reference makes of a few inputs (:mod:`asv.inference.reference_outputs`); None: it is
            computed here.
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
    precision, cosine = _compare(network, folder, engine, job, facts, reference)
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
    network: Path, folder: Path, engine: str, job: Job, facts: CompileFacts, reference: Path | None
) -> tuple[str, float | None]:
    """The precision that really runs, and the minimum cosine with the reference, None where :func:`load` compares."""
    if reference is None:
        noise = facts.get("quantisation", {}).get("features", {})
        pairs = reference_outputs.compute(network, job.shape, job.batch_size, job.threads, **noise)
    else:
        pairs = reference_outputs.read(reference)
    if engines.carries_outputs(engine):
        reference_outputs.write(folder / artefact_check.CARRIED, pairs)
        return job.precision, None
    is_reference = engines.reference(network.suffix) == engines.label(engine, job.precision)
    if is_reference and files.digest(folder / facts["artefact"]) == files.digest(network):
        return job.precision, 1.0  # by its own outputs it would be compared with itself
    with contextlib.closing(engines.module(engine).load(folder, job)) as session:
        return session.facts["precision"], artefact_check.compiled(session, pairs, job)
