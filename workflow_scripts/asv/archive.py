"""Taking the checkpoint out of an archive that nobody has checked."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from . import files
from .errors import InputError

LARGEST = 8 << 30  # bytes; the C = 512 checkpoint with its optimizer's state has about 400 MB
MOST_ENTRIES = 10_000
HIGHEST_RATIO = 200  # of unpacked to packed size; weights hardly shrink, zeros shrink about 1000 times
SUFFIXES = (".pt", ".pth")


def check_digest(path, sha256, source=None):
    """Raise InputError unless the file has this SHA-256 (hexadecimal); ``source`` names it where it came from."""
    try:
        found = files.digest(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); see checkpoint.archive") from error
    if found != sha256.lower():
        raise InputError(
            f"{source or path}: SHA-256 is {found}, checkpoint.sha256 says {sha256}; "
            "fetch the archive again, or correct the setting if you trust what is there"
        )


def is_torch_file(path):
    """True for what ``torch.save`` writes (in its zip form a zip, too), or at least not an archive of one."""
    with open(path, "rb") as stream:  # by its path, is_zipfile would take a file without permission for no zip
        if not zipfile.is_zipfile(stream):
            return True
        with zipfile.ZipFile(stream) as archive:
            return any(PurePosixPath(name).name == "data.pkl" for name in archive.namelist())


def _check_entries(path, archive):
    """Refuse an open archive, called ``path`` in messages, that has a hostile entry."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise InputError(f"{path}: {len(entries)} entries in the archive, more than {MOST_ENTRIES}; refused")
    for entry in entries:
        name = PureWindowsPath(entry.filename)  # which knows slashes, too; its anchor is a drive, a host or a root
        if name.anchor or ".." in name.parts:
            raise InputError(f"{path}: entry {entry.filename!r} points outside the archive; refused, nothing unpacked")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{path}: entry {entry.filename!r} is a symbolic link; refused, nothing unpacked")
        if entry.flag_bits & 1:
            raise InputError(
                f"{path}: entry {entry.filename!r} is encrypted; unpack it by hand and set checkpoint.archive to the "
                ".pt file"
            )
    size = sum(entry.file_size for entry in entries)
    # Entries may declare more than they have, or share their bytes.
    packed = min(sum(entry.compress_size for entry in entries), os.path.getsize(archive.filename))
    if size > LARGEST or size > HIGHEST_RATIO * max(packed, 1 << 10):
        raise InputError(
            f"{path}: {packed} bytes would unpack to {size} (at most {LARGEST} and {HIGHEST_RATIO}-fold); "
            "refused as a decompression bomb"
        )


def _checkpoint_entry(path, entries):
    found = [entry for entry in entries if PurePosixPath(entry.filename).suffix.lower() in SUFFIXES]
    # Archives made on a Mac carry a shadow of each file, such as __MACOSX/._checkpoint.pt.
    found = [entry for entry in found if not PurePosixPath(entry.filename).name.startswith(".") and not entry.is_dir()]
    if len(found) != 1:
        names = ", ".join(entry.filename for entry in found[:5]) or "none"
        raise InputError(
            f"{path}: expected one checkpoint ({' or '.join(SUFFIXES)}) in the archive, found {len(found)}: {names}; "
            "point checkpoint.archive at an archive of one, or at the .pt file itself"
        )
    return found[0]


def extract_checkpoint(source, target):
    """Copy the one checkpoint of ``source`` (a zip, or a bare ``.pt``) to the file ``target``.

    Only that entry is unpacked, to the name given here, so no name in the archive reaches the file system; an archive
    with a hostile entry is refused as a whole.

    Raises:
        InputError: for an archive that is damaged, hostile, or holds no or several checkpoints.
    """
    source, target = Path(source), Path(target)
    if not source.is_file() or source.stat().st_size == 0:
        raise InputError(f"checkpoint.archive: no file, or an empty one, at {str(source)!r}")
    try:
        _extract(source, target)
    except InputError:
        raise
    except Exception as error:  # zipfile and the decompressors raise a dozen kinds at damaged bytes
        raise InputError(f"{source}: the archive is damaged or not readable ({error}); fetch it again") from error


def _extract(source, target):
    name = source
    if is_torch_file(source):
        if source.suffix.lower() not in SUFFIXES:
            raise InputError(
                f"{source}: neither a zip archive nor a checkpoint ({' or '.join(SUFFIXES)}); is it whole?"
            )
        shutil.copyfile(source, target)
    else:
        with zipfile.ZipFile(source) as archive:
            _check_entries(source, archive)
            entry = _checkpoint_entry(source, archive.infolist())
            name = f"{source}: {entry.filename}"
            with archive.open(entry) as packed, target.open("wb") as unpacked:
                # Reads no more than the entry declares; the last read checks its CRC.
                shutil.copyfileobj(packed, unpacked, 1 << 20)
        if not is_torch_file(target):
            raise InputError(f"{name} is itself an archive, not a checkpoint")
    if zipfile.is_zipfile(target):
        with zipfile.ZipFile(target) as inner:
            _check_entries(name, inner)


def checkpoint_in_folder(folder):
    """Path of the one checkpoint in a folder, or of its ``checkpoint.pt``."""
    try:
        visible = [path for path in Path(folder).iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise InputError(f"checkpoint.archive: cannot list {str(folder)!r}: {error.strerror}") from error
    found = sorted(path.name for path in visible if path.suffix.lower() in SUFFIXES)
    if "checkpoint.pt" in found:
        found = ["checkpoint.pt"]
    if len(found) != 1:
        raise InputError(
            f"checkpoint.archive: expected checkpoint.pt or one file {' or '.join(SUFFIXES)} in {str(folder)!r}, "
            f"found {len(found)}: {', '.join(found[:5]) or 'none'}"
        )
    return str(Path(folder) / found[0])
