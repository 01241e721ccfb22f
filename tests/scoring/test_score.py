"""Scoring and the answer, on generated embeddings: what the result says, and what is refused."""

import re

import numpy as np
import pytest
from support.scripts import assert_one_error, run_script
from support.synthetic import write_score_inputs

from asv import files
from asv.errors import InputError
from asv.scoring import answer, as_norm, bootstrap, cosine, embeddings, metrics, notes, protocols, result, speakers
from asv.snakefile.config import check

EXISTING_KEYS = {"eer", "threshold", "min_dcf", "roc_auc", "targets", "nontargets", "md5"}


class Stage:
    """A folder of inputs of score.py: speakers with four utterances each in two sessions."""

    def __init__(self, folder, speakers, training_speakers=4):
        self.folder = folder
        self.names = [f"{speaker}/s{i // 2}/{i}.wav" for speaker in speakers for i in range(4)]
        random = np.random.default_rng(0)
        centres = np.repeat(random.normal(size=(len(speakers), 192)), 4, axis=0)
        self.embeddings = (centres + 3 * random.normal(size=centres.shape)).astype(np.float32)
        durations = random.uniform(3, 25, len(self.names)).round(2)
        self.arguments = write_score_inputs(folder, self.names, self.embeddings, durations, training_speakers)
        self.list = folder / "list.txt"
        self.write(self.list, self.names)

    def write(self, path, names):
        """All pairs of utterances, a third of those of different speakers."""
        pairs = [(a, b) for a in names for b in names if a < b]
        rows = [(int(a.split("/")[0] == b.split("/")[0]), a, b) for a, b in pairs]
        rows = [row for number, row in enumerate(rows) if row[0] or number % 3 == 0]
        path.write_text("".join(f"{target} {a} {b}\n" for target, a, b in rows))

    def result(self, *trials, cohort=None, subtract_mean="none", replicates=1000, **settings):
        """The answer for programs and that for a person; scores are written to the folder."""
        shard = [[self.folder / "manifest.tsv"], [self.folder / "embeddings.npy"]]
        utterances, arrays = embeddings.load(*shard)
        data = embeddings.prepare(utterances, arrays, [], cohort, subtract_mean)
        settings = protocols.Settings(draws=protocols.Draws(replicates), **settings)
        with files.atomic_folder(self.folder / "scores") as folder:
            scored, left_out = protocols.score(data, trials, folder, settings)
        as_norm = cohort and protocols.as_norm_of(cohort, len(data.cohort), settings.top)
        facts = {
            "scoring": {"subtract_mean": subtract_mean, "as_norm": as_norm},
            "protocols": scored,
            "centroid_left_out": left_out,
            "utterances": speakers.describe_utterances(utterances, [], 16000),
            "versions": result.versions(),
            "code": "",
        }
        stages = {name: files.read_json(self.folder / f"{name}.json") for name in ("artefact", "features", "network")}
        fit = {**files.read_json(self.folder / "fit.json"), "ignored": False}
        stages["network"] |= {"source": "mine.pt", "demo": None, "fit": fit, "published": None}
        stages["features"]["overridden"] = []
        engine, dataset = result.one_of([self.folder / "sidecar.json"]), {"root": ["wavs"], "demo": False}
        finished = notes.with_notes(scored, stages["network"]["speakers"])
        found = result.assemble(facts, finished, dataset, layout="", engine=engine, code="", **stages)
        return found, answer.text(found)

    def scores(self, name="list"):
        rows = [line.split("\t") for line in (self.folder / "scores" / f"{name}.tsv").read_text().splitlines()[1:]]
        row_of = {name: row for row, name in enumerate(self.names)}
        first, second = (np.array([row_of[row[side]] for row in rows]) for side in (0, 1))
        return first, second, np.array([row[2] == "1" for row in rows]), np.array([float(row[3]) for row in rows])


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path, [f"p{i}" for i in range(12)])


def test_the_result_has_what_it_had_and_more(stage):
    result, text = stage.result(stage.list)
    assert list(result["protocols"]) == ["list", "centroid_leave_one_out", "centroid"]
    first, second, targets, scores = stage.scores()
    speakers = np.array([name.split("/")[0] for name in stage.names])
    np.testing.assert_array_equal(scores, cosine.cosine_scores(stage.embeddings, first, second))
    protocol = result["protocols"]["list"]
    assert {key: protocol[key] for key in metrics.summary(scores, targets)} == metrics.summary(scores, targets)
    assert protocol["eer_interval"] == bootstrap.eer_interval(scores, targets, speakers[first], speakers[second])
    assert protocol["eer_interval"]["low"] < protocol["eer"] < protocol["eer_interval"]["high"]
    assert (protocol["list"], protocol["heard_speakers"], protocol["notes"]) == (None, 0, [])
    assert sum(part["targets"] for part in protocol["conditions"]["duration"]) == np.count_nonzero(targets) == 72
    errors = np.count_nonzero((scores >= protocol["threshold"]) != targets)
    assert errors > 0
    assert 0 < sum(row["misses"] for row in protocol["conditions"]["speakers"]) <= errors
    for part in result["protocols"].values():
        assert part.keys() >= EXISTING_KEYS
    assert result["protocols"]["centroid_leave_one_out"]["eer"] > result["protocols"]["centroid"]["eer"]
    assert result["scoring"]["as_norm"] is None
    low, high = (100 * protocol["eer_interval"][side] for side in ("low", "high"))
    eer = f"{100 * protocol['eer']:.3f} %"
    assert text.startswith(f"EER {eer}   list, ")
    assert (
        f"  EER         {eer} (95 % interval {low:.3f} to {high:.3f} %, bootstrap over 12 speakers, not over crops)"
        in text
    )
    assert "0.01 %: too few nontargets" in text
    assert max(map(len, text.splitlines())) < 240


def test_the_first_lines_are_of_every_list_and_say_what_they_do_not_hold(stage):
    other = stage.folder / "other.txt"
    stage.write(other, stage.names[:24])
    result, text = stage.result(stage.list, other, replicates=0)
    first, second, blank, *_ = text.splitlines()
    assert re.match(r"EER [\d.]+ %   list, [\d,]+ trials$", first)
    assert re.match(r"EER [\d.]+ %   other, [\d,]+ trials$", second)
    assert blank == ""
    scored = sum(result["protocols"]["other"][kind] for kind in ("targets", "nontargets"))
    result["protocols"]["other"]["skipped"] = 7
    result["utterances"] |= {"found": 50, "rejected": 2}
    first, second = answer.headline(result).splitlines()
    assert first.endswith("   [2 of 50 utterances rejected]")
    assert second.endswith(f"   [7 of {scored + 7:,} trials skipped; 2 of 50 utterances rejected]")


def test_without_a_list_the_unbiased_figure_comes_first(stage):
    result, text = stage.result(replicates=0)
    unbiased = result["protocols"]["centroid_leave_one_out"]
    start = f"EER {100 * unbiased['eer']:.3f} %   centroids, leave-one-out (no trial list was given or found), "
    assert text.startswith(start)
    assert result["sentence"].startswith(f"EER {100 * unbiased['eer']:.3f} % (")
    del result["protocols"]["centroid_leave_one_out"]
    assert "[FLATTERING: each centroid contains" in answer.headline(result)


def test_the_sentence_to_quote_has_all_that_a_report_needs(stage):
    result, text = stage.result(stage.list, replicates=50)
    protocol = result["protocols"]["list"]
    parts = [
        f"EER {100 * protocol['eer']:.3f} % (95 % interval",
        f"on list (md5 {protocol['md5'][:8]})",
        "scores: cosine",
    ]
    parts += [
        "C = 8, checkpoint mine.pt (SHA-256 0)",
        "on none in f32",
        "1 per utterance of 200 frames",
        "random seed 0",
    ]
    parts += ["wavs: 12 speakers, 48 utterances, 0.20 hours"]
    for part in parts:
        assert part in result["sentence"], part
    assert " ".join(text.partition("to quote    ")[2].split()) == result["sentence"]


def test_mean_subtraction_and_as_norm(stage):
    cohort = stage.folder / "cohort.txt"
    cohort.write_text("\n".join(["", *stage.names[24:], stage.names[24]]) + "\n")
    stage.write(stage.list, stage.names[:24])
    result, text = stage.result(stage.list, cohort=cohort, top=4, subtract_mean="cohort", replicates=0)
    first, second, targets, scores = stage.scores()
    centred = cosine.subtract_mean(stage.embeddings, range(24, 48))
    speakers = cosine.speaker_centroids(centred[24:], [name.split("/")[0] for name in stage.names[24:]])
    statistics = as_norm.cohort_statistics(centred, speakers, 4)
    wanted = as_norm.as_norm(cosine.cosine_scores(centred, first, second), first, second, *statistics)
    np.testing.assert_allclose(scores, wanted, rtol=1e-9)
    protocol = result["protocols"]["list"]
    assert protocol["eer"] == metrics.summary(scores, targets)["eer"]
    assert protocol["notes"] == []
    assert protocol["eer_interval"]["reason"] == "switched off (scoring.bootstrap.replicates)"
    facts = result["scoring"]["as_norm"]
    assert (facts["cohort"], facts["speakers"], facts["top"]) == ("cohort.txt", 6, 4)
    assert "(AS-norm by the top 4 of 6 cohort speakers, cosine less the mean of the cohort, at the EER)" in text
    # The centroid protocols are the original guide's, of the embeddings as they are.
    plain, _ = stage.result(stage.list, replicates=0)
    for name in ("centroid", "centroid_leave_one_out"):
        assert result["protocols"][name] == plain["protocols"][name]
    other, _ = stage.result(stage.list, subtract_mean="dataset")
    assert len({r["protocols"]["list"]["threshold"] for r in (result, plain, other)}) == 3


def test_a_cohort_that_knows_the_trials_speakers_is_noted(stage):
    cohort = stage.folder / "cohort.txt"
    cohort.write_text("\n".join(stage.names[40:]))
    result, text = stage.result(stage.list, cohort=cohort)
    assert result["protocols"]["list"]["notes"] == ["2 speakers of the trials are in the cohort of AS-norm, too"]
    assert "WARNING     2 speakers of the trials" in text


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["no utterance in this cohort"]),
        (
            "p1/s0/0.wav\nnobody\n",
            ["1 of 2 utterances of the cohort are not used (the first in line 2), such as nobody (not in"],
        ),
        ("p1/s0/0.wav\nq/s0/0.wav\n", ["1 of 2", "q/s0/0.wav (not in the data set)", "scoring.as_norm.cohort"]),
        ("p1/s0/0.wav\np1/s0/1.wav\n", ["a cohort of 1 speakers", "AS-norm needs 2"]),
        (None, ["scoring.as_norm.cohort: cannot read", "No such file"]),
    ],
)
def test_wrong_cohorts(stage, content, parts):
    cohort = stage.folder / "cohort.txt"
    if content is not None:
        cohort.write_text(content)
    with pytest.raises(InputError) as error:
        stage.result(stage.list, cohort=cohort)
    for part in parts:
        assert part in str(error.value)


def test_cohort_mean_without_a_cohort(stage):
    """By the same words as where the configuration is checked."""
    with pytest.raises(InputError, match=r"scoring\.as_norm\.cohort") as error:
        stage.result(stage.list, subtract_mean="cohort")
    with pytest.raises(InputError) as configured:
        check({"scoring": {"subtract_mean": "cohort"}})
    assert str(error.value) in str(configured.value)


@pytest.mark.parametrize(
    ("speakers", "training", "heard"),
    [
        (["id10270", "id10280", "id10309", "id90001"], 1211, 0),  # O, and voices that are not VoxCeleb1's
        (["id10270", "id10280", "id10001", "id11251"], 1211, 2),  # as E and H
        (["id10270", "id10280", "id10001", "id11251"], 5994, 0),  # trained on something else
        (["id10271", "id10280", "id00012", "id11252", "p10001"], 1211, 0),
    ],
)
def test_speakers_that_the_network_has_heard_are_flagged(tmp_path, speakers, training, heard):
    stage = Stage(tmp_path, speakers, training)
    result, text = stage.result(stage.list)
    for protocol in result["protocols"].values():
        assert protocol["heard_speakers"] == heard
        assert bool(protocol["notes"]) == bool(heard)
    assert ("NOT A FAIR TEST" in text.splitlines()[0]) == bool(heard)
    assert ("it has heard them" in text) == bool(heard)


def test_labels_against_folders(stage):
    """Counters for labels, labels that are swapped, and one that is wrong: notes with counts, and the first line."""
    lines = [line.split() for line in stage.list.read_text().splitlines()]
    assert len(lines) > 200

    def answer(labels):
        stage.list.write_text("".join(f"{label} {a} {b}\n" for label, (_, a, b) in zip(labels, lines)))
        result, text = stage.result(stage.list, replicates=10)
        protocol = result["protocols"]["list"]
        wrong = sum((a.split("/")[0] == b.split("/")[0]) != int(label) for label, (_, a, b) in zip(labels, lines))
        assert protocol["contradicting_labels"] == wrong
        assert [("contradict the folders" in note) for note in protocol["notes"]] == [True] * bool(wrong)
        return protocol, text

    truth = [int(label) for label, *_ in lines]
    protocol, text = answer(truth)
    assert protocol["notes"] == []
    assert "CONTRADICT" not in text

    protocol, text = answer([i % 2 for i in range(len(lines))])
    share = 100 * protocol["contradicting_labels"] / len(lines)
    assert 20 < share < 80
    assert f"{protocol['contradicting_labels']:,} of {len(lines):,} labels contradict the folders" in text
    assert f"LABELS CONTRADICT THE FOLDERS in {share:.0f} % of the trials" in text.splitlines()[0]
    assert "swapped" not in text

    protocol, text = answer([1 - label for label in truth])
    assert protocol["contradicting_labels"] == len(lines)
    assert "0 and 1 seem to be swapped" in text
    assert "LABELS CONTRADICT THE FOLDERS in 100 %" in text.splitlines()[0]

    _, first, second = lines[0]
    protocol, text = answer([0, *truth[1:]])
    assert truth[0] == 1
    assert f"such as nontarget of {first} and {second}; labels or folders are wrong" in protocol["notes"][0]
    assert "CONTRADICT" not in text.splitlines()[0]  # below 1 %


def test_trials_of_an_utterance_with_itself_are_noted(stage):
    a, b, c = stage.names[0], stage.names[10], stage.names[5]
    with stage.list.open("a") as stream:
        stream.write(f"1 {a} {a}\n1 {b} wav/{b}\n0 {c} {c}\n")
    result, text = stage.result(stage.list, replicates=0)
    protocol = result["protocols"]["list"]
    assert protocol["self_trials"] == {"targets": 2, "nontargets": 1}
    assert protocol["contradicting_labels"] == 1
    trials = protocol["targets"] + protocol["nontargets"]
    assert f"WARNING     2 of {trials} trials are targets of an utterance with itself" in text
    assert f"WARNING     1 of {trials} trials are nontargets of an utterance with itself" in text


def test_one_list_in_two_formats_has_one_result_and_says_how_it_was_read(stage):
    result, text = stage.result(stage.list)
    wanted = result["protocols"]["list"]
    assert (wanted.pop("format"), wanted.pop("matching")) == ("1/0 enrolment test (VoxCeleb)", {"id": 48})
    assert (
        "  format      1/0 enrolment test (VoxCeleb)\n  names       of utterances, found in the data set: 48 by id\n"
        in text
    )

    rows = [line.split() for line in stage.list.read_text().splitlines()]
    lines = (
        f"{a.removesuffix('.wav').replace('/', '-')} C:\\{b.replace('/', chr(92))} {'imp' if label == '0' else 'tgt'}\n"
        for label, a, b in rows
    )
    stage.list.write_text("enrol test label\n" + "".join(lines))
    result, text = stage.result(stage.list)
    found = result["protocols"]["list"]
    assert found.pop("format") == "enrolment test tgt/imp (SITW, VOiCES), header line left out"
    assert found.pop("matching") == {"longer path": 47, "Kaldi id": 47}
    assert found == wanted | {"md5": found["md5"]}


def test_a_list_without_errors_has_a_bound_and_no_interval(stage):
    speakers = np.repeat(np.eye(12, 192), 4, axis=0)
    np.save(stage.folder / "embeddings.npy", speakers.astype(np.float32))
    result, text = stage.result(stage.list)
    interval = result["protocols"]["list"]["eer_interval"]
    assert (interval["low"], interval["high"]) == (None, None)
    bound = interval["upper_bound"]
    assert 0.3 < bound < 0.5
    assert (
        f"  EER         0.000 % (no interval: no trial is wrong in any draw of the 12 speakers; below "
        f"{100 * bound:.3f} % with 95 % confidence)\n" in text
    )


def test_a_list_of_a_known_name_with_other_counts_is_noted(stage):
    path = stage.folder / "veri_test2.txt"
    stage.list.rename(path)
    result, text = stage.result(path)
    protocol = result["protocols"]["veri_test2"]
    assert protocol["list"] is None
    assert protocol["notes"][0].startswith("veri_test2.txt is the file name of VoxCeleb1-O (cleaned), which has 18,802")
    assert "WARNING     veri_test2.txt is" in text


def test_speakers_with_one_utterance_have_no_target_in_the_leave_one_out_form(tmp_path):
    names = ["a/s/1.wav", "b/s/1.wav", "b/s/2.wav", "c/s/1.wav", "c/s/2.wav"]
    embeddings = np.random.default_rng(0).normal(size=(5, 192)).astype(np.float32)
    stage = Stage(tmp_path, ["a"])
    write_score_inputs(tmp_path, names, embeddings, [3.0] * 5)
    result, text = stage.result()
    counts = {name: (part["targets"], part["nontargets"]) for name, part in result["protocols"].items()}
    assert counts == {"centroid": (5, 10), "centroid_leave_one_out": (4, 10)}
    assert result["protocols"]["centroid_leave_one_out"]["speakers_without_target"] == 1
    assert "left out    target scores of 1 speakers with one utterance" in text
    write_score_inputs(tmp_path, names[:2], embeddings[:2], [3.0] * 2)
    result, text = stage.result()
    assert list(result["protocols"]) == ["centroid"]
    assert "no leave-one-out form: every speaker has one utterance" in text


def test_parquet(stage):
    parquet = pytest.importorskip("pyarrow.parquet")
    wanted, _ = stage.result(stage.list)
    *_, scores = stage.scores()
    result, _ = stage.result(stage.list, format="parquet")
    assert result == wanted
    assert [path.name for path in (stage.folder / "scores").iterdir()] == ["list.parquet"]
    assert parquet.read_table(stage.folder / "scores" / "list.parquet")["score"].to_pylist() == scores.tolist()


def test_the_commands_write_what_the_functions_give(stage):
    """Both scripts, and a fault of a shard: each names the file and what to do."""
    score, write_answer = stage.arguments
    assert run_script("score.py", *score, "--trials", stage.list) == (0, "")
    assert run_script("write_answer.py", *write_answer) == (0, "")
    found, text = files.read_json(stage.folder / "eer.json"), (stage.folder / "eer.txt").read_text(encoding="utf-8")
    table = (stage.folder / "scores" / "list.tsv").read_bytes()
    expected, expected_text = stage.result(stage.list)
    assert (stage.folder / "scores" / "list.tsv").read_bytes() == table
    assert found["scoring"].pop("bootstrap") == {"replicates": 1000, "seed": 0}
    assert list(found) == list(expected)
    assert {**found, "code": ""} == {**expected, "code": ""}
    lines, expected_lines = (
        [line for line in words.splitlines() if not line.startswith("code ")] for words in (text, expected_text)
    )
    assert lines == expected_lines
    np.save(stage.folder / "embeddings.npy", stage.embeddings[1:])
    assert_one_error(run_script("score.py", *score), "embeddings.npy: 47 embeddings for 48 rows of", "run infer again")


def test_shards_of_different_engines_are_no_answer(stage):
    files.write_json(stage.folder / "other.json", {"engine": "another", "utterances": 4})
    with pytest.raises(InputError, match=r"computed differently, see .*sidecar\.json"):
        result.one_of([stage.folder / "sidecar.json", stage.folder / "other.json"])


def test_the_result_has_the_shape_that_is_documented(stage):
    """Every key of the result, of its protocols and of their facts, and no other."""
    cohort = stage.folder / "cohort.txt"
    cohort.write_text("\n".join(stage.names[:8]))
    found, _ = stage.result(stage.list, cohort=cohort)
    assert list(found) == list(result.Result.__annotations__)
    known = set(result.Protocol.__annotations__)
    for protocol in found["protocols"].values():
        assert set(result.Metrics.__annotations__) <= protocol.keys() <= known - {"facts"}
        assert protocol["eer_interval"].keys() <= set(result.Interval.__annotations__)
    seen = {key for protocol in found["protocols"].values() for key in protocol}
    assert seen == known - {"facts"}


def test_features_that_do_not_fit_the_network(stage):
    """network.on_misfit: in the first line, an error, or in its own line alone."""
    score, write_answer = stage.arguments
    misfit = {"verdict": "misfit", "distance": 64.0, "utterances": 32}
    misfit |= {"better": "those of the family speechbrain", "better_distance": 0.1}
    files.write_json(stage.folder / "fit.json", misfit)
    assert run_script("score.py", *score, "--trials", stage.list) == (0, "")
    outcome = run_script("write_answer.py", *write_answer, "--on-misfit", "fail")
    assert_one_error(outcome, "they do NOT look like those of the network's training", "network.on_misfit: warn")
    assert not (stage.folder / "eer.txt").exists()
    for on_misfit, in_first_line in (("warn", True), ("ignore", False)):
        assert run_script("write_answer.py", *write_answer, "--on-misfit", on_misfit) == (0, "")
        first, *others = (stage.folder / "eer.txt").read_text().splitlines()
        warning = "[THE FEATURES DO NOT FIT THE NETWORK: those of the family speechbrain fit better]"
        assert (warning in first) == in_first_line
        assert any(line.startswith("fit         they do NOT look like") for line in others)
