"""Trial lists: pairs of utterances, with the truth whether their speaker is the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import files
from .dataset import utterance_id
from .errors import InputError

LABELS = {"1": True, "0": False}
KALDI_LABELS = {"target": True, "nontarget": False}
CENTROID = "centroid"  # name of the seed's protocol in results


@dataclass(frozen=True)
class TrialList:
    """A trial list; ``names`` are the utterance ids it uses, ``first`` and ``second`` index them.

    Attributes:
        name: the file's stem.
        md5: of the file.
        names: list of utterance ids.
        first, second: int64 ``(trials,)``.
        targets: bool ``(trials,)``.
        duplicates: number of trials that repeat an earlier one; they count as often as they are listed.
    """

    name: str
    md5: str
    names: list
    first: np.ndarray
    second: np.ndarray
    targets: np.ndarray
    duplicates: int


def protocol_names(paths):
    """Stems of the lists, which name them in results; equal ones are an error."""
    named = {CENTROID: "the seed's protocol"}
    for path in paths:
        stem = Path(path).stem
        if stem in named:
            raise InputError(
                f"dataset.trials: {path}: {stem!r} is also the name of {named[stem]}, which keys results; rename a "
                "list, or name those to use in dataset.trials"
            )
        named[stem] = f"another list, {path}"
    return list(named)[1:]


def _parse(line):
    """``label enrolment test`` (VoxCeleb) or ``enrolment test target|nontarget`` (Kaldi); None where it is neither.

    Tabs separate where there are any, so that names with spaces can be given.
    """
    parts = [part.strip() for part in line.split("\t")] if "\t" in line else line.split()
    trial = None
    if len(parts) == 3:
        if parts[0] in LABELS:
            trial = LABELS[parts[0]], parts[1], parts[2]
        elif parts[2] in KALDI_LABELS:
            trial = KALDI_LABELS[parts[2]], parts[0], parts[1]
    # An utterance of this layout has two folders; a list that names fewer is for another layout.
    return trial if trial and all(name.count("/") >= 2 for name in trial[1:]) else None


def read_trials(path):
    """Read a trial list.

    Raises:
        InputError: for a missing or empty file, malformed lines (by number), and pairs listed with both truths.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # splitlines would also split at rarer characters
    except OSError as error:
        raise InputError(f"dataset.trials: cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); is it a trial list?") from error
    parsed = [(number, line, _parse(line)) for number, line in enumerate(lines, 1) if line.strip()]
    if bad := [(number, line) for number, line, trial in parsed if trial is None]:
        shown = "; ".join(f"line {number}: {line[:80]!r}" for number, line in bad[:3])
        raise InputError(
            f"{path}: {len(bad)} of {len(parsed)} lines are not trials ({shown}); "
            "wanted: '1 enrolment test' or '0 enrolment test', or Kaldi's 'enrolment test target|nontarget', with "
            "utterances as speaker/session/utterance.wav, and tabs between them if there are spaces in names"
        )
    if not parsed:
        raise InputError(f"{path}: no trial in this list")
    index, keys = {}, {}  # an id may be written in several ways: both spellings lead to one row
    pairs = np.empty((len(parsed), 2), np.int64)
    for row, (_, _, (_, *names)) in enumerate(parsed):
        for column, name in enumerate(names):
            if name not in keys:
                keys[name] = index.setdefault(utterance_id(name), len(index))
            pairs[row, column] = keys[name]
    targets = np.array([trial[0] for _, _, trial in parsed])
    ordered = np.sort(pairs, axis=1)
    codes = ordered[:, 0] * len(index) + ordered[:, 1]  # the same pair in either order is the same trial
    distinct = len(np.unique(codes))
    if len(both := np.intersect1d(codes[targets], codes[~targets])):
        names = list(index)
        first, second = divmod(int(both[0]), len(index))
        raise InputError(
            f"{path}: {len(both)} pairs are listed both as same and as different speaker, the first "
            f"{names[first]} {names[second]}; correct the list"
        )
    duplicates = len(parsed) - distinct
    return TrialList(path.stem, files.digest(path, "md5"), list(index), *pairs.T, targets, duplicates)
