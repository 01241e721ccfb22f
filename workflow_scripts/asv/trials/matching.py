"""Which utterance of a data set a name in a trial list or a cohort means: ``docs/trial-lists.md``.

An id is a path from the speaker on, of two parts or more. A list may name an utterance by its id, by a longer path that
ends in the id, by an ending of the id, or by its parts joined as Kaldi does. Names are looked up and never taken apart,
since a session's name may hold any joining character.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.listing import as_wav
from ..errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

KINDS = ("id", "longer path", "ending", "Kaldi id")
_JOINERS = "-_"


def spelled(name: str) -> str:
    """A name in the one way that ids are written in; empty where it names no file.

    Backslashes separate as slashes do, parts that lead nowhere are left out, and the suffix is ``.wav`` for that of any
    audio, or for none: then what follows the last dot belongs to the name.
    """
    if "\\" in name:
        name = name.replace("\\", "/")
    # By hand: Path takes several times as long, and a list may have a million names.
    parts = [part for part in name.split("/") if part not in ("", ".")]
    last = parts[-1] if parts else ""
    if not last.strip("."):
        return ""
    if last[-4:] != ".wav" or not last[:-4].strip("."):  # nearly all have it: spares half of the time
        parts[-1] = as_wav(last)
    return "/".join(parts)


class _Index:
    """Keys to places in the list of ids; of several ids with one key the first two are kept."""

    def __init__(self, pairs):
        self.place: dict[str, int] = {}
        self.other: dict[str, int] = {}
        for key, place in pairs:
            if self.place.setdefault(key, place) != place:
                self.other.setdefault(key, place)

    def find(self, key):
        """Places of the ids that have the key: a set of up to two."""
        if key not in self.place:
            return set()
        return {self.place[key], self.other.get(key, self.place[key])}


class _Matcher:
    """Looks names up among ids. Indexes that ids of whole lists do not need are made when they are."""

    def __init__(self, ids):
        self.ids = [spelled(name) for name in ids]
        self.exact = _Index(zip(self.ids, range(len(self.ids))))
        self.depths = sorted({name.count("/") + 1 for name in self.ids})
        self.endings, self.joined = {}, None

    def find(self, name):
        """``(places, kind)``: up to two candidates, of which one id is meant where they are one; none: unknown."""
        if found := self.exact.find(name):
            return found, "id"
        parts = name.split("/")
        longer = set().union(
            *(self.exact.find("/".join(parts[-depth:])) for depth in self.depths if depth < len(parts))
        )
        shorter = self._by_ending(name, len(parts))
        kaldi = self._by_joined(name) if len(parts) == 1 else set()
        kinds = [kind for kind, part in zip(KINDS[1:], (longer, shorter, kaldi)) if part]
        return longer | shorter | kaldi, kinds[0] if kinds else None

    def _by_ending(self, name, depth):
        if not self.depths or depth >= self.depths[-1]:
            return set()
        if depth not in self.endings:
            self.endings[depth] = _Index(self._endings(depth))
        return self.endings[depth].find(name)

    def _endings(self, depth):
        for place, name in enumerate(self.ids):
            parts = name.rsplit("/", depth)
            if len(parts) > depth:
                yield "/".join(parts[1:]), place

    def _by_joined(self, name):
        if self.joined is None:
            self.joined = _Index(
                (text.replace("/", joiner), place) for joiner in _JOINERS for place, text in enumerate(self.ids)
            )
        return self.joined.find(name)


def places(names: Sequence[str], ids: Sequence[str]) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
    """Places in ``ids`` of the utterances that names mean.

    Args:
        names: sequence of names as :func:`spelled` returns them.
        ids: sequence of the ids of all of the data set's utterances.

    Returns:
        ``(places, kinds)``: int64 ``(names,)``, -1 for a name that no utterance has; numbers of names by how they were
        matched, in the order of :data:`KINDS`, without zeros.

    Raises:
        InputError: without the list's name, where a name fits several utterances.
    """
    matcher = _Matcher(ids)
    counts: Counter[str] = Counter()
    found = np.full(len(names), -1, np.int64)
    ambiguous = []
    for index, name in enumerate(names):
        candidates, kind = matcher.find(name)
        if len(candidates) > 1:
            ambiguous.append((name, candidates))
        elif candidates:
            (found[index],) = candidates
            counts[kind] += 1
    if ambiguous:
        name, candidates = ambiguous[0]
        first, second, *_ = (ids[place] for place in sorted(candidates))
        raise InputError(
            f"{len(ambiguous)} of {len(names)} utterances could be several of the data set's, such as {name!r}: "
            f"{first} and {second}; write them as in the data set, from the speaker on"
        )
    return found, {kind: counts[kind] for kind in KINDS if counts[kind]}
