"""Shards: which speaker belongs to which, the files of one, and the digest that tells when it is stale.

Light on purpose, as :mod:`asv.dataset.tree`: the Snakefile calls this at every start.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable

from ..errors import InputError
from .tree import AudioFile, Tree, place_files


def shard_of(speaker: str, shards: int) -> int:
    """Shard of a speaker: CRC-32 of the name modulo the number of shards, the same on every machine."""
    return zlib.crc32(speaker.encode("utf-8", "surrogateescape")) % shards


def shard_names(speakers: Iterable[str], shards: int) -> list[str]:
    """Names such as ``3-of-64`` of the shards that have a speaker."""
    return [f"{index}-of-{shards}" for index in sorted({shard_of(speaker, shards) for speaker in speakers})]


def shard_files(tree: Tree, shard: str) -> list[AudioFile]:
    """Audio files of a shard, sorted by utterance id.

    Args:
        tree: of :func:`asv.dataset.tree.find_speakers`.
        shard: name such as ``3-of-64``.

    Raises:
        InputError: where two files have the same utterance id, or a name cannot be listed.
    """
    index, shards = map(int, re.findall(r"\d+", shard)) if re.fullmatch(r"\d+-of-\d+", shard) else (0, 0)
    if index >= shards:
        raise InputError(f"--shard: {shard!r} is not K-of-N with K from 0 to N - 1")
    places = [(s, place) for s, places in tree.speakers.items() if shard_of(s, shards) == index for place in places]
    files = sorted((file for s, place in places for file in place_files(s, place)), key=lambda file: file.utterance)
    for first, second in zip(files, files[1:]):
        if first.utterance == second.utterance:
            raise InputError(
                f"two files have the utterance id {first.utterance}: {first.root}/{first.path} and "
                f"{second.root}/{second.path}; rename or remove one, or leave one folder out of dataset.root"
            )
    return files


def stamp(files: Iterable[AudioFile]) -> str:
    """Digest of relative paths, sizes, modification times and ids, which changes when a shard is stale."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.path}\t{file.size}\t{file.mtime}\t{file.utterance}\n".encode())
    return state.hexdigest()[:16]
