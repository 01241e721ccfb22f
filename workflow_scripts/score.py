"""Score trial lists and the centroid protocols; write the answer for a person, and as JSON.

Takes the tables and embeddings of all shards, in the same order. Scores are written without rounding, one row a trial.
Mean subtraction and AS-norm apply to trial lists; the centroid protocols are the seed's, of embeddings as they are.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from asv import cli, code, files
from asv.errors import InputError
from asv.features import manifest
from asv.scoring import answer, bootstrap, conditions, cosine, metrics, speakers, tables
from asv.trials.cohort import match_cohort
from asv.trials.label_checks import check_labels
from asv.trials.lists import CENTROID, CENTROID_LEAVE_ONE_OUT, protocol_names, read_trials
from asv.trials.official_lists import VOXCELEB1_DEV_SPEAKERS, recognise, voxceleb1_dev_speakers
from asv.trials.rows import match, rows_of_trials

CENTROID_BOOTSTRAP = 2_000_000  # scores of a centroid protocol above which its EER gets no interval: minutes
PACKAGES = ("torch", "torchaudio", "numpy", "scikit-learn", "soundfile")


def parse_arguments():
    parser = cli.parser(__doc__)
    for name, help_text in (
        ("embeddings", ".npy of infer.py, one a shard"),
        ("manifest", "manifests of the same shards"),
        ("rejected", "tables of rejected files of the same shards"),
        ("sidecar", "JSON of infer.py of the same shards"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=help_text)
    parser.add_argument("--features", type=Path, required=True, help="JSON of extract_features.py of a shard")
    parser.add_argument("--artefact", type=Path, required=True, help="artefact.json of compile_engine.py")
    parser.add_argument("--network", type=Path, required=True, help="JSON of trace_network.py")
    parser.add_argument("--trials", type=Path, nargs="*", default=[], help="trial lists, see docs/trial-lists.md")
    parser.add_argument("--missing", choices=("fail", "skip"), default="fail", help="trials of unknown utterances")
    parser.add_argument("--subtract-mean", choices=("none", "dataset", "cohort"), default="none", help="before scoring")
    parser.add_argument("--cohort", type=Path, nargs="?", help="utterances, one per line: scores are AS-normalised")
    parser.add_argument("--as-norm-top", type=cli.positive, default=300, help="of the cohort's speakers")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no confidence intervals")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws of speakers")
    parser.add_argument("--format", choices=tables.FORMATS, default="tsv", help="of the score tables")
    parser.add_argument("--no-centroid", action="store_true", help="leave the seed's protocols out")
    parser.add_argument("--centroid-max-duration", type=float, default=19.0, help="seconds; longer are left out there")
    parser.add_argument("--centroid-max-scores", type=int, default=20_000_000, help="above it, it is left out")
    parser.add_argument("--root", nargs="+", default=[], help="the data set's folders, as named in the result")
    parser.add_argument("--layout", default="", help="by which the speakers were found, as named in the result")
    parser.add_argument("--demo-data", action="store_true", help="say that the data set is the demo's")
    parser.add_argument("--demo-checkpoint", default="", help="say that the checkpoint is the demo's, and of what kind")
    parser.add_argument("--text", type=Path, required=True, help="the answer for a person")
    parser.add_argument("--json", type=Path, required=True, help="the answer for programs")
    parser.add_argument("--scores", type=Path, required=True, help="folder of score tables")
    return parser.parse_args()


def load_embeddings(tables, arrays):
    """All utterances and their embeddings float32 ``(utterances, 192)``; counts must agree in every shard."""
    utterances, parts = [], []
    for table, array in zip(tables, arrays):
        rows, embeddings = manifest.read_utterances(table), np.load(array)
        if len(rows) != len(embeddings):
            raise InputError(f"{array}: {len(embeddings)} embeddings for {len(rows)} rows of {table}; run infer again")
        utterances += rows
        parts.append(embeddings)
    return utterances, np.concatenate(parts)


@dataclass(frozen=True)
class Data:
    """What is scored.

    Attributes:
        utterances: list of :class:`asv.features.manifest.Utterance`.
        embeddings: float ``(utterances, 192)``, as they are.
        prepared: the same, less the mean where that is wanted.
        cohort: float64 ``(cohort's speakers, 192)`` of length 1, or None.
        cohort_speakers: names.
        names: str ``(speakers,)``, sorted.
        speaker_of: integer ``(utterances,)``, places in names.
        row_of: utterance id to row.
        rejected: utterance id to reason.
    """

    utterances: list
    embeddings: np.ndarray
    prepared: np.ndarray
    cohort: np.ndarray | None
    cohort_speakers: frozenset
    names: np.ndarray
    speaker_of: np.ndarray
    row_of: dict
    rejected: dict


def prepare(utterances, embeddings, rejected, options):
    """The data, with the mean subtracted and the cohort averaged by speaker as the options say."""
    row_of = {row.utterance: index for index, row in enumerate(utterances)}
    reason_of = {row.utterance: f"rejected: {row.reason}" for row in rejected}
    names, speaker_of = np.unique(np.array([row.speaker for row in utterances]), return_inverse=True)
    rows, cohort, prepared = [], None, embeddings
    if options.cohort:
        rows = match_cohort(options.cohort, [*row_of, *reason_of], row_of, reason_of)
    if options.subtract_mean == "cohort" and not rows:
        raise InputError("scoring.subtract_mean: cohort needs a list of utterances in scoring.as_norm.cohort")
    if options.subtract_mean != "none":
        prepared = cosine.subtract_mean(embeddings, rows if options.subtract_mean == "cohort" else slice(None))
    if rows:
        cohort = cosine.speaker_centroids(prepared[rows], speaker_of[rows])
    speakers = frozenset(utterances[row].speaker for row in rows)
    return Data(utterances, embeddings, prepared, cohort, speakers, names, speaker_of, row_of, reason_of)


def result_of(scores, targets, first, second, data, options, limit=None):
    """What every protocol's result has: metrics, interval, the speakers that the network has heard.

    Args:
        scores, targets: float64, bool ``(trials,)``.
        first, second: integer ``(trials,)``, speakers of the sides as places in ``data.names``.
        limit: of the number of trials, above which there is no interval.
    """
    result = metrics.summary(scores, targets)
    if not options.bootstrap_replicates:
        interval = {"low": None, "high": None, "reason": "switched off (scoring.bootstrap.replicates)"}
    elif limit and len(scores) > limit:
        interval = {"low": None, "high": None, "reason": f"{len(scores):,} scores are more than {limit:,}"}
    else:
        settings = {"replicates": options.bootstrap_replicates, "seed": options.bootstrap_seed}
        interval = bootstrap.eer_interval(scores, targets, first, second, **settings)
    speakers = set(data.names[np.union1d(first, second)].tolist())
    notes = []
    heard = sorted(voxceleb1_dev_speakers(speakers)) if options.training_speakers == VOXCELEB1_DEV_SPEAKERS else []
    if heard:
        notes.append(
            f"the network has {VOXCELEB1_DEV_SPEAKERS} training speakers, as many as VoxCeleb1's development part, and "
            f"{len(heard)} of the {len(speakers)} speakers here, such as {heard[0]}, belong to it: it has heard them"
        )
    return {"eer": result.pop("eer"), "eer_interval": interval, **result, "heard_speakers": len(heard), "notes": notes}


def score_list(path, data, options):
    """Score one trial list, write its scores, return its part of the result."""
    trials, matching = match(read_trials(path), [*data.row_of, *data.rejected])
    first, second, targets, skipped = rows_of_trials(trials, data.row_of, data.rejected, options.missing)
    scores = cosine.cosine_scores(data.prepared, first, second)
    if data.cohort is not None:
        used, place = np.unique(np.concatenate((first, second)), return_inverse=True)
        statistics = cosine.cohort_statistics(data.prepared[used], data.cohort, options.as_norm_top)
        scores = cosine.as_norm(scores, place[: len(first)], place[len(first) :], *statistics)
    ids = [row.utterance for row in data.utterances]
    tables.write(options.scores / f"{trials.name}.{options.format}", ids, first, second, targets, scores)
    speakers = data.speaker_of[first], data.speaker_of[second]
    try:
        result = result_of(scores, targets, *speakers, data, options)
    except InputError as error:
        raise InputError(f"trial list {trials.name}: {error}") from error
    official, note = recognise(trials)
    counts, label_notes = check_labels(first, second, targets, data.speaker_of, ids)
    result["notes"] += [*label_notes, note] if note else label_notes
    result["notes"] += shared_with_cohort(data, speakers)
    durations = np.array([row.duration for row in data.utterances])
    shorter = np.minimum(durations[first], durations[second])
    threshold = result["threshold"]
    return {
        **result,
        "list": official,
        "md5": trials.md5,
        "skipped": skipped,
        "duplicates": trials.duplicates,
        "format": trials.format,
        "matching": matching,
        **counts,
        "conditions": {
            "duration": conditions.by_duration(scores, targets, shorter, threshold),
            "speakers": conditions.by_speaker(scores, targets, *speakers, data.names, threshold),
        },
    }


def shared_with_cohort(data, speakers):
    """A note where speakers of the trials are in the cohort, whose scores are then not those of strangers."""
    shared = data.cohort_speakers & set(data.names[np.union1d(*speakers)].tolist())
    return [f"{len(shared)} speakers of the trials are in the cohort of AS-norm, too"] if shared else []


def score_centroids(data, options):
    """The seed's protocol and its unbiased form: their parts of the result, or the reason why they are left out."""
    if options.no_centroid:
        return {}, "switched off (scoring.centroid.enabled)"
    rows = [i for i, row in enumerate(data.utterances) if row.duration <= options.centroid_max_duration]
    names, speaker_of = np.unique(data.speaker_of[rows], return_inverse=True)
    count = len(rows) * len(names)
    if len(names) < 2:
        return {}, f"{len(names)} speaker with utterances of at most {options.centroid_max_duration:g} s"
    if count > options.centroid_max_scores:
        return {}, f"{count:,} scores are more than scoring.centroid.max_scores ({options.centroid_max_scores:,})"
    facts = {"list": None, "md5": None, "utterances": len(rows), "max_duration": options.centroid_max_duration}
    names = names.astype(np.int32)  # there may be millions of scores
    sides = np.repeat(names[speaker_of], len(names)), np.tile(names, len(rows))

    scores, targets = (part.ravel() for part in cosine.centroid_scores(data.embeddings[rows], speaker_of))
    hits, correct_rejects = metrics.best_balanced_point(metrics.error_rates(scores, targets))
    seed = {
        **result_of(scores, targets, *sides, data, options, CENTROID_BOOTSTRAP),
        **facts,
        "true_positive_rate": hits,
        "true_negative_rate": correct_rejects,
    }
    alone = int(np.count_nonzero(np.bincount(speaker_of) == 1))
    if alone == len(names):
        seed["notes"].append("no leave-one-out form: every speaker has one utterance")
        return {CENTROID: seed}, None
    scores, targets = (part.ravel() for part in cosine.centroid_leave_one_out_scores(data.embeddings[rows], speaker_of))
    there = ~np.isnan(scores)
    sides = (side[there] for side in sides)
    unbiased = result_of(scores[there], targets[there], *sides, data, options, CENTROID_BOOTSTRAP)
    return {CENTROID: seed, CENTROID_LEAVE_ONE_OUT: {**unbiased, **facts, "speakers_without_target": alone}}, None


def one_of(sidecars):
    """What ran, which must be the same in every shard."""
    facts = [{k: v for k, v in files.read_json(path).items() if k != "utterances"} for path in sidecars]
    if any(other != facts[0] for other in facts):
        raise InputError(f"shards were computed differently, see {sidecars[0]} and its neighbours; run infer again")
    return facts[0]


def main():
    options = parse_arguments()
    protocol_names(options.trials)
    tables.check_format(options.format)
    network = files.read_json(options.network)
    options.training_speakers = network["speakers"]
    utterances, embeddings = load_embeddings(options.manifest, options.embeddings)
    if not utterances:
        raise InputError("no utterance is left to score; see results/rejected.tsv")
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    data = prepare(utterances, embeddings, rejected, options)
    protocols = {}
    with files.atomic_folder(options.scores) as folder:
        options.scores = folder
        for path in options.trials:
            protocols[path.stem] = score_list(path, data, options)
    centroids, left_out = score_centroids(data, options)
    protocols |= centroids
    if not protocols:
        raise InputError(
            f"nothing to score: no trial list was given or found, and the centroid protocol has {left_out}"
        )
    engine, features = one_of(options.sidecar), files.read_json(options.features)
    artefact = files.read_json(options.artefact)
    stages = (features["code"], network["code"], artefact["code"], engine["code"], code.digest(__file__))
    result = {
        "dataset": {"root": options.root, "demo": options.demo_data},
        "scoring": {
            "subtract_mean": options.subtract_mean,
            "as_norm": options.cohort
            and {
                "cohort": options.cohort.name,
                "md5": files.digest(options.cohort, "md5"),
                "speakers": len(data.cohort),
                "top": min(options.as_norm_top, len(data.cohort)),
            },
            "bootstrap": {"replicates": options.bootstrap_replicates, "seed": options.bootstrap_seed},
        },
        "protocols": protocols,
        "centroid_left_out": left_out,
        "utterances": {
            "found": len(utterances) + len(rejected),
            "used": len(utterances),
            "rejected": len(rejected),
            "reasons": dict(sorted(Counter(row.reason for row in rejected).items())),
            "resampled": sum(row.sample_rate != features["sample_rate"] for row in utterances),
            "mixed": sum(row.channels > 1 for row in utterances),
            **speakers.describe(utterances, options.layout),
            "noted": manifest.count_notes(utterances),
        },
        "engine": {"name": engine.pop("engine"), **engine, "options": artefact["options"]},
        "features": features,
        "network": {**network, "demo": options.demo_checkpoint or None},
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}},
        # Of the code of all stages that led here, each as it was when that stage ran.
        "code": hashlib.sha256("".join(stages).encode()).hexdigest()[:16],
    }
    files.write_json(options.json, result)
    files.write_text(options.text, answer.text(result))


if __name__ == "__main__":
    cli.run(main)
