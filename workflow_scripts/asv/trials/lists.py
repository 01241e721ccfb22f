"""Trial lists: pairs of utterances, with the truth whether their speaker is the same."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import files
from ..errors import InputError
from . import text_files
from .line_formats import formats_of, is_comment, recognise
from .matching import spelled

if TYPE_CHECKING:
    import numpy.typing as npt

SETTING, WHAT = "dataset.trials", "a trial list"
EXPECTED = (
    "expected: '1 enrolment test' and '0 enrolment test', or the label last, also target and nontarget, tgt and imp; "
    "utterances as speaker/session/utterance.wav, with tabs or commas between fields if there are blanks in names; "
    "docs/trial-lists.md has all formats"
)


@dataclass(frozen=True)
class TrialList:
    """A trial list; ``names`` are the utterances it uses, ``first`` and ``second`` index them.

    Attributes:
        name: the file's stem.
        file: the file's name.
        md5: of the file.
        names: list of utterances: as :func:`asv.trials.matching.spelled` gives them; ids once they are matched.
        first, second: int64 ``(trials,)``.
        targets: bool ``(trials,)``.
        duplicates: number of trials that repeat an earlier one; they count as often as they are listed.
        format: in words.
    """

    name: str
    file: str
    md5: str
    names: list[str]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    targets: npt.NDArray[np.bool_]
    duplicates: int
    format: str


class _Content:
    """The trials of a list as they are read line by line.

    Attributes:
        path: of the file.
        form: their format; None where no line is a trial.
        rows: of utterances, two per trial. Flat arrays: a list of lists of ten million trials would take gigabytes.
        labels: one per trial.
        utterances: distinct ones in order of appearance, to their rows.
        comments: number of comment lines.
        header: whether there is a header line.
        bad: number of lines that are no trials.
        shown: the first few of them.
        foreign: the first of them that is a trial in another format, and that format.
        first: number of the first line that is a trial.
    """

    def __init__(self, path, form):
        self.path, self.form = path, form
        self.rows, self.labels, self.utterances = array("q"), array("b"), {}
        self.comments, self.header = 0, False
        self.bad, self.shown, self.foreign, self.first = 0, [], None, None

    def read(self, blocks, head):
        """Read all lines; a header may be in line number ``head`` alone."""
        known = {}  # rows of names as they are written: an utterance may be written in several ways
        parse = self.form.parse if self.form else lambda line: None
        for start, lines in blocks:
            for number, line in enumerate(lines, start):
                if trial := parse(line):
                    target, first, second = trial
                    if first[0] == "#" and is_comment(line):
                        raise self._ambiguous(number, line)
                    for name in (first, second):
                        if name not in known:
                            known[name] = self._row(name)
                    if known[first] >= 0 and known[second] >= 0:
                        if self.first is None:
                            self.first = number
                        self.labels.append(target)
                        self.rows.append(known[first])
                        self.rows.append(known[second])
                        continue
                self._other(number, line, number == head)

    def _ambiguous(self, number, line):
        return InputError(
            f"{self.path}: line {number} could be a comment or a trial, since a name begins with #: {line[:80]!r}; "
            "remove it, or write the name with its folder"
        )

    def _row(self, name):
        """Row of a name that was not seen before; -1 where it names no utterance."""
        key = spelled(name)
        # The same string twice costs no memory.
        return self.utterances.setdefault(name if key == name else key, len(self.utterances)) if key else -1

    def _other(self, number, line, may_be_header):
        if not line or line.isspace():
            return
        if is_comment(line):
            self.comments += 1
        elif may_be_header and self.form and self.form.is_header(line):
            self.header = True
        else:
            self.bad += 1
            if len(self.shown) < 3:
                self.shown.append(f"line {number}: {line[:80]!r}")
            if self.foreign is None and (found := formats_of(line)) and self.form not in found:
                self.foreign = number, line, min(found, key=str)

    def check(self):
        """End with an error that counts the lines that are no trials, if there are any, or no trials."""
        count = len(self.labels) + self.bad
        if self.foreign and self.labels:
            number, line, form = self.foreign
            raise InputError(
                f"{self.path}: a mixture of formats: '{self.form}' in line {self.first}, '{form}' in line {number} "
                f"({line[:80]!r}); {self.bad} of {count} lines are not of the first; write all lines in one format"
            )
        if self.bad:
            raise InputError(
                f"{self.path}: {self.bad} of {count} lines are not trials ({'; '.join(self.shown)}); {EXPECTED}"
            )
        if not self.labels:
            raise InputError(f"{self.path}: no trial in this list")

    def arrays(self):
        """``(first, second, targets)`` of :class:`TrialList`."""
        first, second = np.frombuffer(self.rows, np.int64).reshape(-1, 2).T.copy()
        return first, second, np.array(self.labels, bool)

    def format(self):
        """In words."""
        notes = ["header line left out"] if self.header else []
        if self.comments:
            notes.append(f"{self.comments:,} comment line{'s' * (self.comments > 1)} left out")
        return ", ".join([str(self.form), *notes])


def read_trials(path: files.PathLike) -> TrialList:
    """Read a trial list, apart from any data set; :func:`asv.trials.rows.match` looks for its utterances in one.

    Raises:
        InputError: for a missing or empty file, malformed lines (by number), mixed or ambiguous formats, and pairs
            listed with both labels.
    """
    path = Path(path)
    names, first, second, targets, form = _read(path)
    return TrialList(
        name=path.stem,
        file=path.name,
        md5=files.digest(path, "md5"),
        names=names,
        first=first,
        second=second,
        targets=targets,
        duplicates=count_duplicates(path, names, first, second, targets),
        format=form,
    )


def _read(path):
    """Names, first, second, targets and format of :class:`TrialList`."""

    def lines():
        return (item for item in text_files.filled_lines(path, SETTING, WHAT) if not is_comment(item[1]))

    head, _ = next(lines(), (None, None))
    content = _Content(path, recognise(path, lines()))
    content.read(text_files.blocks(path, SETTING, WHAT), head)
    content.check()
    return list(content.utterances), *content.arrays(), content.format()


def count_duplicates(
    path: files.PathLike,
    names: Sequence[str],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    targets: npt.NDArray[np.bool_],
) -> int:
    """Number of trials that repeat an earlier one; pairs with both labels are an error."""
    listed = np.minimum(first, second) * len(names)  # either order is the same trial
    listed += np.maximum(first, second)
    listed *= 2
    listed += targets
    listed.sort()  # many times as fast as np.unique
    codes = listed >> 1
    another_pair = np.diff(codes) != 0
    distinct = 1 + int(np.count_nonzero(another_pair))
    if len(both := codes[1:][(np.diff(listed) != 0) & ~another_pair]):
        one, other = divmod(int(both[0]), len(names))
        raise InputError(
            f"{path}: {len(both)} pairs are listed both as same and as different speaker, the first "
            f"{names[one]} {names[other]}; correct the list"
        )
    return len(targets) - distinct
