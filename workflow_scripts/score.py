"""Score trial lists and the seed's centroid protocol; write the answer for a person, and as JSON.

Takes the tables and embeddings of all shards, in the same order. Scores are written without rounding, one row a trial.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np

from asv import answer, cli, code, files, manifest, metrics, scoring
from asv.errors import InputError
from asv.trials import CENTROID, protocol_names, read_trials

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
    parser.add_argument("--trials", type=Path, nargs="*", default=[], help="trial lists, VoxCeleb or Kaldi format")
    parser.add_argument("--missing", choices=("fail", "skip"), default="fail", help="trials of unknown utterances")
    parser.add_argument("--no-centroid", action="store_true", help="leave the seed's protocol out")
    parser.add_argument("--centroid-max-duration", type=float, default=19.0, help="seconds; longer are left out there")
    parser.add_argument("--centroid-max-scores", type=int, default=20_000_000, help="above it, it is left out")
    parser.add_argument("--root", nargs="+", default=[], help="the data set's folders, as named in the result")
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


def rows_of_trials(trials, row_of, rejected, missing):
    """Rows of both sides of the trials whose utterances are there: ``(first, second, targets, skipped)``."""
    rows = np.array([row_of.get(name, -1) for name in trials.names])
    first, second = rows[trials.first], rows[trials.second]
    there = (first >= 0) & (second >= 0)
    skipped = int(np.count_nonzero(~there))
    if skipped and missing == "fail":
        unknown = [name for name in trials.names if name not in row_of]
        reasons = [f"{name} ({rejected.get(name, 'not in the data set')})" for name in unknown[:5]]
        raise InputError(
            f"trial list {trials.name}: {skipped} of {len(there)} trials name {len(unknown)} utterances that are not "
            f"used, such as {', '.join(reasons)}; complete the data set, or set scoring.on_missing_trial: skip"
        )
    if not there.any():
        raise InputError(f"trial list {trials.name}: none of its {len(there)} trials names utterances of this data set")
    return first[there], second[there], trials.targets[there], skipped


def score_list(path, utterances, embeddings, row_of, rejected, options):
    """Score one trial list, write its scores, return its part of the result."""
    trials = read_trials(path)
    first, second, targets, skipped = rows_of_trials(trials, row_of, rejected, options.missing)
    scores = scoring.cosine_scores(embeddings, first, second)
    names = [row.utterance for row in utterances]
    table = ((names[a], names[b], int(t), repr(float(s))) for a, b, t, s in zip(first, second, targets, scores))
    files.write_table(options.scores / f"{trials.name}.tsv", ("enrolment", "test", "target", "score"), table)
    try:
        result = metrics.summary(scores, targets)
    except InputError as error:
        raise InputError(f"trial list {trials.name}: {error}") from error
    return {**result, "md5": trials.md5, "skipped": skipped, "duplicates": trials.duplicates}


def score_centroids(utterances, embeddings, options):
    """The seed's protocol: its part of the result, or the reason why it is left out."""
    if options.no_centroid:
        return None, "switched off (scoring.centroid.enabled)"
    rows = [i for i, row in enumerate(utterances) if row.duration <= options.centroid_max_duration]
    speakers = [utterances[i].speaker for i in rows]
    count = len(rows) * len(set(speakers))
    if len(set(speakers)) < 2:
        return None, f"{len(set(speakers))} speaker with utterances of at most {options.centroid_max_duration:g} s"
    if count > options.centroid_max_scores:
        return None, f"{count:,} scores are more than scoring.centroid.max_scores ({options.centroid_max_scores:,})"
    scores, targets = scoring.centroid_scores(embeddings[rows], speakers)
    rates = metrics.error_rates(scores.ravel(), targets.ravel())
    hits, correct_rejects = metrics.best_balanced_point(rates)
    return {
        **metrics.summary(scores.ravel(), targets.ravel()),
        "md5": None,
        "true_positive_rate": hits,
        "true_negative_rate": correct_rejects,
        "utterances": len(rows),
        "max_duration": options.centroid_max_duration,
    }, None


def one_of(sidecars):
    """What ran, which must be the same in every shard."""
    facts = [{k: v for k, v in files.read_json(path).items() if k != "utterances"} for path in sidecars]
    if any(other != facts[0] for other in facts):
        raise InputError(f"shards were computed differently, see {sidecars[0]} and its neighbours; run infer again")
    return facts[0]


def main():
    options = parse_arguments()
    protocol_names(options.trials)
    utterances, embeddings = load_embeddings(options.manifest, options.embeddings)
    if not utterances:
        raise InputError("no utterance is left to score; see results/rejected.tsv")
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    row_of = {row.utterance: index for index, row in enumerate(utterances)}
    reason_of = {row.utterance: f"rejected: {row.reason}" for row in rejected}
    protocols = {}
    with files.atomic_folder(options.scores) as folder:
        options.scores = folder
        for path in options.trials:
            protocols[path.stem] = score_list(path, utterances, embeddings, row_of, reason_of, options)
    centroid, left_out = score_centroids(utterances, embeddings, options)
    if centroid:
        protocols[CENTROID] = centroid
    if not protocols:
        raise InputError(
            f"nothing to score: no trial list was given or found, and the centroid protocol has {left_out}"
        )
    engine, features = one_of(options.sidecar), files.read_json(options.features)
    artefact, network = files.read_json(options.artefact), files.read_json(options.network)
    stages = (features["code"], network["code"], artefact["code"], engine["code"], code.digest(__file__))
    result = {
        "dataset": {"root": options.root, "demo": options.demo_data},
        "protocols": protocols,
        "centroid_left_out": left_out,
        "utterances": {
            "found": len(utterances) + len(rejected),
            "used": len(utterances),
            "rejected": len(rejected),
            "reasons": dict(sorted(Counter(row.reason for row in rejected).items())),
            "resampled": sum(row.sample_rate != features["sample_rate"] for row in utterances),
            "mixed": sum(row.channels > 1 for row in utterances),
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
