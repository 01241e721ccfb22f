"""Making the folder: what of the workflow goes into it, and what it says of itself."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import code, engines, files
from ..errors import InputError
from ..features.contract_fields import FIELDS
from ..inference import artefact
from ..scoring import tables
from ..scoring.threshold_intervals import EER, threshold_intervals
from ..trials.protocols import CENTROID, CENTROID_LEAVE_ONE_OUT
from . import score_pair

FALSE_ACCEPT_RATES = (0.01, 0.001)
EXAMPLE = Path(score_pair.__file__)
SUMS = "SHA256SUMS"
NUMPY_AND_AUDIO = ("numpy", "soundfile")


def chosen(recommendation: Mapping[str, Any], goal: str) -> tuple[str, int]:
    """Engine and batch size that are recommended for a goal; InputError where nothing is."""
    found = recommendation[goal]
    if found.get("engine") is None:
        raise InputError(
            f"bundle.goal: nothing is recommended for {goal}: {found.get('reason', 'no reason is given')}; see "
            "results/recommendation.md"
        )
    return found["engine"], found["batch_size"]


def place_of(artefacts: Sequence[Path], engine: str, batch_size: int) -> int:
    """Which of the artefacts' folders is the engine's of this batch size; InputError where none is."""
    for place, folder in enumerate(artefacts):
        record = artefact.read(folder)
        if (f"{record['engine']}-{record['requested_precision']}", record["input"][0]) == (engine, batch_size):
            return place
    raise InputError(f"no artefact of {engine} at batch size {batch_size} was given; ask for `bundle` again")


def contract(features: Mapping[str, Any], audio: Mapping[str, Any], averaging: str) -> dict[str, Any]:
    """What features are made of, for ``contract.json``.

    Args:
        features: the sidecar of a shard's features, of extract_features.py.
        audio: fields of :class:`asv.audio.reading.AudioRules`.
        averaging: of several crops.
    """
    crops = {name: features[name] for name in ("crops", "seed", "short", "placement")}
    return {
        "contract": {name: features[name] for name in FIELDS},
        "crops": {"frames": features["shape"][1], **crops},
        "audio": {**audio, "resample": "never"},  # a resampler would take torch
        "averaging": averaging,
    }


def thresholds(answer: Mapping[str, Any], scores: Path, replicates: int, seed: int) -> dict[str, Any]:
    """Thresholds at the EER and at false-accept rates with their intervals, by trial list, for ``thresholds.json``.

    Args:
        answer: JSON of write_answer.py.
        scores: its folder of score tables.
        replicates, seed: of the draws of speakers.

    Raises:
        InputError: where scores are not plain cosines, which is what the example computes.
    """
    scoring = answer["scoring"]
    if scoring["subtract_mean"] != "none" or scoring["as_norm"]:
        raise InputError(
            "scoring: the bundle's example gives plain cosines, and these scores are normalised by a mean or a cohort; "
            "set scoring.subtract_mean: none and scoring.as_norm.cohort: null"
        )
    lists = {}
    for name, path in tables.of_folder(scores).items():
        table = tables.read(path, speakers=True)
        assert table.first is not None
        assert table.second is not None
        sides = (table.scores, table.targets, table.first, table.second)
        intervals = threshold_intervals(*sides, FALSE_ACCEPT_RATES, replicates, seed)
        protocol = answer["protocols"][name]
        points: dict[str, dict[str, Any]] = {
            "at the EER": {
                "threshold": protocol["threshold"],
                "false_accept": protocol["eer"],
                "miss": protocol["eer"],
                "reason": None,
                "interval": intervals[EER],
            }
        }
        for rate in FALSE_ACCEPT_RATES:
            point = protocol["operating_points"][str(rate)]
            words = f"at {100 * rate:g} % false accepts"
            points[words] = {**point, "interval": intervals[str(rate)] if point["threshold"] is not None else None}
        lists[name] = points
    reason = None if lists else f"no trial list was scored; {CENTROID} and {CENTROID_LEAVE_ONE_OUT} score otherwise"
    return {"lists": lists, "reason": reason, "level": 0.95, "replicates": replicates, "seed": seed}


def write_code(folder: Path, engine: str) -> None:
    """The example, and of the core what it imports."""
    shutil.copyfile(EXAMPLE, folder / EXAMPLE.name)
    for path in code.closure(EXAMPLE, engines.source(engine)):
        if path != EXAMPLE.resolve():
            target = folder / path.relative_to(code.ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for package in {path.parent for path in folder.rglob("*.py")} - {folder}:
        (package / "__init__.py").touch()


def requirements(record: artefact.Artefact) -> str:
    """What the example needs, in the versions that made the results."""
    versions = {name: metadata.version(name) for name in NUMPY_AND_AUDIO}
    engine, made_with = record["engine"], {k: v for k, v in record["versions"].items() if v != "missing"}
    if engine in made_with and not engines.is_npu(engine):
        made_with = {engine: made_with[engine]}  # torch only compiled it
    versions |= made_with
    return "".join(f"{name}=={version.partition('+')[0]}\n" for name, version in sorted(versions.items()))


def write_sums(folder: Path) -> None:
    """``SHA256SUMS`` of all files, as ``sha256sum --check`` reads it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{files.digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    files.write_text(folder / SUMS, "".join(lines))


def write(
    folder: Path,
    record_of: Path,
    said: Mapping[str, Any],
    points: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Fill the folder.

    Args:
        folder: exists and is empty.
        record_of: folder of the artefact.
        said, points, provenance: contents of ``contract.json``, ``thresholds.json`` and ``provenance.json``.
    """
    record = artefact.read(record_of)
    shutil.copytree(record_of, folder / score_pair.ARTEFACT, ignore=shutil.ignore_patterns(".*"))
    write_code(folder, record["engine"])
    for name, value in {
        score_pair.CONTRACT: said,
        score_pair.THRESHOLDS: points,
        "provenance.json": provenance,
    }.items():
        files.write_json(folder / name, value)
    files.write_text(folder / "requirements.txt", requirements(record))
    write_sums(folder)
