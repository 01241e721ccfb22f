"""Lines of the text files that users bring: trial lists and cohorts. Untrusted: a file may be anything, of any size."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError

BLOCK = 1 << 20  # characters read at a time; a longer line is refused


def blocks(path: Path | str, setting: str, what: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the file's lines in blocks ``(number of the first line, list of lines)``; far faster than line by line.

    Lines end at line feeds, carriage returns or both, and at no rarer character; a byte order mark is left out.

    Args:
        path: of the file, UTF-8.
        setting: dotted name of the setting that names the file, for messages.
        what: the file should be, for messages, such as ``a trial list``.

    Raises:
        InputError: for a file that cannot be read or is not UTF-8, and for lines longer than any list has.
    """
    path = Path(path)
    number, rest = 1, ""
    try:
        if _is_utf16(path):  # which may be valid UTF-8, too
            raise InputError(
                f"{path}: UTF-16 text, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8 '{path.name}' > "
                f"'{path.stem}_utf8.txt'"
            )
        with path.open(encoding="utf-8-sig") as stream:
            while text := stream.read(BLOCK):
                *lines, rest = (rest + text).split("\n")
                yield number, lines
                number += len(lines)
                if len(rest) > BLOCK:
                    raise InputError(f"{path}: line {number} has more than {BLOCK:,} characters; is it {what}?")
    except OSError as error:
        raise InputError(f"{setting}: cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = _undecodable_line(path)
        raise InputError(f"{path}: not UTF-8 text (line {line}); is it {what}?") from error
    if rest:
        yield number, [rest]


def filled_lines(path: Path | str, setting: str, what: str) -> Iterator[tuple[int, str]]:
    """Yield ``(number, line)`` of the lines that are not blank; arguments and errors as :func:`blocks`."""
    for start, lines in blocks(path, setting, what):
        yield from ((number, line) for number, line in enumerate(lines, start) if line and not line.isspace())


def _is_utf16(path):
    """Whether a file looks like UTF-16: by its mark, or because every other byte is zero."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    halves = [head[start : len(head) // 2 * 2 : 2] for start in (0, 1)]
    zeros = sorted(half.count(0) / max(1, len(half)) for half in halves)
    return zeros[0] < 0.1 and zeros[1] > 0.9


def _undecodable_line(path):
    """Number of the first line that is not UTF-8."""
    number = 1
    with path.open("rb") as stream:
        while line := stream.readline(BLOCK):
            try:
                line.decode()
            except UnicodeDecodeError:
                break
            number += 1
    return number
