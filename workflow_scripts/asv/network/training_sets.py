"""What a network has heard, by the number of its classes."""

from __future__ import annotations

from typing import NamedTuple


class TrainingSet(NamedTuple):
    """Speech that a network was trained on.

    Attributes:
        name: of the set.
        speakers: how many it has.
        voxceleb1_dev: whether VoxCeleb1's development part belongs to it, and so the speakers of the lists E and H.
    """

    name: str
    speakers: int
    voxceleb1_dev: bool = False


# By the rows of the classifier. Speed perturbation makes other speakers of the same ones, and some losses have several
# centres per class, a row each.
BY_CLASSES = {
    1211: TrainingSet("VoxCeleb1 dev", 1211, voxceleb1_dev=True),
    5994: TrainingSet("VoxCeleb2 dev", 5994),
    17982: TrainingSet("VoxCeleb2 dev at three speeds", 5994),
    53946: TrainingSet("VoxCeleb2 dev at three speeds, three centres per class", 5994),
    7205: TrainingSet("VoxCeleb1 and VoxCeleb2 dev", 7205, voxceleb1_dev=True),
}


def of_classes(classes: int | None) -> TrainingSet | None:
    """The training set that so many classes tell of; None where they tell nothing."""
    return BY_CLASSES.get(classes or 0)


def with_voxceleb1_dev(speakers: int | None) -> str | None:
    """The training set of so many speakers that holds VoxCeleb1's development part; None where none does."""
    known = (found for found in BY_CLASSES.values() if found.voxceleb1_dev and found.speakers == speakers)
    return next((found.name for found in known), None)
