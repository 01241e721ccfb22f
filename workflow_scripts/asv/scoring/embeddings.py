"""Embeddings of all shards, paired with their manifests, and made ready to be scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..features import manifest
from ..trials.cohort import match_cohort
from . import cosine, mean_choice

if TYPE_CHECKING:
    import numpy.typing as npt


def load_shards(
    manifests: Sequence[Path], arrays: Sequence[Path]
) -> Iterator[tuple[list[manifest.Utterance], npt.NDArray[np.float32]]]:
    """Utterances and embeddings, shard by shard.

    Args:
        manifests: paths of the shards' manifests.
        arrays: paths of the same shards' ``.npy`` of infer.py.

    Yields:
        list of :class:`asv.features.manifest.Utterance`, and their embeddings float32 ``(utterances, 192)``.

    Raises:
        InputError: where a shard has another number of embeddings than of utterances, or one of the two is missing.
    """
    if len(manifests) != len(arrays):
        raise InputError(
            f"{len(manifests)} manifests and {len(arrays)} files of embeddings; name those of the same shards"
        )
    for table, array in zip(manifests, arrays):
        utterances, embeddings = manifest.read_utterances(table), np.load(array)
        if len(utterances) != len(embeddings):
            raise InputError(
                f"{array}: {len(embeddings)} embeddings for {len(utterances)} rows of {table}; run infer again"
            )
        yield utterances, embeddings


def load(manifests: Sequence[Path], arrays: Sequence[Path]) -> tuple[list[manifest.Utterance], npt.NDArray[np.float32]]:
    """All utterances and their embeddings float32 ``(utterances, 192)``, as :func:`load_shards`, but at least one.

    Raises:
        InputError: where no utterance is left.
    """
    utterances: list[manifest.Utterance] = []
    parts = []
    for rows, embeddings in load_shards(manifests, arrays):
        utterances += rows
        parts.append(embeddings)
    if not utterances:
        raise InputError("no utterance is left to score; the tables of rejected files say why")
    return utterances, np.concatenate(parts)


@dataclass(frozen=True)
class Data:
    """What is scored.

    Attributes:
        utterances: list of :class:`asv.features.manifest.Utterance`.
        embeddings: float ``(utterances, 192)``, as they are.
        prepared: the same, less the mean where one is to be subtracted.
        cohort: float64 ``(cohort's speakers, 192)`` of length 1, or None.
        cohort_speakers: their names.
        names: str ``(speakers,)``, sorted.
        speaker_of: integer ``(utterances,)``, places in names.
        row_of: utterance id to row.
        rejected: utterance id to reason.
    """

    utterances: list[manifest.Utterance]
    embeddings: npt.NDArray[np.floating[Any]]
    prepared: npt.NDArray[np.floating[Any]]
    cohort: npt.NDArray[np.float64] | None
    cohort_speakers: frozenset[str]
    names: npt.NDArray[np.str_]
    speaker_of: npt.NDArray[np.intp]
    row_of: dict[str, int]
    rejected: dict[str, str]


def prepare(
    utterances: list[manifest.Utterance],
    embeddings: npt.NDArray[np.floating[Any]],
    rejected: Sequence[manifest.Rejected],
    cohort: Path | str | None = None,
    subtract_mean: str = "none",
) -> Data:
    """The data, with a mean subtracted and the cohort averaged by speaker.

    Args:
        utterances: list of :class:`asv.features.manifest.Utterance`.
        embeddings: float ``(utterances, 192)``.
        rejected: list of :class:`asv.features.manifest.Rejected`.
        cohort: path of a list of utterances, or None.
        subtract_mean: whose mean, one of :data:`asv.scoring.mean_choice.MEANS`.

    Raises:
        InputError: where the cohort has utterances that are not used, or its mean is asked for without a cohort.
    """
    if wrong := mean_choice.fault(subtract_mean, cohort is not None):
        raise InputError(wrong)
    row_of = {row.utterance: index for index, row in enumerate(utterances)}
    reason_of = {row.utterance: f"rejected: {row.reason}" for row in rejected}
    names, speaker_of = np.unique(np.array([row.speaker for row in utterances]), return_inverse=True)
    rows = match_cohort(cohort, [*row_of, *reason_of], row_of, reason_of) if cohort else []
    prepared = embeddings
    if subtract_mean != "none":
        prepared = cosine.subtract_mean(embeddings, rows if subtract_mean == "cohort" else slice(None))
    centroids = cosine.speaker_centroids(prepared[rows], speaker_of[rows]) if rows else None
    speakers = frozenset(utterances[row].speaker for row in rows)
    return Data(utterances, embeddings, prepared, centroids, speakers, names, speaker_of, row_of, reason_of)
