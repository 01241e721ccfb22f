"""Batches of the size that an artefact takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def filled(rows: npt.NDArray[np.float32], batch_size: int) -> npt.NDArray[np.float32]:
    """Rows, at most ``batch_size``, as a batch of its own memory, filled up with zeros."""
    batch = np.zeros((batch_size, *rows.shape[1:]), np.float32)
    batch[: len(rows)] = rows
    return batch
