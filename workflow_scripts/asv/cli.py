"""What all stage scripts share on their command line."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cpus, runs
from .errors import InputError

# Of the system, not of the program: reported in one line.
CIRCUMSTANCES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and keeps the line breaks of the description."""


class _Parser(argparse.ArgumentParser):
    """A parser that takes up the job of a run, where ``--job`` names one, as soon as the options are known."""

    def parse_args(self, *arguments):  # type: ignore[override]  # by keyword nobody calls it
        options = super().parse_args(*arguments)
        if (job := vars(options).pop("job")) is not None:
            runs.begin(job)
        return options


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser in the project's style."""
    made = _Parser(description=description, formatter_class=_Help, allow_abbrev=False)
    made.add_argument("--job", help="given by a run of the workflow: rule and wildcards")
    return made


def positive(text: str) -> int:
    """Argument type: an integer of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of 1 or more")
    return int(text)


def size(text: str) -> int | None:
    """Argument type: an integer of 1 or more, or None for ``whole``: as many frames as an utterance has."""
    return None if text == "whole" else positive(text)


def usable_threads(wanted: int) -> int:
    """The threads wanted, but never more than this process can keep busy (:mod:`asv.cpus`)."""
    return min(wanted, cpus.usable())


def add_devices(parser: argparse.ArgumentParser) -> None:
    """The option that names devices."""
    parser.add_argument(
        "--devices",
        type=int,
        nargs="*",
        default=[],
        help="numbers of an NPU engine's devices; the first free one is taken",
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """What every stage that runs an engine must know of it: ``engine_options``, ``threads`` and ``devices``."""
    parser.add_argument(
        "--options", dest="engine_options", type=json_object, default="{}", help="options of the engine, JSON"
    )
    parser.add_argument("--threads", type=positive, default=1)
    add_devices(parser)


def add_quantisation_options(parser: argparse.ArgumentParser) -> None:
    """What every stage that quantises the network takes."""
    parser.add_argument("--calibration", type=Path, required=True, help="features of extract_calibration.py")
    parser.add_argument("--calibration-sidecar", type=Path, required=True, help="JSON: what they are of")
    parser.add_argument("--shape", type=size, nargs=2, default=(80, 200), metavar=("MELS", "FRAMES"))
    parser.add_argument("--min-mean-cosine", type=float, default=0.998, help="with the float32 embeddings")
    parser.add_argument("--threads", type=positive, default=1)
    parser.add_argument("--record", type=Path, required=True, help="JSON: which layers, and what it comes to")


def json_object(text: str) -> dict[str, Any]:
    """Argument type: a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return value


def _named(path):
    """Whether a path, or a folder above it, is an argument of this command line."""
    given = {os.path.abspath(word) for word in sys.argv[1:] if word}
    path = Path(os.path.abspath(path))
    return not given.isdisjoint(map(str, [path, *path.parents]))


def run(main: Callable[[], None]) -> None:
    """Run ``main``; bad input, a full disk and the like become one message on stderr and exit code 1.

    So does a missing file that the command line names, or that is missing in a folder which it names. Any other
    exception is a bug.
    """
    try:
        main()
        runs.finish()
    except InputError as error:
        sys.exit(f"error: {error}")
    except FileNotFoundError as error:
        if error.filename is None or not _named(os.fsdecode(error.filename)):
            raise
        sys.exit(f"error: {error.filename}: no such file or folder")
    except MemoryError:
        sys.exit("error: the memory that this process may use does not suffice; nothing was written")
    except OSError as error:
        if error.errno not in CIRCUMSTANCES:
            raise
        sys.exit(f"error: {error.filename or 'an output'}: {error.strerror}; nothing half-written is left in its place")
