"""What can be known to fail is said before the first job, and not after hours of inference.

Called once in a run, by Snakemake's main process, and only when jobs are to run. Functions raise ``InputError``; what
the work alone can tell (a file that cannot be decoded, weights that do not fit) is the stages' to say.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..network import archive, families, file_kinds, zips

LARGEST_ARCHIVE = 1 << 28  # bytes
CLOCKS = 60  # seconds by which the clocks of a file server and of this machine may differ
EMBEDDING_BYTES = 512 * 4  # float32 of the largest embeddings in use; most have 192 or 256
GB = 1e9


def check_lists(lists: Iterable[str], cohort: str | None, ids: Sequence[str], missing: str) -> None:
    """Trial lists and the cohort: their form, and their names against the data set's.

    Args:
        lists: files of trials.
        cohort: file of the cohort, or None.
        ids: ids of all of the data set's utterances, those that may be rejected later included.
        missing: ``fail`` or ``skip``, what becomes of trials of other utterances.
    """
    from ..trials.cohort import match_cohort  # NumPy, which few starts need
    from ..trials.lists import read_trials
    from ..trials.rows import match, rows_of_trials

    row_of = {name: row for row, name in enumerate(ids)}
    for path in lists:
        trials, _ = match(read_trials(path), ids)
        rows_of_trials(trials, row_of, {}, missing)
    if cohort is not None:
        match_cohort(cohort, ids, row_of, {})


def check_checkpoint(path: str, family: str, weights: str | None, most: int = LARGEST_ARCHIVE) -> None:
    """What the names and shapes in a checkpoint tell: whether it is of the family, and its weights in one place.

    Args:
        path: an archive, or the checkpoint itself; a damaged one is its stage's to refuse.
        family: ``network.family``, one that has weights.
        weights: ``checkpoint.weights``.
        most: bytes of a file above which its stage is left to tell: copying it would delay the start.
    """
    if os.path.getsize(path) > most:
        return
    kinds = file_kinds.read_by(family)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "checkpoint.pt"
        try:
            archive.extract_checkpoint(path, target, path, kinds)
            from ..network import recognition, tensors  # torch, which few starts need
            from ..network.inert import PickleError

            opened = tensors.open_file(target)
        except InputError:
            if file_kinds.identify(path).name in (file_kinds.ONNX, file_kinds.PROGRAM, file_kinds.PLACEHOLDER):
                raise
            return
        try:
            with opened as file:
                recognition.find(file.tree, families.module(family), weights)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        except (PickleError, *zips.DAMAGE):
            return


def check_times(paths: Iterable[str], now: float | None = None) -> None:
    """Inputs from the future: Snakemake takes whatever is made from them for older than they are, again and again."""
    now = time.time() if now is None else now
    for path in paths:
        ahead = os.stat(path).st_mtime - now
        if ahead > CLOCKS:
            raise InputError(
                f"{path}: was changed {ahead:.0f} seconds in the future by this machine's clock; give it the present "
                f"time (touch {path}), or set the clock"
            )


def _existing(path):
    """The path, or the nearest folder above it that is there."""
    path = Path(path).absolute()
    while not path.exists():
        path = path.parent
    return path


def check_folders(paths: Iterable[str]) -> None:
    """Folders that will be written to, which need not be there yet."""
    for path in paths:
        place = _existing(path)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"{path}: this user may not write to {place}; mend its permissions, or use --directory")


def check_space(needs: Mapping[str, int]) -> None:
    """Disk space for what will be written.

    Args:
        needs: what it is to bytes, over and above what is there and will be replaced.
    """
    place = _existing("work")
    free, needed = shutil.disk_usage(place).free, sum(needs.values())
    if needed > free:
        parts = ", ".join(f"{name} {size / GB:.3g} GB" for name, size in needs.items() if size)
        raise InputError(
            f"{place}: {free / GB:.3g} GB are free, and {needed / GB:.3g} GB will be written ({parts}); make room, use "
            "--directory on a larger disk, or set features.keep: false, which deletes features after use"
        )
