"""Tables of scores, one row a trial: tab-separated text, or Parquet."""

from __future__ import annotations

import importlib.util

import numpy as np

from .. import files
from ..errors import InputError

FORMATS = ("tsv", "parquet")
BLOCK = 1 << 16  # rows at a time


def check_format(name):
    """Raise InputError where a format needs a package that is not there."""
    if name == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            "scoring.format: parquet needs the package pyarrow, which is not installed; run `python -m pip install "
            "pyarrow`, or set scoring.format: tsv"
        )


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
    columns = {"enrolment": enrolment, "test": test, "target": np.asarray(targets, np.int8), "score": scores}
    with files.atomic_file(path) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)


def write(path, names, first, second, targets, scores):
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
        files.write_table(path, ("enrolment", "test", "target", "score"), rows)


def _read_tsv(path, *columns):
    with path.open(encoding="utf-8") as stream:
        header = stream.readline().rstrip("\n").split("\t")
        places = [header.index(column) for column in columns]
        rows = (line.rstrip("\n").split("\t") for line in stream)
        return list(zip(*([row[place] for place in places] for row in rows))) or [[] for _ in columns]


def _read_parquet(path, *columns):
    check_format("parquet")
    from pyarrow import parquet

    return [column.to_pylist() for column in parquet.read_table(path, columns=columns).columns]


READERS = {".tsv": _read_tsv, ".parquet": _read_parquet}


def read(path):
    """Scores float64 ``(n,)`` and targets bool ``(n,)`` of a table, in the order of its trials."""
    targets, scores = READERS[path.suffix](path, "target", "score")
    return np.array(scores, np.float64), np.array(targets, np.int8) == 1


def read_speakers(path):
    """Speakers of both sides of a table's trials: two arrays of names ``(n,)``."""
    sides = READERS[path.suffix](path, "enrolment", "test")
    return tuple(np.array([name.split("/")[0] for name in side]) for side in sides)
