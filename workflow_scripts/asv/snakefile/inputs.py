"""The user's files that a configuration names, found before there is a job: data set, lists, cohort, checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import shards, tree
from ..demo import corpus
from ..errors import InputError
from ..network import archive, file_kinds, zips

if TYPE_CHECKING:
    from ..dataset.tree import Tree
    from ..files import PathLike

Config = Mapping[str, Any]  # settings of a checked configuration, by name

DEMO = "demo"
DEMO_LAYOUT = "speaker/session/utterance"
DEMO_CHECKPOINTS = {
    "demo": "small, trained on synthetic voices",
    "demo-c512": "full size, untrained: for timing only",
}


@dataclass(frozen=True)
class Dataset:
    """The data set, as far as its folders tell.

    Attributes:
        roots: its folders, as the user wrote them.
        tree: :class:`asv.dataset.tree.Tree`; None for the demo, whose speakers are known before its corpus exists, so
            that the graph of jobs is the same before and after.
        layout: in words.
        shards: names such as ``3-of-64`` of the shards that have a speaker.
    """

    roots: list[str]
    tree: Tree | None
    layout: str
    shards: list[str]
    _listed: dict[str, tuple[str, list[str]]] = field(default_factory=dict, repr=False, compare=False)

    def _list(self, shard):
        """A shard's stamp and utterance ids. Listed once, before anything is read: later changes make the next run."""
        if shard not in self._listed:
            files = shards.shard_files(self.tree, shard)  # type: ignore[arg-type]  # the demo's is not asked for
            self._listed[shard] = shards.stamp(files), [file.utterance for file in files]
        return self._listed[shard]

    def stamp(self, shard: str) -> str:
        """Digest of paths, sizes and times of a shard's wavs; empty for the demo, whose wavs are inputs."""
        return "" if self.tree is None else self._list(shard)[0]

    def utterances(self, shard: str) -> list[str]:
        """Ids of a shard's utterances, those that may be rejected later included; not for the demo."""
        return self._list(shard)[1]


def is_demo(config: Config) -> bool:
    """Whether the data set is the built-in demo."""
    return config["dataset"]["root"] == DEMO


def dataset_roots(config: Config, demo_wavs: PathLike) -> list[str]:
    """Folders of the data set, as the user wrote them; ``demo_wavs`` is the folder of the demo's corpus."""
    root = config["dataset"]["root"]
    if is_demo(config):
        return [str(demo_wavs)]
    return [root] if isinstance(root, str) else root


def find_dataset(config: Config, demo_wavs: PathLike) -> Dataset:
    """Look for the speakers of the data set.

    Returns:
        :class:`Dataset`.

    Raises:
        InputError: as :func:`asv.dataset.tree.find_speakers`.
    """
    roots, count = dataset_roots(config, demo_wavs), config["shards"]
    if is_demo(config):
        return Dataset(roots, None, DEMO_LAYOUT, shards.shard_names(corpus.EVALUATION, count))
    found = tree.find_speakers(roots, config["dataset"]["layout"], config["dataset"]["shared_speakers"])
    return Dataset(roots, found, found.layout, shards.shard_names(found.speakers, count))


def missing(setting: str, path: str, what: str = "file") -> InputError:
    """What to raise where a file or folder that a setting names is not there."""
    return InputError(f"{setting}: no {what} {path!r} (seen from {os.getcwd()})")


def trial_lists(config: Config, dataset: Dataset, demo_trials: str) -> list[str]:
    """Files of the trial lists: those that are named, or with ``auto`` the demo's or those of known names.

    Raises:
        InputError: where a file is not there.
    """
    lists = config["dataset"]["trials"] or []
    if lists == "auto":
        return [demo_trials] if is_demo(config) else tree.known_lists(dataset.tree)  # type: ignore[arg-type]
    if absent := [path for path in lists if not Path(path).is_file()]:
        raise missing("dataset.trials", absent[0])
    return lists


def cohort(config: Config) -> list[str]:
    """The file of the cohort in a list, which is empty without one.

    Raises:
        InputError: where the file is not there.
    """
    path = config["scoring"]["as_norm"]["cohort"]
    if path is not None and not Path(path).is_file():
        raise missing("scoring.as_norm.cohort", path)
    return [] if path is None else [path]


def is_url(config: Config) -> bool:
    """Whether the checkpoint's archive is to be downloaded."""
    return config["checkpoint"]["archive"].startswith(("http://", "https://"))


def checkpoint_archive(config: Config, made: Mapping[str, str], fetched: str) -> str:
    """The archive that the checkpoint is taken from.

    Args:
        config: the configuration.
        made: names of the demo's checkpoints to the files that hold them.
        fetched: the file that a URL is fetched to.

    Raises:
        InputError: where it is not there.
    """
    source = config["checkpoint"]["archive"]
    if source in made:
        return made[source]
    if is_url(config):
        return fetched
    if Path(source).is_dir():
        return archive.checkpoint_in_folder(source, file_kinds.read_by(config["network"]["family"]))
    if not Path(source).is_file():
        raise missing("checkpoint.archive", source, "file or folder")
    return source


def brought_onnx(config: Config) -> str | None:
    """The user's ONNX file, where it lies on this machine as it is: not in an archive, and not behind a URL."""
    source = config["checkpoint"]["archive"]
    if config["network"]["family"] != "onnx" or is_url(config) or source in DEMO_CHECKPOINTS:
        return None
    path = checkpoint_archive(config, {}, "")
    try:
        return path if file_kinds.identify(path).name == file_kinds.ONNX else None
    except OSError as error:
        raise InputError(f"checkpoint.archive: {path!r} cannot be read: {error.strerror}") from error
    except zips.DAMAGE:  # its stage says what is wrong
        return None


def checkpoint_source(config: Config, path: PathLike) -> str:
    """What messages call the checkpoint: the user's own file or URL."""
    return config["checkpoint"]["archive"] if is_url(config) else str(path)


def refuse_wildcards(inputs: Mapping[str, Iterable[PathLike]], wildcards_of: Callable[[str], Iterable[str]]) -> None:
    """Paths that become inputs must not look like patterns: Snakemake has no way to say that a brace is a brace.

    Args:
        inputs: names of settings to lists of paths.
        wildcards_of: Snakemake's function from a path to the names of its wildcards.

    Raises:
        InputError: that names the setting, the path and the wildcard.
    """
    for name, path in ((name, str(path)) for name, paths in inputs.items() for path in paths):
        if found := sorted(wildcards_of(path)):
            raise InputError(
                f"{name}: {path!r}: Snakemake takes {{{found[0]}}} in a name for a wildcard; rename it, or give a link "
                "to it that has no braces in its path"
            )
