"""What score.py and write_answer.py write as JSON: its shape, and how the answer is put together.

``Scored`` is ``work/protocols/<engine>/bs<N>.json``, ``Result`` is ``results/<engine>/eer_bs<N>.json``. Rates are
fractions, times seconds.
"""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypedDict

from .. import files
from ..errors import InputError
from . import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PACKAGES = ("torch", "torchaudio", "numpy", "scikit-learn", "soundfile")


class Interval(TypedDict, total=False):
    """Confidence interval of an EER; the last three are there where speakers were drawn."""

    low: float | None
    high: float | None
    reason: str | None  # why there is none
    level: float  # 0.95
    speakers: int  # that were drawn from
    replicates: int  # draws that had targets and nontargets
    upper_bound: float | None  # of the EER, at the same level, where no trial is wrong


class Facts(TypedDict, total=False):
    """What the notes of a protocol are made from; the last three are a trial list's."""

    speakers: int  # of the trials
    voxceleb1_dev_speakers: int  # those of them that belong to VoxCeleb1's development part
    example: str | None  # one of these
    contradiction: dict[str, str] | None  # a trial whose label contradicts the folders: label, enrolment, test
    official_list_with_other_counts: dict[str, Any] | None  # see asv.trials.official_lists.recognise
    speakers_shared_with_cohort: int


class Metrics(TypedDict):
    """Of every protocol, see ``docs/metrics.md``."""

    eer: float
    eer_interval: Interval
    threshold: float  # at the EER
    eer_convex_hull: float
    min_dcf: dict[str, float]  # by prior of a target
    min_dcf_thresholds: dict[str, float | None]  # None where it is best to accept nothing
    operating_points: dict[str, dict[str, Any]]  # by false-accept rate, see asv.scoring.metrics.operating_point
    roc_auc: float
    cllr: float  # bits
    min_cllr: float  # bits
    targets: int  # trials
    nontargets: int  # trials


class Protocol(Metrics, total=False):
    """One protocol of a result. In ``Scored``, ``facts`` stands where ``heard_speakers`` and ``notes`` stand here."""

    facts: Facts
    heard_speakers: int  # that the network was trained on
    notes: Sequence[str]  # warnings, sentences
    list: str | None  # which of VoxCeleb1's lists it is
    md5: str | None  # of the list
    # Of trial lists:
    skipped: int  # trials that name utterances which are not used
    duplicates: int  # trials that repeat an earlier one
    format: str  # in words
    matching: dict[str, int]  # how many names were found in which way, see asv.trials.matching.places
    contradicting_labels: int  # that say otherwise than the folders
    self_trials: dict[str, int]  # targets, nontargets: of an utterance with itself
    conditions: dict[str, Any]  # duration, speakers: see asv.scoring.conditions
    # Of the centroid protocols:
    utterances: int  # that were scored
    max_duration: float  # of them
    true_positive_rate: float  # at the threshold that maximises the sum of both; of the flattering form
    true_negative_rate: float
    speakers_without_target: int  # with one utterance; of the leave-one-out form


class Scored(TypedDict):
    """What was scored and how, in numbers and facts."""

    # subtract_mean, as_norm (cohort, md5, speakers, top; or None), bootstrap (replicates, seed):
    scoring: dict[str, Any]
    protocols: dict[str, Protocol]  # trial lists by name, in the order of the configuration, then the centroids'
    centroid_left_out: str | None  # why
    # found, used, seconds (of those), rejected, reasons; resampled, mixed; speakers (describe); noted:
    utterances: dict[str, Any]
    versions: dict[str, str]  # of Python and PACKAGES
    code: str  # digest of the scoring's code


class Result(TypedDict):
    """The answer for programs."""

    dataset: dict[str, Any]  # root: folders; demo: whether it is the demo's
    scoring: dict[str, Any]  # as in Scored
    protocols: dict[str, Protocol]
    centroid_left_out: str | None
    utterances: dict[str, Any]  # as in Scored, with the layout by which speakers were found
    engine: dict[str, Any]  # what infer.py says of the engine that ran, its options, and the record of its quantisation
    features: dict[str, Any]  # of extract_features.py
    network: dict[str, Any]  # of trace_network.py; source, as the user named it; demo: which demo it is, or None
    versions: dict[str, str]
    code: str  # digest of the code of all stages that led here, each as it was when that stage ran
    sentence: str  # for a paper or a ticket


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def one_of(sidecars: Sequence[Path]) -> dict[str, Any]:
    """What ran, by the JSON files of infer.py, which must say the same in every shard."""
    facts = [{k: v for k, v in files.read_json(path).items() if k != "utterances"} for path in sidecars]
    if any(other != facts[0] for other in facts):
        raise InputError(f"shards were computed differently, see {sidecars[0]} and its neighbours; run infer again")
    return facts[0]


def assemble(
    scored: Scored,
    protocols: dict[str, Protocol],
    dataset: dict[str, Any],
    layout: str,
    engine: Mapping[str, Any],
    artefact: Mapping[str, Any],
    features: dict[str, Any],
    network: dict[str, Any],
    code: str,
) -> Result:
    """The answer for programs.

    Args:
        scored: of score.py.
        protocols: its protocols with their notes, see :func:`asv.scoring.notes.with_notes`.
        dataset: ``root`` and ``demo``.
        layout: name of the layout by which the speakers were found.
        engine, artefact, features, network: JSON of infer.py, compile_engine.py, extract_features.py and
            trace_network.py; the network's has ``demo`` and ``source``, too.
        code: digest of the code that writes the answer.
    """
    utterances = dict(scored["utterances"])
    speakers, noted = utterances.pop("speakers"), utterances.pop("noted")
    quantised = artefact.get("quantisation", {})
    stages = [features["code"], network["code"], artefact["code"], engine["code"], scored["code"], code]
    stages += [quantised["calibration"]["code"], quantised["code"]] if quantised else []
    found: Any = {
        "dataset": dataset,
        "scoring": scored["scoring"],
        "protocols": protocols,
        "centroid_left_out": scored["centroid_left_out"],
        "utterances": {**utterances, **speakers, "layout": layout, "noted": noted},
        "engine": {
            "name": engine["engine"],
            **_without_name(engine),
            "options": artefact["options"],
            **({"quantisation": quantised} if quantised else {}),
        },
        "features": features,
        "network": network,
        "versions": scored["versions"],
        "code": hashlib.sha256("".join(stages).encode()).hexdigest()[:16],
    }
    found["sentence"] = sentence.of_result(found)
    return found


def _without_name(engine):
    return {key: value for key, value in engine.items() if key != "engine"}
