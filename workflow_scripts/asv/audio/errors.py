"""Why an audio file cannot be used, and the command that converts it where that is the cure."""

from __future__ import annotations

import os
import shlex

# {source}, {target} and {rate} are filled in. The original is kept under a name that is no longer found as audio:
# beside its conversion it would be a second file of the same utterance.
FFMPEG = "ffmpeg -i {source} -ac 1 -ar {rate} {target}"
SCALE = "ffmpeg -i {source} -af volume=1/{scale} -ac 1 -ar {rate} {target}"
SPH2PIPE = "sph2pipe -f wav {source} {target}"  # undoes shorten, which ffmpeg does not within SPHERE


class AudioError(Exception):
    """A file that cannot be used.

    Attributes:
        reason: one of a few words.
        detail: what was found and the remedy.
        command: template of the command that is the remedy, such as :data:`FFMPEG`, or empty; see :meth:`of_file`.
    """

    def __init__(self, reason: str, detail: str, command: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.command = command

    def of_file(self, path: str | os.PathLike[str], rate: int) -> AudioError:
        """The same error whose detail ends with the command, if there is one, for this very file."""
        if not self.command:
            return self
        return AudioError(self.reason, f"{self.detail}: {conversion(self.command, path, rate)}")


def conversion(command: str, path: str | os.PathLike[str], rate: int) -> str:
    """Shell command that puts a wav in the place of an audio file and keeps the original as ``<name>.orig``."""
    source = os.fspath(path)
    source = f"./{source}" if source.startswith("-") else source
    # Whatever the case: a.WAV and a.wav may be one file.
    target = source if source.lower().endswith(".wav") else os.path.splitext(source)[0] + ".wav"
    original = shlex.quote(source + ".orig")
    keep = f"mv {shlex.quote(source)} {original}"
    if target == source:
        return f"{keep} && {command.format(source=original, target=shlex.quote(target), rate=rate)}"
    return f"{command.format(source=shlex.quote(source), target=shlex.quote(target), rate=rate)} && {keep}"


def not_read(what: str, command: str = FFMPEG) -> AudioError:
    return AudioError("format", f"{what} is not read; convert it to 16 kHz wav or flac", command)


def empty() -> AudioError:
    return AudioError("empty", "a header without samples behind it; make the file again from its source, or remove it")


def truncated(what: str) -> AudioError:
    return AudioError("truncated", f"{what} that the header declares are missing; fetch the file again")
