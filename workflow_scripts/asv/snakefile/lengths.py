"""The grid of ``snakemake accuracy_by_length``: settings of frames and crops by name, each with its features."""

from __future__ import annotations

from ..errors import InputError
from . import feature_sets
from .feature_sets import FeatureSet
from .inputs import Config
from .options import of_answer, of_trials, options_of


def _crops(config: Config) -> list[int]:
    """Numbers of crops that the configuration's placement can take."""
    crops: list[int] = config["accuracy_by_length"]["crops"]
    return [number for number in crops if number == 1 or config["features"]["placement"] != "start"]


def grid(config: Config, own: FeatureSet) -> dict[str, FeatureSet]:
    """Features of every setting by its name: ``whole`` first, then such as ``200x3``, three crops of 200 frames.

    Args:
        config: the configuration.
        own: features of the answers, from which the settings differ in frames and crops.
    """
    pairs = [(frames, crops) for frames in config["accuracy_by_length"]["frames"] for crops in _crops(config)]
    cells = {f"{frames}x{crops}": own.with_crops(frames, crops) for frames, crops in pairs}
    return {feature_sets.WHOLE: own.with_crops(feature_sets.WHOLE, 1), **cells}


def keys(config: Config, own: FeatureSet) -> list[str]:
    """Keys of the features of :func:`grid`, in its order.

    Raises:
        InputError: where no setting of the grid can be had.
    """
    if not _crops(config):
        raise InputError(
            "accuracy_by_length.crops: has no 1, and features.placement: start takes one crop; add 1, or choose "
            "features.placement: digest or even"
        )
    return [features.key for features in grid(config, own).values()]


def left_out(config: Config) -> list[int]:
    """Numbers of crops of the grid that the configuration's placement cannot take."""
    return [number for number in config["accuracy_by_length"]["crops"] if number not in _crops(config)]


def options(config: Config) -> str:
    """Options of ``tabulate_lengths.py``."""
    gate = options_of(config["accuracy_gate"], "max_eer_increase")
    words = [of_answer(config), of_trials(config), gate]
    if missing := left_out(config):
        words.append(f"--left-out {' '.join(map(str, missing))}")
    return " ".join(words)
