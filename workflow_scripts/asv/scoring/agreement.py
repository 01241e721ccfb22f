"""How far an engine's embeddings and scores are from the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from .. import files, vectors
from ..errors import InputError
from . import bootstrap, embeddings, metrics, tables

WORST = 5  # utterances named in the summary


class EerChange(TypedDict):
    """Fractions; the interval is None where there is none."""

    difference: float
    low: float | None
    high: float | None


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
    """Increase of the EER over the reference's, by trial list, with its paired bootstrap interval.

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
    eers = [metrics.equal_error_rate(metrics.error_rates(t.scores, t.targets))[0] for t in (reference, ours)]
    low = high = None
    if replicates:
        trials = (reference.scores, ours.scores, ours.targets, ours.first, ours.second)  # with speakers, as asked for
        with suppress(InputError):  # too few speakers
            _, low, high = bootstrap.paired_eer_difference(*trials, replicates, seed)  # type: ignore[arg-type]
    return {"difference": eers[1] - eers[0], "low": low, "high": high}
