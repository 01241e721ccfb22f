"""The table of lengths: who is compared, the numbers against brute force, the marks."""

import itertools

import numpy as np
import pytest
from support.scripts import assert_one_error, run_script

from asv import files
from asv.errors import InputError
from asv.features import manifest
from asv.scoring import bootstrap, embeddings, length_trials, lengths, metrics, protocols

SPEAKERS, EACH = 7, 4
NAMES = [f"id{speaker}/s{number % 2}/{number}.wav" for speaker in range(SPEAKERS) for number in range(EACH)]
DRAWS = protocols.Draws(200, 5)
SETTINGS = protocols.Settings(draws=DRAWS)


def utterance(name):
    return manifest.Utterance(name, *name.split("/")[:2], name, 3.0 + int(name[-5]), 16000, 1)


def write_setting(folder, frames, crops, noise, missing=(), names=NAMES, reason="too short"):
    """A folder as gather_embeddings.py makes it, of speakers that noise hides; returns its embeddings by name."""
    random = np.random.default_rng(frames or 0)
    centres = np.random.default_rng(99).normal(size=(SPEAKERS, 16))
    arrays = np.array([centres[int(name[2])] for name in NAMES]) + noise * random.normal(size=(len(NAMES), 16))
    of_name = dict(zip(NAMES, arrays.astype(np.float32)))
    used = [name for name in names if name not in missing]
    folder.mkdir(parents=True)
    np.save(folder / lengths.EMBEDDINGS, np.array([of_name[name] for name in used]))
    manifest.write_utterances(folder / lengths.UTTERANCES, map(utterance, used))
    manifest.write_rejected(folder / lengths.REJECTED, [manifest.Rejected(n, n, reason, "0 s") for n in missing])
    engine = {"engine": "torchscript", "requested_precision": "f32", "batch_size": 1}
    heard = 430.0 if frames is None else frames * crops
    facts = {"frames": frames, "crops": crops, "frames_heard": heard, "frame_seconds": 0.01, "engine": engine}
    files.write_json(folder / lengths.FACTS, {**facts, "placement": "digest", "short": "reject"})
    return of_name


def write_trials(path, pairs):
    path.write_text("".join(f"{int(a[:3] == b[:3])} {a} {b}\n" for a, b in pairs))
    return path


@pytest.fixture
def project(tmp_path):
    """Whole utterances, and two settings that lack some: their folders, embeddings by name, and a list of all pairs."""
    gone = ["id0/s0/0.wav"]
    settings = {
        "whole": write_setting(tmp_path / "whole", None, 1, 1.0, gone),
        "100x3": write_setting(tmp_path / "100x3", 100, 3, 1.6, gone, names=NAMES[::-1]),
        "300x1": write_setting(tmp_path / "300x1", 300, 1, 1.3, [*gone, "id2/s0/0.wav", "id3/s1/1.wav"]),
    }
    pairs = [pair for pair in itertools.combinations(NAMES, 2) if gone[0] not in pair]
    return tmp_path, settings, write_trials(tmp_path / "pairs.txt", pairs), pairs


def cosine(a, b):
    a, b = a.astype(float), b.astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def compared(folder, names, trials, settings=SETTINGS, limit=0.05):
    read = [lengths.read(folder / name) for name in names]
    shared = lengths.common(read)
    data = [lengths.data_of(setting, shared, None, "none") for setting in read]
    if trials:
        found = length_trials.of_list(trials, data[0], read[0].row_of, read[0].rejected, settings)
    else:
        found = length_trials.of_centroids(data[0], settings)
    scores = [found.scores(part) for part in data]
    rows = [lengths.row(s, of, scores[0], found, settings.draws, 0.002, limit) for s, of in zip(read, scores)]
    return shared, found, rows


def test_utterances_and_trials_are_those_that_all_settings_have(project):
    folder, _, path, pairs = project
    shared, trials, rows = compared(folder, ("whole", "100x3", "300x1"), path)
    assert shared.counts == {"found": 28, "compared": 25, "dropped": 2, "rejected": 1}
    dropped = sum("id2/s0/0.wav" in pair or "id3/s1/1.wav" in pair for pair in pairs)
    left = len(pairs) - dropped
    assert trials.counts == {"listed": len(pairs), "scored": left, "dropped": dropped, "skipped": 0}
    assert [(row["used"], row["rejected"]) for row in rows] == [(27, 1), (27, 1), (25, 3)]


def test_numbers_are_those_of_brute_force(project):
    folder, of_setting, path, pairs = project
    _, _, rows = compared(folder, ("whole", "100x3", "300x1"), path)
    kept = [p for p in pairs if not {"id2/s0/0.wav", "id3/s1/1.wav"} & set(p)]
    targets = np.array([a[:3] == b[:3] for a, b in kept])
    first, second = ([pair[side][:3] for pair in kept] for side in (0, 1))
    scores = {name: [cosine(of[a], of[b]) for a, b in kept] for name, of in of_setting.items()}
    for row in rows:
        expected = metrics.equal_error_rate(metrics.error_rates(scores[row["setting"]], targets))[0]
        assert row["eer"] == pytest.approx(expected, abs=1e-12)
        if row["setting"] == "whole":
            assert row["difference"] is row["difference_low"] is row["within_gate"] is None
            continue
        found = (row["difference"], row["difference_low"], row["difference_high"])
        paired = (scores["whole"], scores[row["setting"]], targets, first, second, DRAWS.replicates, DRAWS.seed)
        assert found == pytest.approx(bootstrap.paired_eer_difference(*paired), abs=1e-12)
        assert row["within_gate"] == (row["difference"] <= 0.05)
    assert [row["seconds"] for row in rows] == pytest.approx([4.3, 3.0, 3.0])
    assert [row["gflop"] for row in rows] == pytest.approx([0.86, 0.6, 0.6])


def test_without_a_list_every_utterance_meets_every_speaker_but_for_itself(project):
    folder, of_setting, _, _ = project
    shared, trials, rows = compared(folder, ("whole", "300x1"), None)
    names = [row.utterance for row in shared.utterances]
    unit = {name: of / np.linalg.norm(of) for name, of in of_setting["300x1"].items()}
    scores, targets = [], []
    for name, speaker in itertools.product(names, sorted({name[:3] for name in names})):
        others = [unit[other].astype(float) for other in names if other[:3] == speaker and other != name]
        scores.append(cosine(unit[name], np.sum(others, axis=0)))
        targets.append(name[:3] == speaker)
    assert trials.protocol == "centroid_leave_one_out"
    assert trials.counts["scored"] == len(scores) == trials.counts["listed"]
    assert rows[1]["eer"] == pytest.approx(metrics.equal_error_rate(metrics.error_rates(scores, targets))[0])


def test_the_centroid_protocol_is_that_of_the_answer(tmp_path):
    """Also where a speaker has one utterance."""
    gone = NAMES[1:EACH]
    write_setting(tmp_path / "whole", None, 1, 1.0, gone)
    shared, trials, rows = compared(tmp_path, ("whole",), None)
    data = embeddings.prepare(shared.utterances, np.load(tmp_path / "whole" / lengths.EMBEDDINGS), shared.rejected)
    answer = protocols.score_centroids(data, 19.0, 1000, DRAWS)[0]["centroid_leave_one_out"]
    assert rows[0]["eer"] == answer["eer"]
    assert trials.counts["scored"] == answer["targets"] + answer["nontargets"]
    assert trials.counts["listed"] == trials.counts["scored"] + trials.counts["skipped"]
    assert trials.counts["skipped"] == 1


def test_trials_that_no_setting_has_are_judged_as_always(project):
    folder, _, _, pairs = project
    path = write_trials(
        folder / "more.txt", [*pairs, ("id0/s0/0.wav", "id1/s0/0.wav"), ("id1/s0/0.wav", "id9/s/9.wav")]
    )
    with pytest.raises(InputError, match=r"2 of \d+ trials name 2 utterances .* \(rejected: too short\)"):
        compared(folder, ("whole", "300x1"), path)
    skipping = protocols.Settings(draws=DRAWS, on_missing="skip")
    _, trials, _ = compared(folder, ("whole", "300x1"), path, skipping)
    counts = trials.counts
    assert counts["skipped"] == 2
    assert counts["listed"] == len(pairs) + 2 == counts["scored"] + counts["dropped"] + counts["skipped"]


def test_nothing_in_common(tmp_path):
    write_setting(tmp_path / "whole", None, 1, 1.0)
    write_setting(tmp_path / "900x1", 900, 1, 1.0, NAMES)
    with pytest.raises(InputError, match=r"accuracy_by_length\.frames: no utterance is long enough for all"):
        compared(tmp_path, ("whole", "900x1"), None)


def test_no_target_in_common(project):
    folder, _, _, _ = project
    path = write_trials(folder / "few.txt", [("id2/s0/0.wav", "id2/s1/1.wav"), ("id1/s0/0.wav", "id3/s0/0.wav")])
    with pytest.raises(InputError, match=r"few\.txt 1 trials are left, .* leave out the longest"):
        compared(folder, ("whole", "300x1"), path)


def test_settings_of_other_data_are_not_compared(project):
    folder, _, path, _ = project
    write_setting(folder / "200x1", 200, 1, 1.0, names=NAMES[1:])
    with pytest.raises(InputError, match=r"200x1: not the utterances of .*whole; make both again"):
        compared(folder, ("whole", "200x1"), path)


def test_the_cheapest_within_the_gate_is_marked():
    """By brute force over all settings of small tables."""
    random = np.random.default_rng(3)
    for _ in range(200):
        rows = [{"frames": None, "crops": 1, "eer": 0.0, "within_gate": None, "best": False}]
        for frames, crops in itertools.product((100, 200, 300), (1, 2, 3)):
            eer = float(random.integers(6)) / 10
            rows.append({"frames": frames, "crops": crops, "eer": eer, "within_gate": eer <= 0.1, "best": False})
        lengths.mark_best(rows)
        best = [row for row in rows if row["best"]]
        passing = [row for row in rows if row["within_gate"]]
        assert len(best) == bool(passing)
        for row in passing:
            cost, least = row["frames"] * row["crops"], best[0]["frames"] * best[0]["crops"]
            assert least < cost or (least == cost and best[0]["eer"] <= row["eer"])


def test_too_few_speakers_have_no_interval(tmp_path):
    few = [name for name in NAMES if name < "id3"]
    path = write_trials(tmp_path / "pairs.txt", itertools.combinations(few, 2))
    for name, frames in (("whole", None), ("300x1", 300)):
        write_setting(tmp_path / name, frames, 1, 1.3, names=few)
    _, _, rows = compared(tmp_path, ("whole", "300x1"), path)
    assert rows[1]["difference_low"] is rows[1]["difference_high"] is None
    assert rows[1]["difference"] is not None


def write_facts(folder, verdict="fits"):
    files.write_json(folder / "network.json", {"gflop": 0.4, "input": [80, 200]})
    found = {"verdict": verdict, "distance": 20.0, "better": None, "better_distance": None, "utterances": 3}
    files.write_json(folder / "fit.json", found)
    return ["--network", folder / "network.json", "--fit", folder / "fit.json", "--output", folder / "table"]


def test_the_script_writes_three_tables_of_the_same_numbers(project):
    folder, _, path, _ = project
    settings = [folder / name for name in ("whole", "100x3", "300x1")]
    words = ["--settings", *settings, "--trials", path, "--max-eer-increase", "0.5", "--demo-data", "--left-out", "5"]
    code, stderr = run_script("tabulate_lengths.py", *words, *write_facts(folder))
    assert code == 0, stderr
    table, text = files.read_json(folder / "table.json"), (folder / "table.md").read_text()
    rows = files.read_table(folder / "table.tsv")
    assert [row["setting"] for row in rows] == ["whole", "100x3", "300x1"]
    assert [float(row["eer"]) for row in rows] == [row["eer"] for row in table["rows"]]
    assert [row["gflop"] for row in table["rows"]] == pytest.approx([0.86, 0.6, 0.6])
    for row in table["rows"]:
        assert f"| {100 * row['eer']:.3f} " in text
    assert text.count("| cheapest within the gate") == 1
    assert table["recommendation"].startswith("Cheapest within 50 points of whole utterances (EER ")
    assert "**DEMO: synthetic voices, says nothing of real speech.**" in text
    assert "28 found = 25 compared + 2 dropped, since not all settings have them + 1 rejected by all" in text
    assert "Left out: 5 crops" in text


def test_features_that_do_not_fit(project):
    folder, _, path, _ = project
    words = ["--settings", folder / "whole", folder / "300x1", "--trials", path]
    code, _ = run_script("tabulate_lengths.py", *words, *write_facts(folder, "misfit"))
    assert code == 0
    assert "**THE FEATURES DO NOT FIT THE NETWORK.**" in (folder / "table.md").read_text()
    outcome = run_script("tabulate_lengths.py", *words, *write_facts(folder, "misfit"), "--on-misfit", "fail")
    assert_one_error(outcome, "the features do not belong to the network")


def test_no_setting_within_the_gate(project):
    folder, _, path, _ = project
    words = ["--settings", folder / "whole", folder / "100x3", "--trials", path, "--max-eer-increase", "0"]
    assert run_script("tabulate_lengths.py", *words, *write_facts(folder))[0] == 0
    assert (folder / "table.md").read_text().splitlines()[2].startswith("No setting of the grid is within 0 points")
