"""Whether an artefact computes what the reference does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import vectors
from ..engine_interface import Job, Session
from ..errors import InputError
from . import reference_outputs

CARRIED = "reference.npz"
# Minimum cosine between the embeddings of the artefact and of the trace, on noise. In float32 only the order of sums
# differs; bfloat16 has 8 bits of significand, so the check there only tells a wrong graph from a rounded one.
# In int8 0.99 was measured, and 0.7 between the embeddings of different noise.
MINIMUM_COSINE = {"f32": 0.99999, "int8": 0.9}
MINIMUM_COSINE_REDUCED = 0.98
# Maximum difference of a number, of the largest one, in float32: the order of sums makes 1e-6, dilations that a
# conversion has lost 4e-3 at C = 512, where the cosine is still 0.9997.
MAXIMUM_DIFFERENCE = {"f32": 1e-4}
# The same in lengths of the embedding, of an artefact that is compared when it is loaded: a network that computes in
# float16 differs by 3.3e-4 at C = 512, one that has lost its dilations by 4.0e-3, one whose 1x1 convolution is padded
# by 4.5e-3.
MAXIMUM_DIFFERENCE_LOADED = 1.5e-3


def _embeddings(session, pair, job):
    """Embeddings of whole batches of a pair's inputs, and those that are expected, both ``(n, d)``."""
    found = reference_outputs.embeddings(session, pair.inputs, job.batch_size)
    if found.shape[1:] != pair.embeddings.shape[1:]:
        raise InputError(
            f"the artefact gives embeddings of {found.shape[1:]} numbers, and the reference of "
            f"{pair.embeddings.shape[1:]}; delete the artefact's folder and run again"
        )
    return found, np.resize(pair.embeddings, found.shape)


def compiled(session: Session, pairs: Sequence[reference_outputs.Pair], job: Job) -> float:
    """Compare a session with what the reference has made; returns the minimum cosine.

    Args:
        session: of the artefact.
        pairs: inputs, and the reference's embeddings of them.
        job: of the session.

    Raises:
        InputError: where an embedding is further away than the precision explains, or is not a number.
    """
    cosine, difference = 1.0, 0.0
    minimum = MINIMUM_COSINE.get(job.precision, MINIMUM_COSINE_REDUCED)
    maximum = MAXIMUM_DIFFERENCE.get(job.precision, np.inf)
    for pair in pairs:
        found, expected = _embeddings(session, pair, job)
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


def loaded(session: Session, folder: Path, job: Job) -> float:
    """Compare a session with what is carried in its artefact's folder; returns the largest difference.

    By the largest difference and not by the cosine: where a converter loses the dilations, the cosine is still 0.9997.

    Raises:
        InputError: where an embedding is further away than the precision explains, or is not a number.
    """
    differences = []
    for pair in reference_outputs.read(folder / CARRIED):
        found, expected = _embeddings(session, pair, job)
        differences.append((np.abs(found - expected) / np.linalg.norm(expected, axis=1, keepdims=True)).max())
    difference = float(np.max(differences))
    if not difference <= MAXIMUM_DIFFERENCE_LOADED:  # catches NaN, too
        raise InputError(
            f"the artefact disagrees with the reference: by {difference:.1e} of an embedding's length, and at most "
            f"{MAXIMUM_DIFFERENCE_LOADED:g} is explained by {job.precision}. Another graph runs (was the ONNX file "
            "edited? a tuning bank or kernel cache of another model?), or numbers overflow: try precision: "
            "mixed_float16, or keep_dtype for single operators"
        )
    print(f"differs from the reference by {difference:.1e} of an embedding's length")
    return difference
