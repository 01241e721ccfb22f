"""Which utterances calibrate a network in int8: the words of their stage, and the digest of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dataset import shards
from ..quantisation import calibration
from .words import options_of

if TYPE_CHECKING:
    from ..dataset.tree import AudioFile
    from .feature_sets import FeatureSet
    from .inputs import Config, Dataset

FRAMES = 200  # of a crop, where whole utterances are evaluated


def roots(config: Config, dataset: Dataset) -> list[str]:
    """Folders that the utterances are taken from; none for the demo's training voices."""
    own = config["quantisation"]["calibration"]["root"]
    return [own] if own is not None else [] if dataset.tree is None else dataset.roots


def files(config: Config, dataset: Dataset) -> list[AudioFile]:
    """The chosen files; none for the demo's training voices.

    Raises:
        InputError: where the folder is missing or has no audio.
    """
    settings = config["quantisation"]["calibration"]
    if settings["root"] is not None:
        found = calibration.files_below(settings["root"])
    elif dataset.tree is not None:
        found = shards.shard_files(dataset.tree, "0-of-1")
    else:
        return []
    return calibration.chosen(found, settings["utterances"], settings["seed"])


def stamp(chosen: list[AudioFile]) -> str:
    """Digest of the chosen files; empty for the demo's training voices."""
    return shards.stamp(chosen) if chosen else ""


def options(config: Config, evaluated: list[str], chosen: list[AudioFile], features: FeatureSet) -> str:
    """Options of ``extract_calibration.py``, but for the folders.

    Args:
        config: the configuration.
        evaluated: folders of the data set.
        chosen: of :func:`files`.
        features: of the answers, by whose contract the calibration's are made.
    """
    settings = config["quantisation"]["calibration"]
    choice = {"utterances": settings["utterances"], "choice_seed": settings["seed"]}
    own = calibration.of_roots(chosen, evaluated)
    words = {**choice, "evaluation_data": own, "on_bad_audio": config["dataset"]["on_bad_audio"]}
    return f"{options_of(words, *words)} {features.with_crops(features.frames or FRAMES, 1).options}"


def options_of_tree(config: Config, dataset: Dataset) -> str:
    """Options that name the speakers' folders, where the utterances are those of the data set."""
    if config["quantisation"]["calibration"]["root"] is not None or dataset.tree is None:
        return ""
    return options_of(config["dataset"], "layout", "shared_speakers")
