"""Engines compared on small tables: what is written, and what is refused. The gate's verdicts: tests/benchmark."""

import numpy as np
import pytest

from asv import files
from asv.errors import InputError
from asv.features import manifest
from asv.scoring import agreement, bootstrap, embeddings, metrics, tables

NAMES = [f"{speaker}/s/{number}.wav" for speaker in "fabcde" for number in range(6)]


def write_shards(folder, ours, reference, shards=2):
    """Manifests and embeddings of both engines, as :func:`agreement.compare_embeddings` takes them."""
    paths = []
    for index, part in enumerate(np.array_split(np.arange(len(NAMES)), shards)):
        paths.append([folder / f"{kind}{index}" for kind in ("manifest.tsv", "ours.npy", "reference.npy")])
        rows = [manifest.Utterance(NAMES[i], *NAMES[i].split("/")[:2], NAMES[i], 3.0, 16000, 1) for i in part]
        manifest.write_utterances(paths[-1][0], rows)
        for path, array in zip(paths[-1][1:], (ours, reference)):
            with path.open("wb") as stream:
                np.save(stream, array[part])
    return [list(column) for column in zip(*paths)]


def write_scores(folder, scores, first, second):
    speakers = np.array([name.split("/")[0] for name in NAMES])
    tables.write(folder / "list.tsv", NAMES, first, second, speakers[first] == speakers[second], scores)
    (folder / ".snakemake_timestamp").touch()
    return speakers[first], speakers[second]


def test_the_worst_utterance_comes_first_whatever_its_shard(tmp_path):
    reference = np.random.default_rng(0).normal(size=(len(NAMES), 192)).astype(np.float32)
    ours = reference.copy()
    ours[20, 0] += 5
    ours[3, 0] += 2
    facts = agreement.compare_embeddings(*write_shards(tmp_path, ours, reference), tmp_path / "table.tsv")
    rows = files.read_table(tmp_path / "table.tsv")
    assert sorted(row["utterance"] for row in rows) == sorted(NAMES)
    assert [row["utterance"] for row in rows[:2]] == [NAMES[20], NAMES[3]]
    assert [row["utterance"] for row in facts["worst"][:2]] == [NAMES[20], NAMES[3]]
    assert float(rows[0]["cosine"]) == facts["min_cosine"] < 0.97 < facts["mean_cosine"] < 1
    assert facts["max_abs_difference"] == pytest.approx(5)


def test_changes_of_the_eer_are_those_of_the_scores_and_speakers(tmp_path):
    random = np.random.default_rng(1)
    first, second = random.integers(len(NAMES), size=(2, 400))
    second[::2] = first[::2] // 6 * 6
    reference = random.normal(size=400) + (first // 6 == second // 6)
    ours = reference + 0.3 * random.normal(size=400)
    write_scores(tmp_path / "reference", reference, first, second)
    speakers = write_scores(tmp_path / "ours", ours, first, second)
    targets = speakers[0] == speakers[1]
    change = agreement.eer_changes(tmp_path / "ours", tmp_path / "reference", 50, 3)["list"]
    expected = bootstrap.paired_eer_difference(reference, ours, targets, *speakers, 50, 3)
    assert (change["difference"], change["low"], change["high"]) == expected
    assert change["sides_changed"] == bootstrap.sides_changed(reference, ours, targets) > 0
    assert (change["speakers"], change["reason"]) == (6, None)
    costs = [metrics.min_dcf(metrics.error_rates(scores, targets), 0.01)[0] for scores in (reference, ours)]
    assert change["min_dcf"]["difference"] == costs[1] - costs[0]
    assert change["min_dcf"]["low"] <= change["min_dcf"]["high"]
    eers = [metrics.equal_error_rate(metrics.error_rates(scores, targets))[0] for scores in (reference, ours)]
    without = agreement.eer_changes(tmp_path / "ours", tmp_path / "reference", 0, 3)["list"]
    assert (without["difference"], without["low"], without["high"]) == (eers[1] - eers[0], None, None)
    assert without["reason"] == "no interval was made (scoring.bootstrap.replicates: 0)"


def test_scores_of_other_trials_are_not_compared(tmp_path):
    first, second = np.array([0, 0, 0]), np.array([1, 7, 8])
    write_scores(tmp_path / "reference", np.array([0.9, 0.1, 0.2]), first, second)
    write_scores(tmp_path / "ours", np.array([0.9, 0.1]), first[:2], second[:2])
    with pytest.raises(InputError, match=r"ours/list\.tsv: not the trials of .*reference/list\.tsv; run score again"):
        agreement.eer_changes(tmp_path / "ours", tmp_path / "reference", 0, 0)


def test_embeddings_that_do_not_fit_their_manifest_name_the_shard(tmp_path):
    array = np.ones((len(NAMES), 192), np.float32)
    manifests, ours, _ = write_shards(tmp_path, array, array)
    with ours[1].open("wb") as stream:
        np.save(stream, array[:3])
    with pytest.raises(InputError, match=r"ours\.npy1: 3 embeddings for 18 rows of .*manifest\.tsv1; run infer again"):
        list(embeddings.load_shards(manifests, ours))
    with pytest.raises(InputError, match="2 manifests and 1 files of embeddings"):
        list(embeddings.load_shards(manifests, ours[:1]))
