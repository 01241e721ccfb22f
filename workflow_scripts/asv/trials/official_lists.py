"""The trial lists of the VoxCeleb1 authors, and whether a network has heard their speakers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


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


class _Listed(Protocol):
    """What of a :class:`asv.trials.lists.TrialList` tells which it is, so that its module is not imported here."""

    @property
    def file(self) -> str: ...

    @property
    def md5(self) -> str: ...

    @property
    def targets(self) -> npt.NDArray[np.bool_]: ...


def recognise(trials: _Listed) -> tuple[str | None, dict[str, str | int] | None]:
    """Which list of the VoxCeleb1 authors this is, by MD5, or by file name and counts.

    Returns:
        ``(name, other)``: a name such as ``VoxCeleb1-O (cleaned)``, or None; where a list has the file name of one of
        them and other counts of trials ``file``, ``list`` (the official one's name), ``targets`` and ``nontargets`` of
        that one and ``own_targets`` and ``own_nontargets``, else None.
    """
    if same := [official for official in OFFICIAL_LISTS if official.md5 == trials.md5]:
        return same[0].name, None
    counts = int(np.count_nonzero(trials.targets)), int(np.count_nonzero(~trials.targets))
    for official in OFFICIAL_LISTS:
        if official.file == trials.file:
            if counts == (official.targets, official.nontargets):
                return official.name, None
            theirs = {"targets": official.targets, "nontargets": official.nontargets}
            own = {"own_targets": counts[0], "own_nontargets": counts[1]}
            return None, {"file": trials.file, "list": official.name, **theirs, **own}
    return None, None


def voxceleb1_dev_speakers(speakers: Iterable[str]) -> set[str]:
    """Those of the speakers that are VoxCeleb1's development part: id10001 to id11251 less O's id10270 to id10309."""
    numbers = {name: int(name[2:]) for name in speakers if re.fullmatch(r"id1\d{4}", name, re.ASCII)}
    return {name for name, n in numbers.items() if 10001 <= n <= 11251 and not 10270 <= n <= 10309}
