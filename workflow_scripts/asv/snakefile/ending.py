"""What a run that succeeded says last: the answers that it made, for a person at a terminal."""

from __future__ import annotations

import re
from pathlib import Path

ANSWER = re.compile(r"(?:^|/)results/(?:[^/]+/)?eer_bs[0-9]+\.txt$")


def answers(asked, made):
    """Paths of the answers to be told, each once: those that were asked for; where none was, those that were made.

    Args:
        asked: paths of the targets' outputs; of a target that has none, of its inputs.
        made: paths that the run's jobs wrote.

    Returns:
        Sorted list; empty where the run made no answer, so that a call with nothing to do says nothing.
    """
    new = {path for path in made if ANSWER.search(path)}
    return sorted(new & set(asked) or new)


def lines(paths):
    """A line per answer: the file, and the first line of it."""
    return [f"{path}: {_first_line(path)}" for path in paths]


def _first_line(path):
    with Path(path).open(encoding="utf-8") as stream:
        return stream.readline().rstrip("\n")


def said(snakemake):
    """Lines to end a run with; none under ``--quiet`` and ``--touch``.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
    """
    if snakemake.is_quiet or snakemake.only_touches:
        return []
    return lines(answers(snakemake.asked_for, snakemake.made))
