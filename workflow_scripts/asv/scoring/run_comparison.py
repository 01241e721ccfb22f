"""Two answers of the same trials, such as those of two checkpoints: how far apart their error rates are, in pairs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from .. import caveats, files
from ..errors import InputError
from . import bootstrap, metrics, tables

PRIOR = 0.01  # of a target, for minDCF


@dataclass(frozen=True)
class Run:
    """An answer and its scores.

    Attributes:
        path: of the answer's JSON.
        answer: what it says.
        scores: tables by the names of their trial lists.
    """

    path: Path
    answer: Mapping[str, Any]
    scores: Mapping[str, Path]


class Change(TypedDict):
    """Of a figure, from A to B; the interval is None where there is none."""

    a: float
    b: float
    difference: float
    low: float | None
    high: float | None


class Compared(TypedDict):
    """Two runs by one trial list. Rates are fractions."""

    trials: int  # that both have
    only_a: int
    only_b: int
    eer: Change
    min_dcf: Change
    prior: float
    reason: str | None  # why there is no interval


def find(place: Path, batch: int | None = None) -> Run:
    """The run of an experiment's folder, or of an answer's JSON.

    Args:
        place: a folder that has ``results/``, or ``eer_bs<N>.json``.
        batch: which answer of a folder; None where it has one.

    Raises:
        InputError: where there is none, or several, or its scores are not there.
    """
    path = place if place.is_file() else _answer_of(place, batch)
    answer = files.read_json(path)
    if "protocols" not in answer or "engine" not in answer:
        raise InputError(f"{path}: not an answer of this workflow; name results/eer_bs<N>.json, or the folder above it")
    engine = answer["engine"]
    name = f"scores_bs{engine['batch_size']}"
    folders = [path.parent / name, path.parent / f"{engine['name']}-{engine['requested_precision']}" / name]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise InputError(f"{path}: its scores, {folders[1]}, are not there; copy them along, or make the answer again")
    return Run(path, answer, tables.of_folder(folder))


def _answer_of(place, batch):
    pattern = f"eer_bs{batch or '*'}.json"
    found = sorted(path for path in (place / "results").glob(pattern) if path.name.count(".") == 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"{place}: no results/{pattern} there; name the folder of an experiment, or an answer's JSON")
    several = ", ".join(path.name for path in found)
    raise InputError(f"{place}: has several answers ({several}); name one of them, or --batch-size")


def _keys(path):
    """A number per trial of a table, int64, equal for equal pairs of utterances."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        columns = parquet.read_table(path, columns=list(tables.COLUMNS[:2])).to_pydict()
        pairs = zip(*columns.values())
        return np.fromiter(map(hash, pairs), np.int64)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return np.fromiter((hash((row[0], row[1])) for row in rows), np.int64)


def _shared(a: Path, b: Path) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of both tables that are of the same trials, in the order of the first."""
    keys_a, keys_b = _keys(a), _keys(b)
    if np.array_equal(keys_a, keys_b):
        return np.arange(len(keys_a)), np.arange(len(keys_b))
    _, rows_a, rows_b = np.intersect1d(keys_a, keys_b, return_indices=True)
    order = np.argsort(rows_a)
    return rows_a[order], rows_b[order]


def compare_list(a: Path, b: Path, replicates: int, seed: int) -> Compared:
    """Compare two tables of scores by the trials that both have.

    Args:
        a, b: the tables.
        replicates, seed: of the draws of speakers; 0 replicates for no interval.

    Raises:
        InputError: where they share no trials of both kinds, or contradict each other.
    """
    ours, theirs = tables.read(a, speakers=True), tables.read(b)
    rows_a, rows_b = _shared(a, b)
    targets = ours.targets[rows_a]
    if not len(rows_a) or targets.all() or not targets.any():
        raise InputError(f"{a}, {b}: {len(rows_a)} trials in both, and not both targets and nontargets")
    if wrong := int(np.count_nonzero(targets != theirs.targets[rows_b])):
        raise InputError(f"{a}, {b}: {wrong} trials are targets in the one and nontargets in the other")
    scores = ours.scores[rows_a], theirs.scores[rows_b]
    rates = [metrics.error_rates(of_run, targets) for of_run in scores]
    eers = [metrics.equal_error_rate(rate)[0] for rate in rates]
    costs = [metrics.min_dcf(rate, PRIOR)[0] for rate in rates]
    assert ours.first is not None  # speakers were asked for
    assert ours.second is not None
    sides = targets, ours.first[rows_a], ours.second[rows_a]
    intervals, reason = _intervals(*scores, *sides, replicates, seed)
    return {
        "trials": len(rows_a),
        "only_a": len(ours.targets) - len(rows_a),
        "only_b": len(theirs.targets) - len(rows_b),
        "eer": _change(eers, intervals[0]),
        "min_dcf": _change(costs, intervals[1]),
        "prior": PRIOR,
        "reason": reason,
    }


def _change(values: list[float], interval: tuple[float | None, float | None]) -> Change:
    a, b = values
    return {"a": a, "b": b, "difference": b - a, "low": interval[0], "high": interval[1]}


def _intervals(a, b, targets, first, second, replicates, seed):
    """Ends of the intervals of EER and minDCF, and why there are none."""
    none = [(None, None)] * 2
    if not replicates:
        return none, "no draws were asked for"
    try:
        found = bootstrap.paired_differences(a, b, targets, first, second, replicates, seed, PRIOR)
    except InputError as error:
        return none, str(error)
    return [(part.low, part.high) for part in (found.eer, found.min_dcf) if part], None


def compare(a: Run, b: Run, replicates: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Compare two runs by all trial lists that both have; ready for JSON.

    Raises:
        InputError: where they have no list in common.
    """
    names = [name for name in a.scores if name in b.scores]
    if not names:
        lists = [", ".join(run.scores) or "none" for run in (a, b)]
        raise InputError(
            f"{a.path}, {b.path}: no trial list in common ({lists[0]}; {lists[1]}); make both with the same "
            "dataset.trials"
        )
    return {
        "a": str(a.path),
        "b": str(b.path),
        "caveats": list(dict.fromkeys([*caveats.of_result(a.answer), *caveats.of_result(b.answer)])),
        "differences": differences(a.answer, b.answer),
        "bootstrap": {"replicates": replicates, "seed": seed},
        "lists": {name: compare_list(a.scores[name], b.scores[name], replicates, seed) for name in names},
    }


#: What may differ between two runs, besides the network: name to a function of an answer.
FACTS = {
    "checkpoint": lambda answer: f"{answer['network'].get('source', '')} {answer['network']['checkpoint_sha256'][:12]}",
    "network": lambda answer: answer["network"]["family"],
    "features": lambda answer: answer["features"]["contract"],
    "frames": lambda answer: answer["features"]["shape"][1] or "whole",
    "crops": lambda answer: answer["features"]["crops"],
    "places": lambda answer: f"{answer['features']['placement']}, seed {answer['features']['seed']}",
    "engine": lambda answer: f"{answer['engine']['name']} {answer['engine']['precision']}",
    "batch size": lambda answer: answer["engine"]["batch_size"],
    "scores": lambda answer: f"mean: {answer['scoring']['subtract_mean']}, AS-norm: {answer['scoring']['as_norm']}",
    "data set": lambda answer: f"{', '.join(answer['dataset']['root'])}: {answer['utterances']['used']} utterances",
}


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, list[str]]:
    """What of two answers is not the same: name to both values."""
    pairs = {name: [str(fact(a)), str(fact(b))] for name, fact in FACTS.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
