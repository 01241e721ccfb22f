"""Tables of scores, one row per trial: tab-separated text, or Parquet.

They are written and read in blocks, as arrays: 10,000,000 trials as Python's strings would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from .table_formats import check_format

if TYPE_CHECKING:
    import numpy.typing as npt

COLUMNS = ("enrolment", "test", "target", "score")
LAST = [False, False, False, True]  # of them ends a line
BLOCK = 1 << 16  # rows at a time
BLOCK_BYTES = 1 << 22  # of text at a time: as many rows, about


def _rows(names, first, second, targets, scores):
    for start in range(0, len(scores), BLOCK):
        part = slice(start, start + BLOCK)
        columns = (first[part].tolist(), second[part].tolist(), targets[part].tolist(), scores[part].tolist())
        yield from ((names[a], names[b], int(target), repr(score)) for a, b, target, score in zip(*columns))


def _write_parquet(path, names, first, second, targets, scores):
    import pyarrow
    from pyarrow import parquet

    dictionary = pyarrow.array(names, pyarrow.string())
    enrolment, test = (
        pyarrow.DictionaryArray.from_arrays(np.asarray(rows, np.int32), dictionary) for rows in (first, second)
    )
    columns = dict(zip(COLUMNS, (enrolment, test, np.asarray(targets, np.int8), scores)))
    with files.atomic_file(path) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)


def write(
    path: Path,
    names: Sequence[str],
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    targets: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
) -> None:
    """Write scores, unrounded; the suffix of the path, ``.tsv`` or ``.parquet``, is the format.

    Args:
        path: of the file.
        names: utterance ids.
        first, second: integer ``(trials,)``, places in ``names``.
        targets: bool ``(trials,)``, written as 1 and 0.
        scores: float64 ``(trials,)``.
    """
    if path.suffix == ".parquet":
        check_format("parquet")
        _write_parquet(path, names, first, second, targets, scores)
    else:
        rows = _rows(names, first, second, targets, scores)
        files.write_table(path, COLUMNS, rows)


@dataclass(frozen=True)
class Scores:
    """What a table holds, in the order of its trials.

    Attributes:
        scores: float64 ``(trials,)``.
        targets: bool ``(trials,)``.
        first, second: unsigned integer ``(trials,)``, as narrow as will do: numbers of the speakers of both sides,
            which rise with their names; None where they were not asked for.
    """

    scores: npt.NDArray[np.float64]
    targets: npt.NDArray[np.bool_]
    first: npt.NDArray[np.unsignedinteger[Any]] | None = None
    second: npt.NDArray[np.unsignedinteger[Any]] | None = None


def _lines(path):
    """The header of a tab-separated table, bytes; then its other lines, uint8, in blocks of whole lines."""
    with path.open("rb") as stream:
        yield stream.readline()
        rest = b""
        while block := stream.read(BLOCK_BYTES):
            lines, newline, rest = (rest + block).rpartition(b"\n")
            if newline:
                yield np.frombuffer(lines + newline, np.uint8)
        if rest:
            yield np.frombuffer(rest + b"\n", np.uint8)


def _text(data, starts, ends):
    """The bytes from each start to its end, as an array of the kind ``S``."""
    lengths = ends - starts
    width = max(1, int(lengths.max()))
    padded = np.append(data, np.zeros(width, np.uint8))
    characters = np.lib.stride_tricks.sliding_window_view(padded, width)[starts]  # a copy
    characters[np.arange(width) >= lengths[:, None]] = 0
    return characters.view(f"S{width}")[:, 0]


def _distinct_speakers(data, starts, ends):
    """The speakers of ids, which end at the first slash: distinct names, and the place of each id's among them."""
    slashes = np.append(np.flatnonzero(data == ord("/")), len(data))
    speaker_ends = np.minimum(slashes[np.searchsorted(slashes, starts)], ends)
    names, places = np.unique(_text(data, starts, speaker_ends), return_inverse=True)
    return [name.decode("utf-8") for name in names.tolist()], places


def _tsv_blocks(path, speakers):
    """Scores, targets and, where they are asked for, distinct names and places of both sides' speakers, block by block.

    Names hold no tabs and no line ends: :func:`asv.files.write_table` refuses them.
    """
    blocks = _lines(path)
    if next(blocks) != ("\t".join(COLUMNS) + "\n").encode():
        raise InputError(f"{path}: not a table of scores, whose columns are {', '.join(COLUMNS)}; run score again")
    for data in blocks:
        ends = np.flatnonzero((data == ord("\t")) | (data == ord("\n")))
        if len(ends) % len(COLUMNS) or (data[ends].reshape(-1, len(COLUMNS)) == ord("\n")).any(axis=0).tolist() != LAST:
            raise InputError(f"{path}: a line does not have {len(COLUMNS)} columns; run score again")
        starts = np.append(0, ends[:-1] + 1)
        first, second, target, score = np.stack((starts, ends), axis=1).reshape(-1, len(COLUMNS), 2).transpose(1, 2, 0)
        sides = [_distinct_speakers(data, *side) for side in (first, second)] if speakers else []
        yield _text(data, *score).astype(np.float64), data[target[0]] == ord("1"), *sides


def _parquet_blocks(path, speakers):
    check_format("parquet")
    from pyarrow import compute, parquet

    def distinct(side):
        names = compute.list_element(
            compute.split_pattern(side.cast("string"), "/", max_splits=1), 0
        ).dictionary_encode()
        return names.dictionary.to_pylist(), names.indices.to_numpy()

    sides = COLUMNS[:2] if speakers else ()
    with parquet.ParquetFile(path) as table:
        for batch in table.iter_batches(BLOCK, columns=[*COLUMNS[2:], *sides]):
            scores, targets = batch["score"].to_numpy(), batch["target"].to_numpy() == 1
            yield scores, targets, *(distinct(batch[side]) for side in sides)


READERS = {".tsv": _tsv_blocks, ".parquet": _parquet_blocks}


class _Numbers:
    """Numbers of names that arrive block by block."""

    def __init__(self):
        self._number_of: dict[str, int] = {}

    def add(self, names, places):
        """Numbers int32 in the order of first appearance, which :meth:`by_name` tells how to replace."""
        numbers = [self._number_of.setdefault(name, len(self._number_of)) for name in names]
        return np.array(numbers, np.int32)[places]

    def by_name(self):
        """For each number that was given, the one that the name has among all names in order."""
        ordered = np.empty(len(self._number_of), np.min_scalar_type(len(self._number_of)))
        ordered[[self._number_of[name] for name in sorted(self._number_of)]] = np.arange(len(ordered))
        return ordered


def read(path: Path, speakers: bool = False) -> Scores:
    """Read a table of :func:`write`, as :class:`Scores`; its speakers where they are asked for.

    Raises:
        InputError: where it is not such a table.
    """
    numbers, blocks = _Numbers(), [(np.empty(0), np.empty(0, bool), *[np.empty(0, np.int32)] * 2 * speakers)]
    for scores, targets, *sides in READERS[path.suffix](path, speakers):
        blocks.append((scores, targets, *(numbers.add(*side) for side in sides)))
    scores, targets, *sides = map(np.concatenate, zip(*blocks))
    ordered = numbers.by_name()
    return Scores(scores, targets, *(ordered[side] for side in sides))


def of_folder(folder: Path) -> dict[str, Path]:
    """Tables in a folder that score.py wrote: name of the trial list to path, in the order of the files' names."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in READERS}
