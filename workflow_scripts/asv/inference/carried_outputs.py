"""What the reference makes of a few inputs, carried with an artefact whose toolchain cannot run the reference.

They are compared when the artefact is loaded, so before any embedding of it is written. By the largest difference and
not by the cosine: where a converter loses the dilations, the cosine is still 0.9997.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import engines
from ..engine_interface import Job, Session
from ..errors import InputError
from .batches import filled

if TYPE_CHECKING:
    import numpy.typing as npt

FILE = "reference.npz"
ROWS = 4
# Of a number, in lengths of the embedding: a network that computes in float16 differs by 3.3e-4 at C = 512, one that
# has lost its dilations by 4.0e-3, one whose 1x1 convolution is padded by 4.5e-3.
MAXIMUM_DIFFERENCE = 1.5e-3


def noise(job: Job) -> npt.NDArray[np.float32]:
    """Seeded inputs, float32 ``(rows, mels, frames)``: a batch, or as much of it as is carried."""
    mels, frames = job.shape
    assert frames is not None
    return np.random.default_rng(0).standard_normal((min(job.batch_size, ROWS), mels, frames), np.float32)


def write(network: Path, label: str, job: Job, path: Path) -> None:
    """Write inputs and what the reference makes of them.

    Args:
        network: the file that the reference reads.
        label: of the reference, such as ``torchscript-f32``.
        job: shape of the batches; frames are a number.
        path: ``.npz``.
    """
    name, precision = engines.parse(label)
    of_reference, inputs = Job(job.batch_size, job.shape, precision, job.threads), noise(job)
    with tempfile.TemporaryDirectory() as place:
        engines.module(name).compile_artefact(network, Path(place), of_reference)
        with contextlib.closing(engines.module(name).load(Path(place), of_reference)) as session:
            outputs = np.array(session.run(filled(inputs, job.batch_size)), np.float32)[: len(inputs)]
    with path.open("wb") as stream:
        np.savez(stream, inputs=inputs, embeddings=outputs)


def check(session: Session, folder: Path, job: Job) -> float:
    """Compare a session with what is carried in its artefact's folder; returns the largest difference.

    Raises:
        InputError: where an embedding is further away than the precision explains, or is not a number.
    """
    with np.load(folder / FILE) as carried:
        inputs, expected = carried["inputs"], carried["embeddings"]
    found = np.array(session.run(filled(inputs, job.batch_size)))[: len(inputs)]
    if found.shape != expected.shape:
        raise InputError(
            f"the artefact gives embeddings {found.shape}, and the reference {expected.shape}; delete {folder} and run "
            "again"
        )
    difference = float((np.abs(found - expected) / np.linalg.norm(expected, axis=1, keepdims=True)).max())
    if not difference <= MAXIMUM_DIFFERENCE:  # catches NaN, too
        raise InputError(
            f"the artefact disagrees with the reference: by {difference:.1e} of an embedding's length, and at most "
            f"{MAXIMUM_DIFFERENCE:g} is explained by {job.precision}. Another graph runs (was the ONNX file edited? a "
            "tuning bank or kernel cache of another model?), or numbers overflow: try precision: mixed_float16, or "
            "keep_dtype for single operators"
        )
    print(f"differs from the reference by {difference:.1e} of an embedding's length")
    return difference
