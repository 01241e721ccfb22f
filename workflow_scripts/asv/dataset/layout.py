"""Layouts of a data set: patterns such as ``{part}/{speaker}/{utterance}`` that say which folder is a speaker.

docs/inputs.md describes the patterns.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
from dataclasses import dataclass

from ..errors import InputError
from .listing import READABLE, UNREADABLE

WORDS = ("speaker", "session", "utterance", "part", "region")  # those that need no braces
ANY_DEPTH = "**"
PIECES = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)")


@dataclass(frozen=True)
class Name:
    """What a folder or file may be called; ``whole`` where it is one placeholder, so that all of it counts."""

    regex: re.Pattern[str]
    whole: bool

    def match(self, name: str) -> re.Match[str] | None:
        return self.regex.fullmatch(name)


@dataclass(frozen=True)
class Layout:
    """A pattern, read.

    Attributes:
        name: as shown to people and accepted by :func:`parse`.
        above: names of the folders from the root on.
        anywhere: whether any number of folders may lie between those and the speaker.
        speaker: name of the folder, or of the file, that the speaker's name is taken from.
        inside: names of the folders between the speaker's and the utterances; None where a file's name holds the
            speaker.
    """

    name: str
    above: tuple[Name, ...]
    anywhere: bool
    speaker: Name
    inside: tuple[Name, ...] | None

    @property
    def shown(self) -> str:
        """As a path: ``<speaker>/<session>/<utterance>.wav``."""
        braced = self.name if "{" in self.name else "/".join(f"{{{word}}}" for word in self.name.split("/"))
        return braced.replace("{", "<").replace("}", ">") + ".wav"

    def speaker_of(self, name: str) -> str | None:
        """The speaker that a folder's or a file's name holds, or None where the name is not of the pattern."""
        match = self.speaker.match(name if self.inside is not None else os.path.splitext(name)[0])
        return match and match["speaker"]


def _fault(pattern, what):
    return InputError(f"dataset.layout: {pattern!r}: {what}; docs/inputs.md shows layouts")


def _nearest(names, wanted):
    """A hint for a word that is missing and may be misspelt among names."""
    close = difflib.get_close_matches(wanted, names, 1, 0.7)
    return f" (did you mean {{{wanted}}} by {close[0]!r}?)" if close else ""


def _braced(pattern):
    """Components of a pattern, with braces around plain words where it has no braces at all."""
    components = pattern.split("/")
    if "{" in pattern or "}" in pattern:
        return components
    for word in components:
        if word not in (*WORDS, "*", ANY_DEPTH):
            close = difflib.get_close_matches(word.strip("<>").lower(), (*WORDS, "auto"), 1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(WORDS)}, *"
            raise _fault(
                pattern,
                f"unknown word {word!r}; {hint} (auto, or names in braces such as {{speaker}}/{{utterance}}, beside "
                "which other words are names of folders)",
            )
    return [word if "*" in word else f"{{{word}}}" for word in components]


def _pieces(pattern, component):
    """Parts of a component: ``(True, placeholder's name)``, which is empty for ``*``, or ``(False, text)``."""
    pieces, end = [], 0
    for match in PIECES.finditer(component):
        if match.start() != end:
            break
        placeholder, star, text = match.groups()
        if placeholder is not None and not placeholder.isidentifier():
            raise _fault(pattern, f"{match[0]} is no placeholder: write one word in braces, such as {{speaker}}")
        pieces.append((False, text) if text else (True, "" if star else placeholder))
        end = match.end()
    if end != len(component):
        raise _fault(pattern, "braces do not match: write one word in braces, such as {speaker}")
    if any(first[0] and second[0] for first, second in zip(pieces, pieces[1:])):
        raise _fault(pattern, f"{component!r} has nothing between two placeholders to tell where the first ends")
    return pieces


def _name(pieces):
    """A placeholder ends where the text behind it comes first, the last one holds none of the text before it; only
    ``{utterance}`` takes all the rest. So a name is read in one way or in none."""
    texts = [text for is_placeholder, text in pieces if not is_placeholder]
    regex = ""
    for place, (is_placeholder, text) in enumerate(pieces):
        if not is_placeholder:
            regex += re.escape(text)
            continue
        stop = pieces[place + 1][1] if place + 1 < len(pieces) else texts[-1] if texts else ""
        free = text == "utterance" or not stop
        some = ".+" if free else f"(?:(?!{re.escape(stop)}).)+"
        regex += f"(?P<speaker>{some})" if text == "speaker" else some
    return Name(re.compile(regex, re.DOTALL), len(pieces) == 1 and pieces[0][0])


def _check_words(pattern, components):
    """Whether ``{speaker}`` and ``{utterance}`` are there, once each, and where they must be."""
    names = [text for pieces in components for is_placeholder, text in pieces if is_placeholder and text]
    for word in ("speaker", "utterance"):
        if names.count(word) > 1:
            raise _fault(pattern, f"{{{word}}} occurs {names.count(word)} times; it must occur once")
    if "speaker" not in names:
        raise _fault(pattern, f"{{speaker}} is missing{_nearest(names, 'speaker')}")
    last = components[-1]
    end = last[-1][1]
    if end.lower().endswith(READABLE + UNREADABLE):
        raise _fault(pattern, f"leave the suffix {end[end.rfind('.') :]} out: audio of all kinds is found")
    if last == [(True, "utterance")]:
        return
    if "utterance" in names and last[-1] != (True, "utterance"):
        raise _fault(pattern, "{utterance} must come last")
    if (True, "speaker") not in last or len(last) == 1:
        hint = _nearest([text for is_placeholder, text in last if is_placeholder], "utterance")
        raise _fault(
            pattern, f"the last part must be {{utterance}} alone, or a file's name with {{speaker}} and more{hint}"
        )


@functools.cache
def parse(pattern: str) -> Layout:
    """Read a pattern; returns a :class:`Layout`.

    Raises:
        InputError: for a pattern that is none, with the nearest that may be meant.
    """
    words = _braced(pattern)
    if any(word in ("", ".", "..") for word in words):
        raise _fault(pattern, "an empty part, or one of dots alone; the pattern starts below dataset.root")
    if words.count(ANY_DEPTH) > 1 or any(ANY_DEPTH in word and word != ANY_DEPTH for word in words):
        raise _fault(pattern, "** stands once, alone between two slashes")
    deep = words.index(ANY_DEPTH) if ANY_DEPTH in words else None
    components = [_pieces(pattern, word) for word in words if word != ANY_DEPTH]
    if not components:
        raise _fault(pattern, "{speaker} is missing")
    _check_words(pattern, components)
    holder = next(i for i, pieces in enumerate(components) if (True, "speaker") in pieces)
    if deep not in (None, holder):
        raise _fault(pattern, "** must stand directly before the part that holds {speaker}")
    names = [_name(pieces) for pieces in components]
    plain = all(word[1:-1] in WORDS[:3] for word in words)
    return Layout(
        name="/".join(word[1:-1] for word in words) if plain else "/".join(words),
        above=tuple(names[:holder]),
        # What begins with the speaker may lie below wav/, dev/ and the like.
        anywhere=deep is not None or holder == 0,
        speaker=names[holder],
        inside=tuple(names[holder + 1 : -1]) if holder + 1 < len(names) else None,
    )


SESSIONS = parse("speaker/session/utterance")
UTTERANCES = parse("speaker/utterance")
