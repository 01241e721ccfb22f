"""How far an engine's embeddings and scores are from the reference's, and the gate that says what is acceptable."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from .. import files, vectors
from ..errors import InputError
from . import bootstrap, embeddings, metrics, tables

WORST = 5  # utterances named in the summary


def compare_embeddings(manifests, ours, reference, table):
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


def eer_changes(ours, reference, replicates, seed):
    """Increase of the EER over the reference's, by trial list, with its paired bootstrap interval.

    Args:
        ours, reference: folders of score tables, of the same trials.
        replicates, seed: of the bootstrap; 0 replicates for none.

    Returns:
        dictionary of dictionaries ``difference``, ``low``, ``high``: fractions; the interval is None where the speakers
        are too few for one.

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
        trials = (reference.scores, ours.scores, ours.targets, ours.first, ours.second)
        with suppress(InputError):  # too few speakers
            _, low, high = bootstrap.paired_eer_difference(*trials, replicates, seed)
    return {"difference": eers[1] - eers[0], "low": low, "high": high}


def gate(lowest_cosine, eer_increase, min_cosine, max_eer_increase):
    """Judge an engine.

    Args:
        lowest_cosine: the lowest cosine of an embedding with the reference's.
        eer_increase: largest increase of the EER over the lists, a fraction; None if no list was scored.
        min_cosine, max_eer_increase: what the configuration accepts.

    Returns:
        list of faults in words, each by how much; empty if the engine passes.
    """
    faults = []
    if not lowest_cosine >= min_cosine:  # NaN does not pass
        faults.append(f"lowest cosine {lowest_cosine:.6f} is below {min_cosine:g}")
    if eer_increase is not None and not eer_increase <= max_eer_increase:
        faults.append(f"EER is up by {100 * eer_increase:.3f} points, more than {100 * max_eer_increase:g}")
    return faults


def verdict(embeddings_facts, changes, min_cosine, max_eer_increase):
    """What is written of an engine, ready for JSON.

    Args:
        embeddings_facts: of :func:`compare_embeddings`.
        changes: of :func:`eer_changes`.
        min_cosine, max_eer_increase: what the gate accepts.
    """
    increase = max((change["difference"] for change in changes.values()), default=None)
    faults = gate(embeddings_facts["min_cosine"], increase, min_cosine, max_eer_increase)
    return {**embeddings_facts, "eer_change": changes, "gate": "FAIL" if faults else "PASS", "faults": faults}
