"""Trial lists: pairs of utterances, with the truth whether their speaker is the same."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import files
from .dataset import utterance_id
from .errors import InputError

LABELS = {"1": True, "0": False}
KALDI_LABELS = {"target": True, "nontarget": False}
CENTROID = "centroid"  # name of the seed's protocol in results
CENTROID_LEAVE_ONE_OUT = "centroid_leave_one_out"


@dataclass(frozen=True)
class OfficialList:
    """A trial list of the VoxCeleb1 authors: its name, the file's, numbers of trials, MD5 of the file."""

    name: str
    file: str
    targets: int
    nontargets: int
    md5: str


# Counts: PaddleSpeech, examples/voxceleb/README.md. MD5: public download scripts (two agree on O and on E cleaned).
OFFICIAL_LISTS = (
    OfficialList("VoxCeleb1-O", "veri_test.txt", 18860, 18860, "29fc7cc1c5d59f0816dc15d6e8be60f7"),
    OfficialList("VoxCeleb1-O (cleaned)", "veri_test2.txt", 18802, 18809, "b73110731c9223c1461fe49cb48dddfc"),
    OfficialList("VoxCeleb1-E", "list_test_all.txt", 290743, 290737, "b9ecf7aa49d4b656aa927a8092844e4a"),
    OfficialList("VoxCeleb1-E (cleaned)", "list_test_all2.txt", 289921, 289897, "a53e059deb562ffcfc092bf5d90d9f3a"),
    OfficialList("VoxCeleb1-H", "list_test_hard.txt", 276270, 276266, "21c341b6b2168eea2634df0fb4b8fff1"),
    OfficialList("VoxCeleb1-H (cleaned)", "list_test_hard2.txt", 275488, 275406, "857790e09d579a68eb2e339a090343c8"),
)
VOXCELEB1_DEV_SPEAKERS = 1211


@dataclass(frozen=True)
class TrialList:
    """A trial list; ``names`` are the utterance ids it uses, ``first`` and ``second`` index them.

    Attributes:
        name: the file's stem.
        file: the file's name.
        md5: of the file.
        names: list of utterance ids.
        first, second: int64 ``(trials,)``.
        targets: bool ``(trials,)``.
        duplicates: number of trials that repeat an earlier one; they count as often as they are listed.
    """

    name: str
    file: str
    md5: str
    names: list
    first: np.ndarray
    second: np.ndarray
    targets: np.ndarray
    duplicates: int


def protocol_names(paths):
    """Stems of the lists, which name them in results; equal ones are an error."""
    named = {CENTROID: "the seed's protocol", CENTROID_LEAVE_ONE_OUT: "the seed's protocol made unbiased"}
    reserved = len(named)
    for path in paths:
        stem = Path(path).stem
        if stem in named:
            raise InputError(
                f"dataset.trials: {path}: {stem!r} is also the name of {named[stem]}, which keys results; rename a "
                "list, or name those to use in dataset.trials"
            )
        named[stem] = f"another list, {path}"
    return list(named)[reserved:]


def _parse(line):
    """``label enrolment test`` (VoxCeleb) or ``enrolment test target|nontarget`` (Kaldi); None where it is neither.

    Tabs separate where there are any, so that names with spaces can be given.
    """
    parts = [part.strip() for part in line.split("\t")] if "\t" in line else line.split()
    if len(parts) != 3:
        return None
    if parts[0] in LABELS:
        target, first, second = LABELS[parts[0]], parts[1], parts[2]
    elif parts[2] in KALDI_LABELS:
        target, first, second = KALDI_LABELS[parts[2]], parts[0], parts[1]
    else:
        return None
    # An utterance of this layout has two folders; a list that names fewer is for another layout.
    return (target, first, second) if first.count("/") >= 2 and second.count("/") >= 2 else None


def read_trials(path):
    """Read a trial list, line by line.

    Raises:
        InputError: for a missing or empty file, malformed lines (by number), and pairs listed with both truths.
    """
    path = Path(path)
    index, keys = {}, {}  # an id may be written in several ways: both spellings lead to one row
    rows, labels = array("q"), array("b")
    count, bad, shown = 0, 0, []

    def row_of(name):
        if name not in keys:
            keys[name] = index.setdefault(utterance_id(name), len(index))
        return keys[name]

    number = 0
    try:
        with path.open(encoding="utf-8-sig") as stream:  # its lines, unlike splitlines, do not end at rarer characters
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                count += 1
                if trial := _parse(line):
                    target, first, second = trial
                    labels.append(target)
                    rows.append(row_of(first))
                    rows.append(row_of(second))
                else:
                    bad += 1
                    shown += [f"line {number}: {line.rstrip(chr(10))[:80]!r}"] if bad <= 3 else []
    except OSError as error:
        raise InputError(f"dataset.trials: cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (after line {number}); is it a trial list?") from error
    if bad:
        raise InputError(
            f"{path}: {bad} of {count} lines are not trials ({'; '.join(shown)}); "
            "wanted: '1 enrolment test' or '0 enrolment test', or Kaldi's 'enrolment test target|nontarget', with "
            "utterances as speaker/session/utterance.wav, and tabs between them if there are spaces in names"
        )
    if not count:
        raise InputError(f"{path}: no trial in this list")
    names, pairs = list(index), np.array(rows, np.int64).reshape(-1, 2)
    targets = np.array(labels, bool)
    low, high = pairs.min(axis=1), pairs.max(axis=1)  # the same pair in either order is the same trial
    listed = np.sort((low * len(names) + high) * 2 + targets)  # many times as fast as np.unique
    codes = listed >> 1
    another_pair = np.diff(codes) != 0
    distinct = 1 + int(np.count_nonzero(another_pair))
    if len(both := codes[1:][(np.diff(listed) != 0) & ~another_pair]):
        first, second = divmod(int(both[0]), len(names))
        raise InputError(
            f"{path}: {len(both)} pairs are listed both as same and as different speaker, the first "
            f"{names[first]} {names[second]}; correct the list"
        )
    first, second = pairs.T.copy()
    return TrialList(path.stem, path.name, files.digest(path, "md5"), names, first, second, targets, count - distinct)


def recognise(trials):
    """Which list of the VoxCeleb1 authors this is, by MD5, or by file name and counts.

    Returns:
        ``(name, note)``: a name such as ``VoxCeleb1-O (cleaned)``, or None; a warning, or None.
    """
    if same := [official for official in OFFICIAL_LISTS if official.md5 == trials.md5]:
        return same[0].name, None
    counts = int(np.count_nonzero(trials.targets)), int(np.count_nonzero(~trials.targets))
    for official in OFFICIAL_LISTS:
        if official.file == trials.file:
            if counts == (official.targets, official.nontargets):
                return official.name, None
            return None, (
                f"{trials.file} is the file name of {official.name}, which has {official.targets:,} target and "
                f"{official.nontargets:,} nontarget trials; this one has {counts[0]:,} and {counts[1]:,}"
            )
    return None, None


def voxceleb1_dev_speakers(speakers):
    """Those of the speakers that are VoxCeleb1's development part: id10001 to id11251 less O's id10270 to id10309."""
    numbers = {name: int(name[2:]) for name in speakers if re.fullmatch(r"id1\d{4}", name, re.ASCII)}
    return {name for name, n in numbers.items() if 10001 <= n <= 11251 and not 10270 <= n <= 10309}


def read_cohort(path):
    """Utterance ids of a cohort: a text file with one a line, each once, in its order.

    Raises:
        InputError: for a missing or empty file, and for lines that name no utterance.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"scoring.as_norm.cohort: cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); is it a list of utterances?") from error
    named = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if bad := [(number, line) for number, line in named if line.count("/") < 2]:
        raise InputError(
            f"{path}: {len(bad)} of {len(named)} lines are not utterances (line {bad[0][0]}: {bad[0][1][:80]!r}); "
            "wanted: one speaker/session/utterance.wav a line"
        )
    if not named:
        raise InputError(f"{path}: no utterance in this cohort")
    return list(dict.fromkeys(utterance_id(line) for _, line in named))
