"""Answers of an earlier time that a run did not make anew: where they are of other settings they are set aside, too.

A run knows what it rests on of what it was asked for alone. The answer of another batch size, or of another engine,
stays where it is, and is right as long as it tells of the same recordings, network, features, scoring and code as the
answers that the run has just made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import outdated
from .ending import ANSWER

#: Of an answer's JSON: what depends neither on the engine nor on the batch size, and what of the engine is the same for
#: all batch sizes.
SHARED = ("dataset", "scoring", "utterances", "features", "network")
OF_ENGINE = ("name", "versions", "requested_precision", "precision", "averaging", "code", "options")
OF_LIST = ("list", "md5", "targets", "nontargets")


def _read(path: Path) -> Mapping[str, Any] | None:
    """An answer's JSON; None for what is none."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_answer = isinstance(answer, dict) and all(isinstance(answer.get(name), dict) for name in ("engine", "protocols"))
    return answer if is_answer else None


def _told(answer: Mapping[str, Any], engine: bool) -> dict[str, Any]:
    """What two answers have in common if they are of the same settings."""
    lists = {name: {key: protocol.get(key) for key in OF_LIST} for name, protocol in answer["protocols"].items()}
    own = (
        {**{name: answer["engine"].get(name) for name in OF_ENGINE}, "of_answer": answer.get("code")} if engine else {}
    )
    return {**{name: answer.get(name) for name in SHARED}, "lists": lists, "engine": own}


def _others(top: Path, current: set[Path]) -> Iterator[Path]:
    for path in (*sorted(top.glob("eer_bs*.json")), *sorted(top.glob("*/eer_bs*.json"))):
        if path not in current and path.parent.name != outdated.OUTDATED and not path.name.endswith(".run.json"):
            yield path


def set_aside(made: Iterable[str], graph: Iterable[str]) -> list[str]:
    """Move answers that are not of the settings of those that a run has made to ``results/outdated/``.

    Args:
        made: paths that the run's jobs wrote.
        graph: paths of all outputs of the run's graph; those that were there before are current, as the run has found.

    Returns:
        the paths, without their suffixes, that are no longer there.
    """
    new = {Path(path).with_suffix(".json") for path in made if ANSWER.search(path)}
    current = set(map(Path, graph))
    present = {path: answer for path in sorted(new) if (answer := _read(path)) is not None}
    moved = []
    for path, answer in present.items():
        top = path.parent if path.parent.name == outdated.RESULTS else path.parent.parent
        for other in _others(top, current):
            theirs = _read(other)
            same_place = other.parent == path.parent
            if theirs is not None and _told(theirs, same_place) != _told(answer, same_place):
                stem = other.with_suffix("")
                outdated.move(f"{stem}{suffix}" for suffix in (".txt", ".json", ".run.json"))
                moved.append(str(stem))
    return moved
