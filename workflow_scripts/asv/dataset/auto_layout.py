"""dataset.layout: auto. Judge whether folders that are two levels above audio can be speakers.

``<speaker>/<session>/<utterance>.wav`` is what is expected. A tree of another corpus has parts, dialect regions or
microphones where this layout has speakers; results of those look right and are wrong. So a tree is read as
``<speaker>/<utterance>.wav`` where names leave no doubt, and refused where they say that speakers are elsewhere.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ..errors import InputError
from .layout import SESSIONS, UTTERANCES
from .listing import is_audio, split
from .walk import Found, first_audio, walk

# Words that name parts, formats, conditions and the like. A folder is no speaker if all words of its name are here;
PARTS = """
    train training trn test testing tst dev development eval evaluation valid validation heldout unseen seen
    enrol enroll enrolment enrollment verify verification trial trials adapt adaptation unlabeled unlabelled
    wav wavs flac audio audios sound sounds speech voices vox voxceleb celeb recording recordings khz
    clip clips data dataset datasets corpus corpora raw original originals processed segments utterances speakers
    clean other noise noisy noises music babble babb musi tele none reverb rir rirs musan distant source silence
    trimmed part set subset split fold disc disk cd dvd volume region dialect dr mic mics microphone channel room
    rm session sessions sess video videos take takes rec chapter read spontaneous phone telephone
"""
# or if its whole name is here: male1 may be a speaker.
GROUPS = "male males female females man men woman women boy boys girl girls child children adult adults"
# Names that corpora give to speakers: VoxCeleb and CN-Celeb; VOiCES; what people write.
SPEAKER_IDS = re.compile(r"id\d{5}|sp\d{4}|(?:spk|spkr|speaker|actor)[-_ ]?\d+", re.IGNORECASE)
TIMIT_REGION, TIMIT_SPEAKER = (re.compile(p, re.IGNORECASE) for p in (r"dr[1-8]", r"[fm][a-z]{3}\d"))
NAME_AND_DATE = re.compile(r".+-\d{8}-.+")  # VoxForge's: one folder per speaker and day
UPPERS, FOLDERS = 20, 5  # that are opened, the latter in each of the former: opening all of a large tree takes time


@dataclass(frozen=True)
class Evidence:
    """Names in the tree: of folders two levels above audio, of those one level above, and whether files repeat them.

    Attributes:
        uppers, lowers: lists of names.
        example: path of an audio file.
        repeated: whether all files that were looked at have the lower folder's name in their own.
        repeated_upper: the same of the upper folder's.
    """

    uppers: list[str]
    lowers: list[str]
    example: str
    repeated: bool
    repeated_upper: bool


def is_no_speaker(name: str) -> bool:
    """Whether a folder's name says that it is a part, a format or a condition: ``train-clean-100``, ``wav48``."""
    if SPEAKER_IDS.fullmatch(name):
        return False
    words = {word for word in re.findall(r"[^\W\d_]+", name.lower()) if len(word) > 1}
    named = bool(words) and words <= set(PARTS.split())
    return named or name.lower() in GROUPS.split() or is_audio(f".{name}")


def _holds(stem, name):
    """Whether a file's name has a folder's name in it, and more."""
    bounded = re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", stem)
    return len(stem) > len(name) and bool(bounded or (len(name) > 2 and name in stem))


def _some(items, count):
    """Items spread over a list, about so many."""
    return items[:: max(1, len(items) // count)]


def _look(uppers):
    """Gather the evidence: all folders in the upper ones, and the files in some of them."""
    names, lowers, held = [os.path.basename(os.path.abspath(upper)) for upper in uppers], [], []
    for upper, name in zip(uppers, names):
        folders, _ = split(upper)
        lowers += [folder.name for folder in folders]
        for folder in _some(folders, FOLDERS):
            stems = (os.path.splitext(file.name)[0] for file in split(folder.path)[1])
            held += [(_holds(stem, folder.name), _holds(stem, name)) for stem in stems]
    example = first_audio(uppers[0], SESSIONS.inside)  # type: ignore[arg-type]  # None is another layout's
    repeated = bool(held) and all(lower for lower, _ in held)
    # There is an example: without audio in it, it would not be an upper folder.
    return Evidence(names, lowers, example, repeated, any(upper for _, upper in held))  # type: ignore[arg-type]


def _are_speakers(evidence):
    """Whether the lower folders are speakers without doubt: by names that corpora use, or ids that files repeat."""
    if any(is_no_speaker(name) for name in evidence.lowers):
        return False
    timit = all(map(TIMIT_REGION.fullmatch, evidence.uppers)) and all(map(TIMIT_SPEAKER.fullmatch, evidence.lowers))
    ids = all(re.search(r"[^\W\d_]", name) and re.search(r"\d", name) for name in evidence.lowers)
    return timit or all(map(SPEAKER_IDS.fullmatch, evidence.lowers)) or (evidence.repeated and ids)


def _list(names):
    return ", ".join(list(dict.fromkeys(names))[:3])


def _refuse(root, evidence, why, remedy=""):
    upper, lower = evidence.example.split("/")[-3:-1]
    neither = [name for name in evidence.lowers if is_no_speaker(name)]
    if neither and not remedy:
        why += f", and {_list(neither)} would be none either: leave out of dataset.root what is laid out otherwise"
    remedy = remedy or f"{UTTERANCES.name} if {lower} is a speaker, {SESSIONS.name} if {upper} is one"
    example = os.path.relpath(evidence.example, root)
    raise InputError(
        f"dataset.root: {root!r}: dataset.layout: auto expects {SESSIONS.shown}, but {why}; found {example}. Set "
        f"dataset.layout: {remedy}, or a pattern such as '{{part}}/{{speaker}}/{{utterance}}' (docs/inputs.md)"
    )


def _judge_one_level(root, audio):
    """The layout where audio is one level below the root."""
    if _are_speakers(_look([root])):
        return UTTERANCES
    raise InputError(
        f"dataset.root: {audio} is one level below {root!r}, but the layout is {SESSIONS.shown}: name the folder above "
        f"if {root!r} is a speaker's and holds session folders; set dataset.layout: {UTTERANCES.name} if it holds "
        "speakers' folders; docs/inputs.md has other layouts"
    )


def _judge(root, uppers, alone):
    """The layout where ``uppers``, paths of folders, lie two levels above audio."""
    names = [os.path.basename(path) for path in uppers]
    if odd := [path for path in uppers if is_no_speaker(os.path.basename(path))]:
        evidence = _look(odd)
        if len(odd) == len(names) and _are_speakers(evidence):
            return UTTERANCES
        why = f"of {len(names):,} speakers {len(odd):,} would have names that no speaker has: {_list(evidence.uppers)}"
        _refuse(root, evidence, why)
    evidence = _look(_some(uppers, UPPERS))
    if all(map(NAME_AND_DATE.fullmatch, names)):
        remedy = f"'{{speaker}}-{{date}}-{{n}}/*/{{utterance}}', or {SESSIONS.name} if each is a speaker"
        _refuse(root, evidence, f"the speakers would be {_list(names)}, which seem to be names with dates", remedy)
    if all(map(SPEAKER_IDS.fullmatch, names)):
        return SESSIONS
    if all(map(SPEAKER_IDS.fullmatch, evidence.lowers)):
        _refuse(root, evidence, f"the sessions of {_list(names)} are called as speakers: {_list(evidence.lowers)}")
    if evidence.repeated and not evidence.repeated_upper:
        _refuse(root, evidence, f"files bear the names {_list(evidence.lowers)} and not those of {_list(names)}")
    if alone and len(names) == 1 and len(evidence.lowers) > 1 and not re.search(r"\d", names[0]):
        _refuse(root, evidence, f"the only speaker would be {names[0]}, with {len(evidence.lowers):,} sessions")
    return SESSIONS


def walk_automatically(root: str, alone: bool) -> Found:
    """As :func:`asv.dataset.walk.walk`, by the layout that the tree has.

    Args:
        root: folder, as the user wrote it.
        alone: whether nothing else is in the data set.

    Raises:
        InputError: where no folders can be taken for speakers without doubt, and as ``walk``.
    """
    found = walk(root, SESSIONS)
    if found.one_level:
        return walk(root, _judge_one_level(root, found.one_level))
    if not found.speakers:
        return found
    chosen = _judge(root, [path for _, path in found.speakers], alone)
    return found if chosen is SESSIONS else walk(root, chosen)
