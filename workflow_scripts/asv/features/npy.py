"""Writing a ``.npy`` row by row, when the number of rows is only known at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

HEADER = 128  # bytes; a multiple of 64 that holds the header of any shape used here


class RowWriter:
    """Appends float32 rows of one shape to an open binary file; :meth:`close` writes the header with their number."""

    def __init__(self, stream: BinaryIO, row_shape: Sequence[int]) -> None:
        self.rows = 0
        self._stream = stream
        self._row_shape = tuple(row_shape)
        stream.write(b"\0" * HEADER)

    def append(self, row: npt.NDArray[np.float32]) -> None:
        """Write one row: float32 of the row's shape."""
        if row.shape != self._row_shape or row.dtype != np.float32:
            raise ValueError(f"expected float32 {self._row_shape}, got {row.dtype} {row.shape}")
        self._stream.write(np.ascontiguousarray(row).tobytes())
        self.rows += 1

    def close(self) -> None:
        self._stream.seek(0)
        header = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, *self._row_shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)
        if self._stream.tell() != HEADER:
            raise RuntimeError(f"the header of {header} takes {self._stream.tell()} bytes, not {HEADER}")


def open_rows(path: str | os.PathLike[str]) -> npt.NDArray[np.float32]:
    """Memory-map a ``.npy`` read-only (an empty one is read: nothing can be mapped)."""
    rows = np.load(path, mmap_mode="r")
    return rows if rows.size else np.array(rows)
