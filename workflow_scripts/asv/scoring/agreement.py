"""How far an engine's embeddings and scores are from the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from .. import files, vectors
from ..errors import InputError
from . import bootstrap, embeddings, metrics, tables

WORST = 5  # utterances named in the summary
PRIOR = 0.01  # of a target, for minDCF
NO_DRAWS = "no interval was made (scoring.bootstrap.replicates: 0)"


class CostChange(TypedDict):
    """Of the normalised minDCF; the interval is None where there is none."""

    prior: float
    difference: float
    low: float | None
    high: float | None


class EerChange(TypedDict):
    """Fractions; the interval is None where there is none, with the reason."""

    difference: float
    low: float | None
    high: float | None
    sides_changed: int  # trials that are accepted by one engine alone, each at the threshold of its own EER
    speakers: int | None  # that were drawn from
    reason: str | None
    min_dcf: CostChange


def compare_embeddings(
    manifests: Sequence[Path], ours: Sequence[Path], reference: Sequence[Path], table: Path
) -> dict[str, Any]:
    """Compare embeddings with the reference's, and write one row per utterance, that with the lowest cosine first.

    Args:
        manifests, ours, reference: paths of the same shards: manifests and ``.npy`` of both engines.
        table: path of the table.

    Returns:
        dictionary, ready for JSON: ``min_cosine``, ``mean_cosine``, ``max_abs_difference``, and ``worst``: the few
        utterances with the lowest cosines.

    Raises:
        InputError: where embeddings do not fit the manifests.
    """
    names, cosines, differences = _compare_shards(manifests, ours, reference)
    order = np.lexsort((names, cosines))
    rows = ((names[i], repr(float(cosines[i])), repr(float(differences[i]))) for i in order)
    files.write_table(table, ("utterance", "cosine", "max_abs_difference"), rows)
    return {
        "min_cosine": float(cosines.min()),
        "mean_cosine": float(cosines.mean()),
        "max_abs_difference": float(differences.max()),
        "worst": [{"utterance": names[i], "cosine": float(cosines[i])} for i in order[:WORST]],
    }


def _compare_shards(manifests, ours, reference):
    """Utterance ids, cosines float64 and largest absolute differences float32 ``(utterances,)``, shard by shard."""
    names, cosines, differences = [], [], []
    pairs = zip(embeddings.load_shards(manifests, ours), embeddings.load_shards(manifests, reference))
    for (utterances, a), (_, b) in pairs:
        names += [row.utterance for row in utterances]
        cosines.append(vectors.cosines(a, b))
        differences.append(np.abs(a - b).max(axis=1, initial=0))
    return names, np.concatenate(cosines), np.concatenate(differences)


def eer_changes(ours: Path, reference: Path, replicates: int, seed: int) -> dict[str, EerChange]:
    """Increase of EER and minDCF over the reference's, by trial list, with paired bootstrap intervals.

    Args:
        ours, reference: folders of score tables, of the same trials.
        replicates, seed: of the bootstrap; 0 replicates for none.

    Returns:
        dictionary of :class:`EerChange`; too few speakers have no interval.

    Raises:
        InputError: where the reference's tables are not of the same trials.
    """
    theirs = tables.of_folder(reference)
    return {
        name: _eer_change(path, theirs.get(name, reference / path.name), replicates, seed)
        for name, path in tables.of_folder(ours).items()
    }


def _eer_change(path, reference_path, replicates, seed):
    ours, reference = tables.read(path, speakers=bool(replicates)), tables.read(reference_path)
    if not np.array_equal(ours.targets, reference.targets):
        raise InputError(f"{path}: not the trials of {reference_path}; run score again for both")
    rates = [metrics.error_rates(t.scores, t.targets) for t in (reference, ours)]
    eers = [metrics.equal_error_rate(rate)[0] for rate in rates]
    costs = [metrics.min_dcf(rate, PRIOR)[0] for rate in rates]
    change: EerChange = {
        "difference": eers[1] - eers[0],
        "low": None,
        "high": None,
        "sides_changed": bootstrap.sides_changed(reference.scores, ours.scores, ours.targets),
        "speakers": None,
        "reason": None if replicates else NO_DRAWS,
        "min_dcf": {"prior": PRIOR, "difference": costs[1] - costs[0], "low": None, "high": None},
    }
    if not replicates:
        return change
    trials = (reference.scores, ours.scores, ours.targets, ours.first, ours.second)  # with speakers, as asked for
    try:
        found = bootstrap.paired_differences(*trials, replicates, seed, PRIOR)  # type: ignore[arg-type]
    except InputError as error:  # too few speakers
        return {**change, "reason": str(error)}
    change |= {"low": found.eer.low, "high": found.eer.high, "speakers": found.speakers}
    if found.min_dcf:
        change["min_dcf"] |= {"low": found.min_dcf.low, "high": found.min_dcf.high}
    return change
