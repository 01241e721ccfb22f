"""The demo corpus: who speaks, what is said, how it is recorded, and which pairs of utterances are tried.

All of it follows from the constants here and from digests of names, so every machine has the same corpus, and adding
a speaker changes no other. Cheap to import (the Snakefile does): what is heavy is imported where it is used.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

EVALUATION_SESSIONS = 2
TRAINING_SESSIONS = 3
UTTERANCES = 4  # of a session

# Languages of eSpeak NG, spelt as its files are, so that each is found by its name.
_ACCENTS = ("en-US", "en", "en-GB-scotland", "en-GB-x-rp", "en-029", "en-US-nyc", "en-GB-x-gbclan", "en-GB-x-gbcwmd")

_WORDS = """
    about above after again almost always animal answer autumn before begin behind better between bottle bread bridge
    bring brother butter careful carry castle chance children choose circle city clear cloud coffee colour common
    country cousin dinner doctor dream early earth eleven engine enough evening every family father feather field
    finger fire flower follow forest forward friend garden gentle glass golden grandmother green happy harbour heavy
    history holiday horse house hundred island journey kitchen ladder language laughter leather letter library light
    listen little machine market matter measure memory middle minute mirror moment money morning mother mountain music
    narrow never number ocean office often orange other paper people picture pleasure pocket question quiet rain
    remember river school season second shadow silver simple sister slowly smooth soldier spring square station
    stone story straight street strong summer sunday surprise table teacher thirteen thousand thunder together
    tomorrow travel umbrella under valley village visit voice water weather wednesday welcome whisper window winter
    wonder yellow yesterday young zebra
"""


@dataclass(frozen=True)
class Voice:
    """A speaker: a variant of eSpeak NG's voice with an accent, speed (words a minute) and base pitch (0 to 100)."""

    variant: str
    accent: str
    rate: int
    pitch: int


@dataclass(frozen=True)
class Utterance:
    """One recording; ``number`` and ``session`` count from 1."""

    speaker: str
    session: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.speaker}/s{self.session}/{self.number:05d}.wav"


def _voices(first, variants):
    """Voices of the variants, by speaker's name, numbered from ``first``; accents, speeds and pitches take turns."""
    return {
        f"id{first + index}": Voice(
            variant, _ACCENTS[index % len(_ACCENTS)], rate=150 + 7 * index % 40, pitch=40 + 11 * index % 21
        )
        for index, variant in enumerate(variants.split())
    }


# No variant is in both, though kin of it (f1, f2, ...) may be: people resemble each other, too.
EVALUATION = _voices(
    90001,
    """
    f1 m1 Alicia Andy klatt3 belinda boris f4 grandpa Hugo linda m4 Jacky Lee marcelo steph Michael m7
    pablo Nguyen anika robert aunty victor Tweaky zac shelby max edward gustave
    """,
)
TRAINING = _voices(
    80001,
    """
    f2 m2 Alex adam Andrea Annie f3 m3 antonio AnxiousAndy announcer f5 m5 benjamin croak david m6
    Demonic Denis Diogo m8 ed edward2 Gene fast grandma Gene2 Henrique ian iven Marco iven2 john Mario
    kaukovalta iven3 klatt Mike klatt2 iven4 michel RicishayMax klatt4 miguel RicishayMax2 klatt5 mike2
    Storm klatt6 norbert UniRobot paul anikaRobot pedro quincy rob robosoft robosoft2 sandro robosoft3
    steph2 robosoft4 steph3 robosoft5 travis robosoft6 RicishayMax3 robosoft7 whisper robosoft8 whisperf
    """,
)
VOICES = {**EVALUATION, **TRAINING}


def utterances(speakers: Iterable[str], sessions: int) -> list[Utterance]:
    """All utterances of the speakers, by speaker, session and number."""
    return [Utterance(*parts) for parts in product(speakers, range(1, sessions + 1), range(1, UTTERANCES + 1))]


def _random(name):
    """Random numbers that depend on a name alone. Of its methods, only random() is the same in all Python versions."""
    return random.Random(name).random


def _between(draw, low, high):
    """An integer in ``[low, high]``."""
    return low + int(draw() * (high - low + 1))


def sentence(utterance: Utterance) -> str:
    """What is said: 11 to 15 words."""
    draw = _random(f"sentence {utterance.name}")
    words = _WORDS.split()
    return " ".join(words[_between(draw, 0, len(words) - 1)] for _ in range(_between(draw, 11, 15)))


def speak(utterance: Utterance) -> npt.NDArray[np.int16]:
    """The recording, int16 ``(n,)`` at 16 kHz, about 3 to 7 s.

    A speaker differs a little between sessions (speed, pitch, and the room: spectral tilt, level, noise) and between
    utterances (speed, pitch). All arithmetic on samples is in integers, so that machines agree.
    """
    import numpy as np

    from . import espeak

    voice = VOICES[utterance.speaker]
    session = _random(f"session {utterance.speaker} {utterance.session}")
    take = _random(f"take {utterance.name}")
    samples = espeak.synthesise(
        sentence(utterance),
        voice.accent,
        voice.variant,
        rate=voice.rate + _between(session, -8, 8) + _between(take, -5, 5),
        pitch=voice.pitch + _between(session, -6, 6) + _between(take, -4, 4),
        pitch_range=50 + _between(session, -15, 15) + _between(take, -5, 5),
    )
    samples = espeak.resample_to_16k(samples).astype(np.int64)
    tilt, level, noise = _between(session, -96, 96), _between(session, 40, 120), _between(session, 8, 64)
    samples[1:] += samples[:-1] * tilt >> 8
    # Eight bytes add up to a number that is nearly normal, with mean 1020 and standard deviation 209. Unlike other
    # methods of NumPy's generators, random_raw never changes.
    seed = int.from_bytes(utterance.name.encode(), "big")
    hiss = np.random.PCG64(seed).random_raw(len(samples)).view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64)
    samples = (samples * level >> 8) + ((hiss - 1020) * noise >> 8)
    return np.clip(samples, -(1 << 15), (1 << 15) - 1).astype(np.int16)


def trials() -> Iterator[tuple[bool, str, str]]:
    """Trials ``(is_target, enrolment, test)`` of the evaluation speakers, names as in :attr:`Utterance.name`.

    Each utterance of session 1 meets those of session 2 of its own speaker, and one each of as many other speakers.
    """
    speakers = list(EVALUATION)
    for utterance in utterances(speakers, 1):
        draw = _random(f"trials {utterance.name}")
        others = [speaker for speaker in speakers if speaker != utterance.speaker]
        tests = [Utterance(utterance.speaker, 2, number) for number in range(1, UTTERANCES + 1)]
        for _ in range(UTTERANCES):
            other = others.pop(_between(draw, 0, len(others) - 1))
            tests.append(Utterance(other, 2, _between(draw, 1, UTTERANCES)))
        yield from ((test.speaker == utterance.speaker, utterance.name, test.name) for test in tests)
