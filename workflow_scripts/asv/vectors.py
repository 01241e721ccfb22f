"""Lengths and angles of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def unit_length(embeddings: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """float ``(n, d)`` to float64 rows of length 1 (zero rows stay zero)."""
    unit = np.array(embeddings, np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", unit, unit))[:, None]
    return np.divide(unit, norms, out=unit, where=norms > 0)


def unit_length_float32(embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32 ``(..., d)`` to rows of length 1, in the precision that embeddings are kept in (zero rows become NaN).

    Computed in float32 as well, so that embeddings of several crops are the same to the byte as in earlier versions;
    scores are computed from :func:`unit_length`.
    """
    return embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)


def cosines(embeddings: npt.ArrayLike, reference: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cosine of each row with the same row of the reference: float ``(n, d)`` twice to float64 ``(n,)``."""
    return np.einsum("ij,ij->i", unit_length(embeddings), unit_length(reference))
