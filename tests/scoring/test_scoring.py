"""Scores against loops over trials: cosine, mean subtraction, AS-norm, centroids; conditions; score tables."""

import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asv.errors import InputError
from asv.scoring import as_norm, conditions, cosine, metrics, table_formats, tables
from asv.vectors import unit_length, unit_length_float32

RANDOM = np.random.default_rng(0)
EMBEDDINGS = RANDOM.normal(size=(60, 8)).astype(np.float32)
SPEAKERS = np.array([f"s{i % 7}" for i in range(60)])
FIRST, SECOND = RANDOM.integers(60, size=(2, 200))


def plain_cosine(a, b):
    a, b = np.float64(a), np.float64(b)
    return a @ b / np.sqrt(a @ a) / np.sqrt(b @ b)


def unit(a):
    return np.float64(a) / np.linalg.norm(np.float64(a))


def test_cosines_in_blocks(monkeypatch):
    monkeypatch.setattr(cosine, "BLOCK", 7)
    scores = cosine.cosine_scores(EMBEDDINGS, FIRST, SECOND)
    wanted = [plain_cosine(EMBEDDINGS[a], EMBEDDINGS[b]) for a, b in zip(FIRST, SECOND)]
    np.testing.assert_allclose(scores, wanted, atol=1e-12)


def test_a_zero_embedding_scores_zero_and_inputs_stay():
    embeddings = np.array([[0.0, 0], [3, 4]])
    np.testing.assert_array_equal(unit_length(embeddings), [[0, 0], [0.6, 0.8]])
    np.testing.assert_array_equal(embeddings, [[0, 0], [3, 4]])


def test_unit_length_in_float32_is_that_of_scores_rounded():
    unit = unit_length_float32(EMBEDDINGS.reshape(20, 3, 8))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit.reshape(60, 8), unit_length(EMBEDDINGS), atol=1e-7)


def test_mean_subtraction():
    np.testing.assert_allclose(
        cosine.subtract_mean(EMBEDDINGS), EMBEDDINGS - EMBEDDINGS.astype(np.float64).mean(axis=0), atol=1e-12
    )
    rows = [3, 5, 8]
    np.testing.assert_allclose(cosine.subtract_mean(EMBEDDINGS, rows)[rows].mean(axis=0), np.zeros(8), atol=1e-12)


# AS-norm


@pytest.mark.parametrize("top", [2, 5, 7, 300])
def test_as_norm_against_a_naive_loop(monkeypatch, top):
    monkeypatch.setattr(as_norm, "COHORT_SCORES", 30)  # several blocks
    cohort_rows = range(20, 60)
    names = sorted({SPEAKERS[row] for row in cohort_rows})
    means = [
        unit(np.mean([unit(EMBEDDINGS[row]) for row in cohort_rows if SPEAKERS[row] == name], axis=0)) for name in names
    ]
    cohort = cosine.speaker_centroids(EMBEDDINGS[20:], SPEAKERS[20:])
    np.testing.assert_allclose(cohort, means, atol=1e-12)

    def normalised(a, b):
        score, total = plain_cosine(a, b), 0.0
        for side in (a, b):
            best = sorted((plain_cosine(side, mean) for mean in means), reverse=True)[:top]
            total += (score - np.mean(best)) / np.std(best)
        return total / 2

    statistics = as_norm.cohort_statistics(EMBEDDINGS, cohort, top)
    scores = as_norm.as_norm(cosine.cosine_scores(EMBEDDINGS, FIRST, SECOND), FIRST, SECOND, *statistics)
    wanted = [normalised(EMBEDDINGS[a], EMBEDDINGS[b]) for a, b in zip(FIRST, SECOND)]
    np.testing.assert_allclose(scores, wanted, rtol=1e-9)


def test_as_norm_does_not_depend_on_the_order_of_the_cohort_or_of_a_trial():
    cohort = cosine.speaker_centroids(EMBEDDINGS, SPEAKERS)
    statistics = as_norm.cohort_statistics(EMBEDDINGS, cohort, 4)
    for a, b in zip(statistics, as_norm.cohort_statistics(EMBEDDINGS, cohort[::-1], 4)):
        np.testing.assert_allclose(a, b, atol=1e-12)
    cosines = cosine.cosine_scores(EMBEDDINGS, FIRST, SECOND)
    there, back = (as_norm.as_norm(cosines, *sides, *statistics) for sides in ((FIRST, SECOND), (SECOND, FIRST)))
    np.testing.assert_allclose(there, back, atol=1e-12)


def test_cohorts_that_cannot_normalise():
    cohort = cosine.speaker_centroids(EMBEDDINGS, SPEAKERS)
    with pytest.raises(InputError, match="a cohort of 1 speakers; AS-norm needs 2"):
        as_norm.cohort_statistics(EMBEDDINGS, cohort[:1], 300)
    with pytest.raises(InputError, match="60 of 60 utterances are equally like all of the 3 most like them"):
        as_norm.cohort_statistics(EMBEDDINGS, cohort[[0, 0, 0]], 3)


# Centroids


@pytest.mark.parametrize("leave_out", [False, True])
def test_centroids_against_a_naive_loop(leave_out):
    speakers = np.append(SPEAKERS[:-1], "alone")
    scores, targets = cosine.centroid_scores(EMBEDDINGS, speakers)
    if leave_out:
        scores[targets] = cosine.own_centroid_scores(EMBEDDINGS, speakers)
    names = sorted(set(speakers))
    assert scores.shape == targets.shape == (60, 8)
    for row, embedding in enumerate(EMBEDDINGS):
        for column, name in enumerate(names):
            members = [unit(EMBEDDINGS[i]) for i in range(60) if speakers[i] == name and not (leave_out and i == row)]
            assert targets[row, column] == (speakers[row] == name)
            if members:
                assert scores[row, column] == pytest.approx(plain_cosine(embedding, np.sum(members, axis=0)), abs=1e-12)
            else:
                assert (name, row) == ("alone", 59)
                assert np.isnan(scores[row, column])
    assert np.count_nonzero(np.isnan(scores)) == leave_out


def test_leaving_out_takes_the_flattery_away():
    """Of random embeddings nothing can be told, but a centroid that holds the utterance pretends otherwise."""
    embeddings = np.random.default_rng(1).normal(size=(400, 16))
    speakers = np.repeat(np.arange(100), 4)
    scores, targets = cosine.centroid_scores(embeddings, speakers)
    unbiased = scores.copy()
    unbiased[targets] = cosine.own_centroid_scores(embeddings, speakers)
    eers = []
    for matrix in (scores, unbiased):
        eers.append(metrics.equal_error_rate(metrics.error_rates(matrix.ravel(), targets.ravel()))[0])
    assert eers[0] < 0.2
    assert eers[1] == pytest.approx(0.5, abs=0.05)


# Conditions


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_conditions_against_a_loop(seed):
    random = np.random.default_rng(seed)
    names = np.array(["a", "b", "c", "d"])
    first, second = random.integers(4, size=(2, 150))
    targets = first == second
    scores, seconds = np.round(random.normal(size=150) + targets, 1), random.choice([1.9, 2.0, 5.9, 20.0, 99.0], 150)
    wrong = (scores >= 0.5) != targets
    rows = conditions.by_speaker(scores, targets, first, second, names, 0.5)
    for row in rows:
        there = (names[first] == row["speaker"]) | (names[second] == row["speaker"])
        assert row["trials"] == np.count_nonzero(there)
        assert row["misses"] == np.count_nonzero(there & wrong & targets)
        assert row["false_accepts"] == np.count_nonzero(there & wrong & ~targets)
    errors = [row["misses"] + row["false_accepts"] for row in rows]
    assert errors == sorted(errors, reverse=True)
    bins = conditions.by_duration(scores, targets, seconds, 0.5)
    assert {(part["from"], part["to"]) for part in bins} <= {(0, 2), (2, 4), (4, 6), (20, None)}
    assert sum(part["targets"] + part["nontargets"] for part in bins) == 150
    for part in bins:
        there = (seconds >= part["from"]) & (seconds < (part["to"] or np.inf))
        for key, kind in (("miss", targets), ("false_accept", ~targets)):
            wanted = wrong[there & kind].mean() if (there & kind).any() else None
            assert part[key] == (None if wanted is None else pytest.approx(wanted))
        if min(part["targets"], part["nontargets"]) < 30:
            assert part["eer"] is None
        else:
            rates = metrics.error_rates(scores[there], targets[there])
            assert part["eer"] == metrics.equal_error_rate(rates)[0]


# Score tables

IDS = ["a/s/1.wav", "b/s/Jörg 1.wav", "c/s/3.wav"]
COLUMNS = (np.array([0, 1, 2, 0]), np.array([1, 2, 0, 0]), np.array([True, False, False, True]))
SCORES = np.array([0.1, -1 / 3, 1e-20, 1.0])


def test_a_table_holds_the_scores_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 3)
    tables.write(tmp_path / "list.tsv", IDS, *COLUMNS, SCORES)
    lines = (tmp_path / "list.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["enrolment\ttest\ttarget\tscore", "a/s/1.wav\tb/s/Jörg 1.wav\t1\t0.1"]
    assert [float(line.split("\t")[3]) for line in lines[1:]] == SCORES.tolist()


def as_read(path):
    """Scores, targets, and the speakers' names of both sides as the numbers tell them apart."""
    table = tables.read(path, speakers=True)
    assert {part.dtype.kind for part in (table.first, table.second)} == {"u"}
    return table.scores.tolist(), table.targets.tolist(), table.first.tolist(), table.second.tolist()


def damaged(path, edit):
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.mark.parametrize("block", [1, 30, 1 << 22])
def test_a_table_is_read_as_it_was_written(tmp_path, monkeypatch, block):
    """In blocks of any size, without a newline at the end, too; numbers of speakers rise with their names."""
    monkeypatch.setattr(tables, "BLOCK_BYTES", block)
    path = tmp_path / "list.tsv"
    tables.write(path, IDS, *COLUMNS, SCORES)
    expected = (SCORES.tolist(), [True, False, False, True], [0, 1, 2, 0], [1, 2, 0, 0])
    assert as_read(path) == expected
    assert as_read(damaged(path, lambda text: text.rstrip("\n"))) == expected
    assert tables.read(path).first is None
    tables.write(path, ["z", "é/a", "y/b"], *COLUMNS, SCORES)
    assert as_read(path)[2:] == ([1, 2, 0, 1], [2, 0, 1, 1])
    tables.write(path, IDS, *(column[:0] for column in COLUMNS), SCORES[:0])
    assert as_read(path) == ([], [], [], [])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_every_score_survives(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("scores") / "list.tsv"
    rows = np.zeros(len(scores), int)
    tables.write(path, IDS, rows, rows, rows == 0, np.array(scores))
    assert tables.read(path).scores.tobytes() == np.array(scores).tobytes()


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("\t0.1", ""),
        lambda text: text.replace("\t0.1", "\t0.1\t"),
        lambda text: text.replace("\t1\t0.1\n", "\n1\t0.1\t"),
        lambda text: text.replace("enrolment", "first"),
        lambda text: "",
    ],
)
def test_what_is_no_table_of_scores_is_refused(tmp_path, edit):
    path = tmp_path / "list.tsv"
    tables.write(path, IDS, *COLUMNS, SCORES)
    with pytest.raises(InputError, match=r"list\.tsv: .*run score again"):
        tables.read(damaged(path, edit))


def test_parquet_without_pyarrow_is_told_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"scoring\.format: parquet needs .*`python -m pip install pyarrow`"):
        tables.write(tmp_path / "list.parquet", IDS, *COLUMNS, SCORES)
    table_formats.check_format("tsv")
    assert list(tmp_path.iterdir()) == []


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    tables.write(tmp_path / "list.parquet", IDS, *COLUMNS, SCORES)
    table = parquet.read_table(tmp_path / "list.parquet").to_pydict()
    assert table == {
        "enrolment": [IDS[0], IDS[1], IDS[2], IDS[0]],
        "test": [IDS[1], IDS[2], IDS[0], IDS[0]],
        "target": [1, 0, 0, 1],
        "score": SCORES.tolist(),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["list.parquet"]
    expected = (SCORES.tolist(), [True, False, False, True], [0, 1, 2, 0], [1, 2, 0, 0])
    assert as_read(tmp_path / "list.parquet") == expected


def test_pyarrow_is_loaded_for_parquet_only(tmp_path):
    before = "pyarrow" in sys.modules
    tables.write(tmp_path / "list.tsv", IDS, *COLUMNS, SCORES)
    assert ("pyarrow" in sys.modules) == before
