"""What a file is, judged by its content: names of checkpoints promise nothing."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import PurePosixPath
from typing import NamedTuple

TORCH, LEGACY, SAFETENSORS = "torch.save", "torch.save before 1.6", "safetensors"
WEIGHTS = (TORCH, LEGACY, SAFETENSORS)  # what asv.network.tensors reads
PROGRAM, ONNX = "torchscript", "onnx"  # graphs, for the families of these names
ZIP, TAR = "zip", "tar"
PLACEHOLDER = "placeholder"  # of the file that was meant
HEAD = 1 << 16  # bytes that are looked at
AGAIN = "fetch it again"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the number that torch.save wrote first, before it wrote zips
LARGEST_HEADER = 8 << 20  # bytes, of a safetensors file: enough for some 80,000 tensors


class Kind(NamedTuple):
    """``name`` is a constant of this module, or None for what is never read; ``words``, ``remedy``: for a person."""

    name: str | None
    words: str
    remedy: str = "set checkpoint.archive to the file of torch.save or the safetensors file with the weights"


STATE = "save model.state_dict() with torch.save and give that"
TORCHSCRIPT = Kind(
    PROGRAM,
    "a TorchScript archive, not weights",
    f"{STATE}; or set network.family: torchscript, which executes the program",
)
TRUNCATED_ZIP = Kind(None, "a zip file whose end is missing", AGAIN)
UNPACK = "unpack it by hand and set checkpoint.archive to the checkpoint in it"
BEGINNINGS = {
    b"\x1f\x8b": Kind(TAR, "a gzip file"),
    b"BZh": Kind(TAR, "a bzip2 file"),
    b"\xfd7zXZ\0": Kind(TAR, "an xz file"),
    b"\x28\xb5\x2f\xfd": Kind(None, "a Zstandard file", UNPACK),
    b"7z\xbc\xaf\x27\x1c": Kind(None, "a 7z archive", UNPACK),
    b"Rar!": Kind(None, "a RAR archive", UNPACK),
    b"\x89HDF\r\n\x1a\n": Kind(None, "an HDF5 file, as Keras or MATLAB write"),
    b"\x93NUMPY": Kind(None, "a NumPy array"),
    b"GGUF": Kind(None, "a GGUF file"),
    b"RIFF": Kind(None, "a RIFF file, such as a wav"),
    b"%PDF": Kind(None, "a PDF document"),
}


def read_by(family: str) -> tuple[str, ...]:
    """Names of the kinds that a family of networks is read from: weights, or a graph that a user brings."""
    return (family,) if family in (PROGRAM, ONNX) else WEIGHTS


def what(kinds: tuple[str, ...]) -> str:
    """What a file of these kinds is called."""
    return {PROGRAM: "TorchScript program", ONNX: "ONNX model"}.get(kinds[0], "checkpoint")


def shown(key: object) -> str:
    """A name from a file that nobody has checked, for a message: short, printable."""
    text = key if isinstance(key, str) else str(key) if type(key) in (int, bool) else "an unnamed key"
    text = "".join(character if character.isprintable() else "?" for character in text[:200])
    return text if len(text) <= 60 else text[:57] + "..."


def _has_safetensors_header(head, size):
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and 2 <= length <= min(LARGEST_HEADER, size - 8)


def _of_text(head, size):
    """The kind of a text, or None."""
    start = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        return Kind(
            PLACEHOLDER, f"a Git LFS pointer, {size} bytes", "run in the folder of its repository: git lfs pull"
        )
    if start.startswith((b"<!doctype html", b"<html")):
        page = "an HTML page, as a failed download or a link to a page leaves behind"
        return Kind(PLACEHOLDER, page, "fetch the file itself and look at what came")
    if start.startswith(b"<?xml"):
        return Kind(None, "an XML file" + (" (OpenVINO's representation)" if b"<net" in start else ""))
    try:
        first = head[:200].decode("utf-8", "ignore" if len(head) > 200 else "strict").strip().splitlines()[0][:40]
    except (UnicodeDecodeError, IndexError):
        return None
    return Kind(None, f"a text that begins with {first!r}", AGAIN) if first and first.isprintable() else None


def of_head(head: bytes, size: int) -> Kind:
    """Kind of a file of ``size`` bytes by its first :data:`HEAD` bytes; of a zip no more than :data:`ZIP`."""
    if not size:
        return Kind(None, "an empty file", AGAIN)
    if not head.strip(b"\0"):
        return Kind(None, f"nothing but zeros at its beginning ({size} bytes)", AGAIN)
    if head.startswith((b"PK\3\4", b"PK\5\6")):  # the latter is one without entries
        return Kind(ZIP, "a zip archive")
    magic = LEGACY_MAGIC.to_bytes(10, "little"), str(LEGACY_MAGIC).encode()
    if any(number in head[:48] for number in magic):
        return Kind(LEGACY, "a checkpoint")
    if _has_safetensors_header(head, size):
        return Kind(SAFETENSORS, "a checkpoint")
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    if head[257:262] == b"ustar":
        return Kind(TAR, "a tar archive")
    if head[0] == 0x80 and head[1:2] <= b"\x05":
        return Kind(None, "a plain Python pickle, not of torch.save", "save its weights anew with torch.save")
    if re.match(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a]", head):
        return Kind(ONNX, "an ONNX model", "set network.family: onnx")
    return _of_text(head, size) or Kind(None, f"of a format that is not known ({size} bytes)", AGAIN)


def _of_names(names):
    """Kind of a zip with these entries."""
    paths = [PurePosixPath(name) for name in names]
    bases = {path.parent for path in paths if path.name == "data.pkl"}
    if any(path.name == "constants.pkl" and path.parent in bases for path in paths):
        return TORCHSCRIPT
    if len(bases) == 1:
        return Kind(TORCH, "a checkpoint")
    last = {path.name for path in paths}
    if last & {"archive_format", "serialized_exported_program.json"}:
        return Kind(None, "a program of torch.export, not weights", STATE)
    if "model.weights.h5" in last:
        return Kind(None, "a Keras model")
    if names and all(path.suffix == ".npy" for path in paths):
        return Kind(None, "arrays of NumPy (.npz)")
    return Kind(ZIP, "a zip archive")


def identify(path: str | os.PathLike[str]) -> Kind:
    """Kind of the file.

    Raises:
        OSError: where it cannot be read.
        zipfile.BadZipFile and others of ``zipfile``: for a zip whose directory is damaged.
    """
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        kind = of_head(stream.read(HEAD), size)
        if kind.name != ZIP:  # whatever it ends with: a plain tar of a zip ends as the zip does
            return kind
        if not zipfile.is_zipfile(stream):
            return TRUNCATED_ZIP
        with zipfile.ZipFile(stream) as archive:
            return _of_names(archive.namelist())


LOCAL_HEADER = re.compile(rb"PK\x03\x04.{22}(.{2}).{2}", re.DOTALL)  # of a file in a zip; its name's length, its name
OF_TORCH = re.compile(r"(^|/)(data\.pkl|byteorder|\.format_version|\.storage_alignment|data/\d+)$")


def of_entry(head: bytes, size: int) -> Kind:
    """Kind of a file in an archive by its beginning; of a zip the first names tell whether ``torch.save`` wrote it."""
    kind = of_head(head, size)
    if kind.name == ZIP:
        for header in LOCAL_HEADER.finditer(head):
            name = head[header.end() : header.end() + int.from_bytes(header[1], "little")]
            if OF_TORCH.search(name.decode("utf-8", "replace")):
                return Kind(TORCH, "a checkpoint")
    return kind
