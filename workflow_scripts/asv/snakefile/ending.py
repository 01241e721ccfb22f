"""What a run that succeeded says last: the answers that it made, or what npu_doctor found."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .internals import Snakemake

ANSWER = re.compile(r"(?:^|/)results/(?:[^/]+/)?eer_bs[0-9]+\.txt$")
TABLE = re.compile(r"(?:^|/)results/benchmarks\.txt$")  # was printed, with the EER of every row
#: What the doctor of a run found: the run's token and an exit code.
DOCTORS_FINDING = ".snakemake/npu_doctor.code"
DOCTORS_PICTURE = "logs/npu_doctor.log"


def answers(asked: Iterable[str], made: Iterable[str]) -> list[str]:
    """Paths of the answers to report, each once: those that were asked for; where none was, those that were made.

    Where the table of benchmarks was made, it has told of them.

    Args:
        asked: paths of the targets' outputs; of a target that has none, of its inputs.
        made: paths that the run's jobs wrote.

    Returns:
        Sorted list; empty where the run made no answer, so that a call with nothing to do says nothing.
    """
    made = set(made)
    new = {path for path in made if ANSWER.search(path)}
    return sorted(new & set(asked) or (set() if any(map(TABLE.search, made)) else new))


def lines(paths: Iterable[str]) -> list[str]:
    """The file of every answer, and its first lines, one per trial list."""
    return [f"{path}: {line}" for path in paths for line in _first_lines(path)]


def _first_lines(path):
    with Path(path).open(encoding="utf-8") as stream:
        return [line.rstrip("\n") for line in itertools.takewhile(str.strip, stream)]


def said(snakemake: Snakemake) -> list[str]:
    """Lines to end a run with; none under ``--quiet`` and ``--touch``.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
    """
    if snakemake.is_quiet or snakemake.only_touches:
        return []
    return lines(answers(snakemake.asked_for, snakemake.made))


def doctors_finding(token: str) -> tuple[str, int]:
    """``(picture, exit code)`` of the doctor, if the run of this token had one; else nothing and 0."""
    if not Path(DOCTORS_FINDING).is_file():
        return "", 0
    run, code = Path(DOCTORS_FINDING).read_text(encoding="utf-8").split()
    return (Path(DOCTORS_PICTURE).read_text(encoding="utf-8"), int(code)) if run == token else ("", 0)
