"""Taking the checkpoint out of an archive that nobody has checked."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from .. import files
from ..errors import InputError
from . import file_kinds, tars, zips

SUFFIXES = (".pt", ".pth", ".ckpt", ".model", ".bin", ".tar", ".safetensors")  # decide between several, no more
# What toolkits call the network among the checkpoints of a training; these decide as well, the first of them first.
USUAL = ("checkpoint.pt", "embedding_model.ckpt", "avg_model.pt")
MOST_LOOKED_AT = 1000  # files of a folder


def check_digest(path: files.PathLike, sha256: str, source: files.PathLike | None = None) -> None:
    """Raise InputError unless the file has this SHA-256 (hexadecimal); ``source`` names it where it came from."""
    try:
        found = files.digest(path)
    except OSError as error:
        raise InputError(f"{source or path}: cannot be read ({error.strerror}); see checkpoint.archive") from error
    if found != sha256.lower():
        raise InputError(
            f"{source or path}: SHA-256 is {found}, checkpoint.sha256 says {sha256}; "
            "fetch the archive again, or correct the setting if you trust what is there"
        )


def _found(count, names, most=5):
    """How many checkpoints were found, which, or else among what."""
    listed = ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    return f"found {count}: {listed}" if count else f"found none; there is: {listed or 'no file'}"


def _the_checkpoint(source, found, kinds):
    """Position of the one checkpoint among ``(name, kind)`` of an archive's files."""
    # The beginning of a program's zip may look like that of weights.
    kinds = (*kinds, file_kinds.TORCH) if file_kinds.PROGRAM in kinds else kinds
    weights = [place for place, (_, kind) in enumerate(found) if kind.name in kinds]
    named = [place for place in weights if PurePosixPath(found[place][0]).suffix.lower() in SUFFIXES]
    if len(weights) > 1 and len(named) == 1:
        return named[0]
    for name in USUAL if len(weights) > 1 else ():
        if len(usual := [place for place in weights if PurePosixPath(found[place][0]).name == name]) == 1:
            return usual[0]
    if len(weights) != 1:
        chosen = [file_kinds.shown(found[place][0]) for place in weights]
        listed = chosen or [f"{file_kinds.shown(name)} ({kind.words})" for name, kind in found]
        raise InputError(
            f"{source}: expected one {file_kinds.what(kinds)} in the archive, {_found(len(weights), listed)}; "
            f"set checkpoint.archive to an archive of one, or to the {file_kinds.what(kinds)} itself"
        )
    return weights[0]


def _is_file(name):
    # Archives made on a Mac carry a shadow of each file, such as __MACOSX/._checkpoint.pt.
    return not name.endswith("/") and not PurePosixPath(name).name.startswith(".")


def _from_zip(source, path, target, kinds):
    """Copy the checkpoint of a zip to ``target``; returns the entry's name. Every entry's checksum is compared."""
    with zipfile.ZipFile(path) as archive:
        zips.check_entries(source, archive)
        entries = [entry for entry in archive.infolist() if _is_file(entry.filename)]
        try:
            found = [(entry.filename, _kind_of_entry(source, archive, entry)) for entry in entries]
            chosen = entries[_the_checkpoint(source, found, kinds)]
        except InputError:
            zips.verify(source, archive, archive.infolist())  # damage explains why nothing is found
            raise
        zips.verify(source, archive, [entry for entry in archive.infolist() if entry is not chosen])
        with zips.reading(source, chosen), archive.open(chosen) as packed, target.open("wb") as unpacked:
            # Reads no more than the entry declares; the last read checks its CRC.
            shutil.copyfileobj(packed, unpacked, zips.BLOCK)
        return chosen.filename


def _kind_of_entry(source, archive, entry):
    with zips.reading(source, entry), archive.open(entry) as stream:
        return file_kinds.of_entry(stream.read(file_kinds.HEAD), entry.file_size)


def _from_tar(source, path, target, kinds):
    """As :func:`_from_zip`, of a tar archive, whose files have no checksums unless it is packed."""
    try:
        found = [
            (member.name, file_kinds.of_entry(stream.read(file_kinds.HEAD), member.size))
            for member, stream in tars.members(source, path)
            if _is_file(member.name)
        ]
    except tarfile.ReadError as error:
        raise InputError(
            f"{source}: no tar archive in it, or a damaged one ({error}); unpack it by hand and set checkpoint.archive "
            "to what comes out, or fetch it again"
        ) from error
    if {"storages", "tensors", "pickle"} == {name for name, _ in found}:
        raise InputError(f"{source}: a checkpoint of torch 0.1; load it with a torch that reads it, and save it anew")
    chosen = _the_checkpoint(source, found, kinds)
    streams = (stream for member, stream in tars.members(source, path) if _is_file(member.name))
    for place, stream in enumerate(streams):  # to the end, where a packed archive has its checksum
        if place == chosen:
            with target.open("wb") as unpacked:
                shutil.copyfileobj(stream, unpacked, zips.BLOCK)
    return found[chosen][0]


def extract_checkpoint(
    path: files.PathLike,
    target: files.PathLike,
    source: files.PathLike | None = None,
    kinds: tuple[str, ...] = file_kinds.WEIGHTS,
) -> None:
    """Copy the one checkpoint of ``path`` (an archive, or the checkpoint itself) to the file ``target``.

    A checkpoint is whatever is of one of these kinds, see :func:`asv.network.file_kinds.read_by`.

    Content decides, not names. Only the checkpoint is unpacked, to the name given here, so no name in the archive
    reaches the file system; an archive with a hostile entry is refused as a whole. The checksums of all entries of the
    archive, and of the checkpoint where it is a zip itself, are compared. Messages call the archive ``source``.

    Raises:
        InputError: for an archive that is damaged, hostile, or holds no or several checkpoints.
    """
    path, target, source = Path(path), Path(target), str(source or path)
    if not path.is_file() or path.stat().st_size == 0:
        raise InputError(f"checkpoint.archive: no file, or an empty one, at {source!r}")
    try:
        _extract(source, path, target, kinds)
    except InputError:
        raise
    except zips.DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, such as a full one
            raise InputError(f"{source}: cannot be unpacked ({error.strerror})") from error
        raise InputError(f"{source}: the archive is damaged or not readable ({error}); fetch it again") from error


def _extract(source, path, target, kinds):
    kind = file_kinds.identify(path)
    if kind.name in kinds:
        shutil.copyfile(path, target)
    elif kind.name in (file_kinds.ZIP, file_kinds.TAR):
        unpack = _from_zip if kind.name == file_kinds.ZIP else _from_tar
        source = f"{source}: {file_kinds.shown(unpack(source, path, target, kinds))}"
        kind = file_kinds.identify(target)
    if kind.name not in kinds:
        raise InputError(f"{source}: {_other(kind, kinds)}")
    if kind.name in (file_kinds.TORCH, file_kinds.PROGRAM):
        with zipfile.ZipFile(target) as checkpoint:
            zips.check_entries(source, checkpoint)
            zips.verify(source, checkpoint, checkpoint.infolist())


def _other(kind, kinds):
    """What is wrong with a file of another kind."""
    if kinds == file_kinds.WEIGHTS or kind.name is None:
        remedy = f"set checkpoint.archive to the {file_kinds.what(kinds)}"
        return f"{kind.words}; {kind.remedy if kinds == file_kinds.WEIGHTS else remedy}"
    remedy = "set network.family to whose network it is" if kind.name in file_kinds.WEIGHTS else kind.remedy
    article = "an" if file_kinds.ONNX in kinds else "a"
    return f"{kind.words}, and network.family: {kinds[0]} takes {article} {file_kinds.what(kinds)}; {remedy}"


def _unpacked(folder):
    """The folder, or the only folder in it, if it is a checkpoint that somebody unpacked; else None."""
    inner = [path for path in Path(folder).iterdir() if not path.name.startswith(".")]
    for place in [Path(folder), *(inner if len(inner) == 1 and inner[0].is_dir() else [])]:
        if (place / "data.pkl").is_file():
            return place
    return None


def checkpoint_in_folder(folder: files.PathLike, kinds: tuple[str, ...] = file_kinds.WEIGHTS) -> str:
    """Path of the one checkpoint in a folder, or of its ``checkpoint.pt``.

    Raises:
        InputError: where there is none or several, and for a folder that is itself an unpacked checkpoint.
    """
    try:
        unpacked = _unpacked(folder)
        visible = [path for path in Path(folder).iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"checkpoint.archive: cannot list {str(folder)!r}: {error.strerror}") from error
    if unpacked:
        raise InputError(
            f"checkpoint.archive: {str(unpacked)!r} is a checkpoint of torch.save that was unpacked as if it were an "
            f"archive; give the file that it came from, or pack it again: "
            f"python -m zipfile -c checkpoint.pt {str(unpacked)!r}"
        )
    names = {path.name for path in visible} if kinds == file_kinds.WEIGHTS else set()
    if usual := next((name for name in USUAL if name in names), None):
        return os.path.join(folder, usual)
    found = sorted(path.name for path in visible if path.suffix.lower() in (".pt", ".pth"))
    if not found or kinds != file_kinds.WEIGHTS:
        found = sorted(path.name for path in visible[:MOST_LOOKED_AT] if _is_of(path, kinds))
        found = [name for name in found if Path(name).suffix.lower() in SUFFIXES] or found
    if len(found) != 1:
        listed = found or sorted(path.name for path in visible)
        what = "checkpoint.pt or one checkpoint" if kinds == file_kinds.WEIGHTS else f"one {file_kinds.what(kinds)}"
        raise InputError(
            f"checkpoint.archive: expected {what} in {str(folder)!r}, "
            f"{_found(len(found), listed)}; name the file{_example(folder, found)}"
        )
    return os.path.join(folder, found[0])


def _example(folder, found):
    return f", such as checkpoint.archive: {os.path.join(folder, found[0])}" if found else ""


def _is_of(path, kinds):
    try:
        return file_kinds.identify(path).name in kinds
    except zips.DAMAGE:  # a damaged file is none; its name is listed
        return False
