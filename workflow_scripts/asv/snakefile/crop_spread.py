"""The settings of ``snakemake crop_spread``: the answers' features with every random seed and number of crops."""

from __future__ import annotations

from ..errors import InputError
from . import feature_sets
from .feature_sets import FeatureSet
from .inputs import Config
from .options import of_answer, of_trials


def grid(config: Config, own: FeatureSet) -> list[FeatureSet]:
    """Features of every setting: number of crops by number of crops, seed by seed.

    Args:
        config: the configuration.
        own: features of the answers, from which the settings differ in seed and number of crops.
    """
    numbers = config["crop_spread"]["crops"] or [config["features"]["crops"]]
    seeds = config["crop_spread"]["seeds"]
    return [own.with_crops(own.crops["frames"], number).with_seed(seed) for number in numbers for seed in seeds]


def keys(config: Config, own: FeatureSet) -> list[str]:
    """Keys of the features of :func:`grid`, in its order.

    Raises:
        InputError: where no place is drawn, so that no seed changes anything.
    """
    features = config["features"]
    if features["frames"] == feature_sets.WHOLE:
        raise InputError("features.frames: whole utterances have no crops, so crop_spread has nothing to vary")
    if features["placement"] != "digest":
        raise InputError(
            f"features.placement: {features['placement']} draws no places, so crop_spread has nothing to vary; "
            "it is for digest"
        )
    return [found.key for found in grid(config, own)]


def options(config: Config) -> str:
    """Options of ``tabulate_spread.py``."""
    return f"{of_answer(config)} {of_trials(config)}"
