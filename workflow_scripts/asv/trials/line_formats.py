"""Formats of trial lists, recognised over the whole file, which has one: ``docs/trial-lists.md``.

A line is a label and two utterances. Formats differ in where the label is, in its words, in what separates fields, and
in whether a column of scores follows.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..dataset.listing import is_audio
from ..errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

LABELS = (  # for the same speaker, and for different speakers; of any case
    ("1", "0"),
    ("target", "nontarget"),
    ("target", "non-target"),
    ("target", "impostor"),
    ("target", "imposter"),
    ("tgt", "imp"),
    ("tar", "non"),
    ("true", "false"),
    ("same", "different"),
    ("same", "diff"),
    ("genuine", "impostor"),
    ("positive", "negative"),
    ("yes", "no"),
)
SEPARATORS = {"": "", ",": "comma-separated", ";": "semicolon-separated"}  # "": tabs, or any blanks
CORPORA = {
    (False, LABELS[0]): "VoxCeleb",
    (True, LABELS[1]): "Kaldi",
    (True, ("tgt", "imp")): "SITW, VOiCES",
}
# Words that names of columns are made of, such as enrolment_id, utt1, is_same, targettype. A path, a file's name and a
# long number are none of them: they belong to an utterance, whose trial would be lost with a misspelt label.
COLUMN_WORDS = (
    "enrolments?|enrollments?|enroll?|tests?|probe|reference|ref|claim|model|speaker|spk|"
    "utterances?|utts?|segments?|seg|files?|filename|wavs?|paths?|audio|names?|ids?|first|second|left|right|"
    "labels?|targets?|trials?|truth|key|same|match|is|type|class|scores?|llr|[abxy]"
)
_COLUMN = re.compile(rf"(?:(?:{COLUMN_WORDS})(?:[^\w\\/]|_)*(?:\d{{1,2}}(?:[^\w\\/]|_)*)?)+", re.ASCII | re.IGNORECASE)
_LONGEST_COLUMN = 40  # characters


@dataclass(frozen=True)
class Format:
    """A format of trial lists.

    Attributes:
        separator: a comma, a semicolon, or nothing: tabs where a line has them, else any blanks.
        label_last: whether the label is the third field instead of the first.
        columns: 3, or 4 where a score follows, which is not read.
        words: the labels of targets and of nontargets.
    """

    separator: str
    label_last: bool
    columns: int
    words: tuple[str, str]
    truth: dict[str, bool] = field(compare=False, repr=False)

    def split(self, line: str) -> list[str]:
        """The fields of a line."""
        return _split(line, self.separator, self.columns)

    def parse(self, line: str) -> tuple[bool, str, str] | None:
        """``(target, enrolment, test)`` of a line; None where it is not a trial of this format."""
        parts = _split(line, self.separator, self.columns)
        if len(parts) != self.columns:
            return None
        if self.label_last:
            first, second, label = parts[:3]
        else:
            label, first, second = parts[:3]
        target = self.truth.get(label.lower())
        if target is None or not first or not second or (self.columns == 4 and not _is_number(parts[3])):
            return None
        return target, first, second

    def __str__(self) -> str:
        words = "/".join(self.words)
        form = f"enrolment test {words}" if self.label_last else f"{words} enrolment test"
        corpus = CORPORA.get((self.label_last, self.words))
        facts = [
            form + (f" ({corpus})" if corpus else ""),
            SEPARATORS[self.separator],
            "the scores after it are not read" if self.columns == 4 else "",
        ]
        return ", ".join(filter(None, facts))

    def is_header(self, line: str) -> bool:
        """Whether a line that is no trial of this format names its columns.

        Where it could be a trial of another format, utterances must have no digits: utt1 utt2 target is left to people.
        """
        parts = self.split(line)
        named = len(parts) == self.columns and all(
            len(part) <= _LONGEST_COLUMN and _COLUMN.fullmatch(part) and not is_audio(part) for part in parts
        )
        return named and not (formats_of(line) and re.search(r"\d", line))


def _split(line, separator, columns):
    if separator:
        if '"' not in line:
            return [part.strip() for part in line.split(separator)]
        try:
            return [part.strip() for part in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
        except csv.Error:
            return []
    if "\t" in line:  # tabs, so that names can have spaces
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) == columns:
            return parts
    return line.split()


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


FORMATS = {
    (separator, label_last, columns, words): Format(
        separator, label_last, columns, words, {words[0]: True, words[1]: False}
    )
    for separator in SEPARATORS
    for label_last in (False, True)
    for columns in (3, 4)
    for words in LABELS
}
_WORDS_OF = defaultdict(list)
for _words in LABELS:
    for _word in _words:
        _WORDS_OF[_word].append(_words)


def formats_of(line: str) -> set[Format]:
    """The formats in which a line is a trial: a set, mostly empty or of one, of :class:`Format`."""
    found: set[Format] = set()
    for separator in SEPARATORS:
        for columns in (3, 4):
            parts = _split(line, separator, columns)
            # A field that begins or ends with a comma is one of a line that commas separate, with blanks after them.
            if len(parts) == columns and (separator or all(part == part.strip(",;") for part in parts)):
                keys = (
                    (separator, label_last, columns, words)
                    for label_last in (False, True)
                    for words in _WORDS_OF.get(parts[2 if label_last else 0].lower(), ())
                )
                found.update(FORMATS[key] for key in keys if FORMATS[key].parse(line))
    return found


def recognise(path: Path | str, lines: Iterable[tuple[int, str]]) -> Format | None:
    """The format in which a file's trials are written.

    Args:
        path: of the file, for messages.
        lines: iterable of ``(number, line)``, without blank lines and comments; read until one format is left.

    Returns:
        the format of the first trial, made certain by later ones; None where no line is a trial in any format.

    Raises:
        InputError: where all lines can be read in two ways.
    """
    left, shown, perhaps_header, said = None, (0, ""), False, None
    for number, line in lines:
        # A list may begin with a hundred thousand targets, which say no more than the first.
        if said is not None and _targets(left, line) == said:
            continue
        if not (found := formats_of(line)):
            continue
        if left is None:
            left, shown = found, (number, line)
            perhaps_header = any(form.is_header(line) for form in found)  # such as: enrolment test target
        elif both := left & found:
            left, perhaps_header = both, False
        elif perhaps_header:
            left, shown, perhaps_header = found, (number, line), False
        if len(left) == 1 and not perhaps_header:
            break
        said = None if perhaps_header else _targets(left, line)
    if left is None:
        return None
    # Of formats that differ in words alone, such as target/nontarget and target/impostor, all lines have the same word.
    ways = {(form.separator, form.label_last, form.columns): form for form in sorted(left, key=_order, reverse=True)}
    if len(ways) > 1:
        first, second, *_ = sorted(ways.values(), key=_order)
        raise InputError(
            f"{path}: every line can be read as '{first}' and as '{second}' (such as line {shown[0]}: "
            f"{shown[1].strip()[:80]!r}); write labels as target and nontarget, or utterances with their folders"
        )
    return next(iter(ways.values()))


def _targets(forms, line):
    """Whether a line is a target, by format; None for those in which it is no trial."""
    trials = {form: form.parse(line) for form in forms}
    return {form: trial and trial[0] for form, trial in trials.items()}


def _order(form):
    return list(SEPARATORS).index(form.separator), form.label_last, form.columns, LABELS.index(form.words)


def is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
