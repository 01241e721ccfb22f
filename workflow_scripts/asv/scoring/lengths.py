"""What a static shape costs: the EER of settings of frames and crops beside that of whole utterances.

All settings are compared by the same utterances and trials: those that every setting has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from .. import files
from ..errors import InputError
from ..features import manifest
from . import bootstrap, embeddings, metrics

if TYPE_CHECKING:
    import numpy.typing as npt

    from .length_trials import Trials
    from .protocols import Draws

WHOLE = "whole"
EMBEDDINGS, UTTERANCES, REJECTED, FACTS = "embeddings.npy", "utterances.tsv", "rejected.tsv", "facts.json"
PRIOR = 0.01  # of a target, for minDCF


class Facts(TypedDict):
    """What gather_embeddings.py says of a setting."""

    frames: int | None  # of a crop; None: whole utterances
    crops: int
    frames_heard: float  # per utterance, on average; those of crops that overlap count twice
    frame_seconds: float  # from one frame to the next
    placement: str
    seed: int  # of the places, where they are drawn
    short: str
    engine: dict[str, Any]  # of infer.py


class Row(TypedDict):
    """One setting. Rates and differences are fractions; intervals are None where there is none."""

    setting: str
    frames: int | None
    crops: int
    seconds: float  # heard per utterance
    gflop: float | None  # per utterance, an estimate
    used: int
    rejected: int
    eer: float
    min_dcf: float
    difference: float | None  # of the EER to that of whole utterances; None: these themselves
    difference_low: float | None
    difference_high: float | None
    within_gate: bool | None
    best: bool


class Counts(TypedDict):
    """Where the utterances went: found = compared + dropped + rejected."""

    found: int
    compared: int
    dropped: int  # that some settings rejected and others did not
    rejected: int  # by all


def name_of(frames: int | None, crops: int) -> str:
    """A setting's name, such as ``200x3``.

    >>> name_of(200, 3), name_of(None, 1)
    ('200x3', 'whole')
    """
    return WHOLE if frames is None else f"{frames}x{crops}"


@dataclass(frozen=True)
class Setting:
    """A folder of gather_embeddings.py.

    Attributes:
        folder: where its arrays are.
        facts: what was heard.
        row_of: utterance id to row.
        rejected: the others.
    """

    folder: Path
    facts: Facts
    row_of: dict[str, int]
    rejected: list[manifest.Rejected]

    @property
    def name(self) -> str:
        """Such as ``200x3``."""
        return name_of(self.facts["frames"], self.facts["crops"])


def read(folder: Path) -> Setting:
    """Read a setting, without its embeddings."""
    names = [row.utterance for row in manifest.read_utterances(folder / UTTERANCES)]
    row_of = {name: row for row, name in enumerate(names)}
    return Setting(folder, files.read_json(folder / FACTS), row_of, manifest.read_rejected(folder / REJECTED))


@dataclass(frozen=True)
class Common:
    """What all settings have.

    Attributes:
        utterances: in the order of the whole utterances.
        rejected: all others, each once.
        counts: :class:`Counts`.
    """

    utterances: list[manifest.Utterance]
    rejected: list[manifest.Rejected]
    counts: Counts


def common(settings: Sequence[Setting]) -> Common:
    """The utterances that all settings have; the first setting is that of whole utterances.

    Raises:
        InputError: where none is left, or a setting is of another data set.
    """
    whole = settings[0]
    found = {*whole.row_of, *(row.utterance for row in whole.rejected)}
    for setting in settings:
        if found != {*setting.row_of, *(row.utterance for row in setting.rejected)}:
            raise InputError(f"{setting.folder}: not the utterances of {whole.folder}; make both again")
    shared = set(whole.row_of).intersection(*(setting.row_of for setting in settings))
    rows = manifest.read_utterances(whole.folder / UTTERANCES)
    rejected = {row.utterance: row for setting in settings for row in setting.rejected}
    by_all = sum(all(name not in setting.row_of for setting in settings) for name in rejected)
    if not shared:
        raise InputError(
            "accuracy_by_length.frames: no utterance is long enough for all of them (features.short: reject); leave "
            "out the longest, or set features.short: repeat"
        )
    counts: Counts = {
        "found": len(found),
        "compared": len(shared),
        "dropped": len(rejected) - by_all,
        "rejected": by_all,
    }
    return Common([row for row in rows if row.utterance in shared], list(rejected.values()), counts)


def data_of(setting: Setting, shared: Common, cohort: Path | None, subtract_mean: str) -> embeddings.Data:
    """A setting's embeddings of the utterances that all settings have, made ready to be scored."""
    rows = [setting.row_of[row.utterance] for row in shared.utterances]
    arrays = np.load(setting.folder / EMBEDDINGS)[rows]
    return embeddings.prepare(shared.utterances, arrays, shared.rejected, cohort, subtract_mean)


def _interval(whole, scores, trials, draws):
    """The paired interval of the difference of EERs, ``(low, high)``; None for both where there is none."""
    if draws.replicates and (trials.limit is None or len(scores) <= trials.limit):
        with suppress(InputError):  # too few speakers
            sides = (trials.targets, trials.first, trials.second)
            _, low, high = bootstrap.paired_eer_difference(whole, scores, *sides, draws.replicates, draws.seed)
            return low, high
    return None, None


def row(
    setting: Setting,
    scores: npt.NDArray[np.float64],
    whole: npt.NDArray[np.float64],
    trials: Trials,
    draws: Draws,
    gflop_per_frame: float | None,
    max_eer_increase: float,
) -> Row:
    """The row of a setting.

    Args:
        setting: whose scores they are.
        scores, whole: float64 ``(trials,)``, of the setting and of whole utterances.
        trials: what was scored.
        draws: for the interval of the difference.
        gflop_per_frame: of the network; None where it is not known.
        max_eer_increase: what the gate accepts, a fraction.
    """
    facts = setting.facts
    is_whole = facts["frames"] is None
    rates = metrics.error_rates(scores, trials.targets)
    eer = metrics.equal_error_rate(rates)[0]
    difference = eer - metrics.equal_error_rate(metrics.error_rates(whole, trials.targets))[0]
    low, high = (None, None) if is_whole else _interval(whole, scores, trials, draws)
    return {
        "setting": setting.name,
        "frames": facts["frames"],
        "crops": facts["crops"],
        "seconds": facts["frames_heard"] * facts["frame_seconds"],
        "gflop": None if gflop_per_frame is None else facts["frames_heard"] * gflop_per_frame,
        "used": len(setting.row_of),
        "rejected": len(setting.rejected),
        "eer": eer,
        "min_dcf": metrics.min_dcf(rates, PRIOR)[0],
        "difference": None if is_whole else difference,
        "difference_low": low,
        "difference_high": high,
        "within_gate": None if is_whole else difference <= max_eer_increase,
        "best": False,
    }


def mark_best(rows: Sequence[Row]) -> None:
    """Mark, in place, the cheapest setting within the gate; of equally cheap ones that with the lowest EER."""
    passing = [row for row in rows if row["within_gate"]]
    if passing:
        min(passing, key=lambda row: ((row["frames"] or 0) * row["crops"], row["eer"]))["best"] = True


def gflop_per_frame(network: Mapping[str, Any]) -> float | None:
    """By ``network.json``, which has the work for a crop: nearly all of it is in proportion to the frames."""
    work, (_, frames) = network.get("gflop"), network.get("input") or (None, None)
    return work / frames if work and frames else None
