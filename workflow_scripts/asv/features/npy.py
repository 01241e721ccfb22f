"""Writing a ``.npy`` row by row, when the number of rows is only known at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError

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
        self.extend(row[np.newaxis])

    def extend(self, rows: npt.NDArray[np.float32]) -> None:
        """Write several rows: float32 ``(n, *row's shape)``."""
        if rows.shape[1:] != self._row_shape or rows.dtype != np.float32:
            raise ValueError(f"expected float32 {self._row_shape}, got {rows.dtype} {rows.shape[1:]}")
        self._stream.write(np.ascontiguousarray(rows).tobytes())
        self.rows += len(rows)

    def close(self) -> None:
        self._stream.seek(0)
        header = {"descr": "<f4", "fortran_order": False, "shape": (self.rows, *self._row_shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)
        if self._stream.tell() != HEADER:
            raise RuntimeError(f"the header of {header} takes {self._stream.tell()} bytes, not {HEADER}")


class CropWriter:
    """Writes the features of crops; of whole utterances, which have lengths of their own, frame behind frame.

    Args:
        stream: of the ``.npy``: float32 ``(crops, mels, frames)``, or of whole utterances ``(all frames, mels)``.
        mels: bands.
        frames: of a crop; None: whole utterances.

    Attributes:
        frames: of each crop that was written.
    """

    def __init__(self, stream: BinaryIO, mels: int, frames: int | None) -> None:
        self._whole = frames is None
        self._rows = RowWriter(stream, (mels,) if frames is None else (mels, frames))
        self.frames: list[int] = []

    def append(self, crop: npt.NDArray[np.float32]) -> None:
        """Write one crop: float32 ``(mels, frames)``."""
        if self._whole:
            self._rows.extend(crop.T)
        else:
            self._rows.append(crop)
        self.frames.append(crop.shape[1])

    def close(self) -> None:
        self._rows.close()


def open_rows(path: str | os.PathLike[str]) -> npt.NDArray[np.float32]:
    """Memory-map a ``.npy`` read-only (an empty one is read: nothing can be mapped)."""
    rows = np.load(path, mmap_mode="r")
    return rows if rows.size else np.array(rows)


class WholeUtterances:
    """Features of whole utterances, one after the other: rows of any number of frames.

    Args:
        frames: float32 ``(all frames, mels)``, may be memory-mapped.
        lengths: int ``(utterances,)``, their frames.

    Attributes:
        lengths: as given.

    Raises:
        InputError: where the lengths do not add up.
    """

    def __init__(self, frames: npt.NDArray[np.float32], lengths: npt.NDArray[np.int64]) -> None:
        self._frames, self.lengths = frames, lengths
        self._ends = np.concatenate([[0], np.cumsum(lengths)])
        if self._ends[-1] != len(frames):
            raise InputError(
                f"features of {len(frames)} frames, but {self._ends[-1]} by their lengths; make them again"
            )
        #: As of an array: utterances, mels, and None for frames.
        self.shape = (len(lengths), frames.shape[1], None)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: slice) -> npt.NDArray[np.float32]:
        """One utterance, as a batch: float32 ``(1, mels, frames)``."""
        (row,) = range(*index.indices(len(self)))
        return self._frames[self._ends[row] : self._ends[row + 1]].T[np.newaxis]
