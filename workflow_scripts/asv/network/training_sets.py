"""What a network has heard, by the number of its classes."""

from __future__ import annotations

from typing import NamedTuple


class TrainingSet(NamedTuple):
    """Speech that a network was trained on: its name, and its number of speakers."""

    name: str
    speakers: int


# By the rows of the classifier. Speed perturbation makes other speakers of the same ones, and some losses have several
# centres per class, a row each.
BY_CLASSES = {
    1211: TrainingSet("VoxCeleb1 dev", 1211),
    5994: TrainingSet("VoxCeleb2 dev", 5994),
    17982: TrainingSet("VoxCeleb2 dev at three speeds", 5994),
    53946: TrainingSet("VoxCeleb2 dev at three speeds, three centres per class", 5994),
    7205: TrainingSet("VoxCeleb1 and VoxCeleb2 dev", 7205),
}


def of_classes(classes: int | None) -> TrainingSet | None:
    """The training set that so many classes tell of; None where they tell nothing."""
    return BY_CLASSES.get(classes or 0)
