"""Trying a brought graph on noise: which numbers of frames and rows it takes, and whether embeddings come out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

USUAL = (200, 160, 300, 298, 198, 400, 398, 100, 98, 150, 201, 301, 401, 500, 600, 998, 1000, 1001)
MOST_FRAMES, SECONDS = 1200, 20.0  # of the search for a number of frames that a graph takes
ANY = 200  # frames of a trial where any number may come
OTHER = 133  # frames more, for another trial
ROWS = 3
TOLERANCE = 1e-4  # of the largest value: rows of a batch against the same rows one by one

Run = Callable[["Array"], "Array"]  # float32 (batch, mels, frames) to (batch, numbers); RefusedError where it cannot


class RefusedError(Exception):
    """The graph does not run on such an input, with the words of what runs it."""


def noise(batch: int, mels: int, frames: int) -> Array:
    """Features of no meaning, float32 ``(batch, mels, frames)``."""
    return np.random.default_rng(0).standard_normal((batch, mels, frames), np.float32)


def last_line(error: BaseException) -> str:
    """What an error of a toolkit says, in short."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]


def _takes(run: Run, mels: int, frames: int, batch: int) -> bool:
    try:
        run(noise(batch, mels, frames))
    except RefusedError:
        return False
    return True


def frames_taken(run: Run, mels: int, batch: int = 1) -> int | None:
    """A number of frames that the graph takes, if one is found in time."""
    end = time.monotonic() + SECONDS
    for frames in (*USUAL, *range(1, MOST_FRAMES)):
        if time.monotonic() > end:
            return None
        if _takes(run, mels, frames, batch):
            return frames
    return None


def check_frames(run: Run, mels: int, frames: int | None, source: object, batch: int = 1) -> int:
    """Run the graph with the frames of the settings; returns the frames of trials.

    Args:
        run: the graph.
        mels: bands.
        frames: of a crop; None: whole utterances, so any number.
        source: what messages call the graph.
        batch: rows that it takes.

    Raises:
        InputError: that names a number of frames that it takes.
    """
    for count in [frames] if frames is not None else [ANY, ANY + OTHER]:
        try:
            run(noise(batch, mels, count))
        except RefusedError as error:
            asked = "whole" if frames is None else frames
            known = frames_taken(run, mels, batch)
            if known is None:
                raise InputError(
                    f"{source}: the graph does not run on {mels} mel bands and {count} frames ({error}), nor on other "
                    "numbers of frames that were tried; see n_mels of the contract, network.layout and features.frames"
                ) from None
            raise InputError(
                f"features.frames: {asked}: the graph {source} does not run on {count} frames ({error}), but on "
                f"{known}; set features.frames: {known}, or export the graph for any number of frames"
            ) from None
    return frames or ANY


def check_embeddings(run: Run, mels: int, frames: int, source: object, fixed: int | None) -> tuple[int, bool]:
    """Look at what comes out, and whether it depends on the rows beside.

    Args:
        run, mels, source: as of :func:`check_frames`.
        frames: of the trial.
        fixed: rows of a batch, where the file says that it takes so many alone.

    Returns:
        ``(size, any_batch)``: numbers of an embedding, and whether other batch sizes work, which is tried.

    Raises:
        InputError: for what is no embedding, or not finite, and where rows of a batch influence each other.
    """
    one = run(noise(fixed or 1, mels, frames))
    if one.ndim != 2 or len(one) != (fixed or 1):
        raise InputError(
            f"network.output: {source} gives {one.shape} for a batch of {fixed or 1}, and an embedding is (batch, "
            "numbers); set network.output to another one"
        )
    if not np.isfinite(one).all():
        raise InputError(
            f"{source}: the embedding of noise has {(~np.isfinite(one)).sum()} numbers of {one.size} that are not "
            "finite (NaN or infinite); the weights are damaged, or the wrong output is taken (network.output)"
        )
    several = noise(ROWS, mels, frames)
    try:
        together = run(several)
        alone = np.concatenate([run(np.repeat(row[np.newaxis], fixed or 1, axis=0))[:1] for row in several])
    except RefusedError:
        return one.shape[1], False
    same = together.shape == alone.shape and np.abs(together - alone).max() <= TOLERANCE * max(1, np.abs(alone).max())
    if not same and fixed is None:
        raise InputError(
            f"{source}: the embedding of an utterance depends on those that are beside it in the batch; export the "
            "network in evaluation mode (model.eval()), with the axis of the batch dynamic"
        )
    return one.shape[1], bool(same)
