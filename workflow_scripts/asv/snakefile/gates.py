"""The accuracy gate's settings: what is wrong with them, and the words of command lines that they become."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from .. import engines
from ..scoring import gate
from . import inputs
from .inputs import Config
from .words import options_of

USUAL = ("f32", "bf16", "fp16", "int8")  # precisions that the schema names


def faults(config: Config) -> Iterator[str]:
    """Keys of ``accuracy_gate.min_cosine`` that no engine has as a precision, in words."""
    limits = config["accuracy_gate"]["min_cosine"]
    if not isinstance(limits, dict):
        return
    known = {*USUAL, *(precision for name in engines.names() for precision in engines.module(name).PRECISIONS)}
    for name in sorted(set(limits) - known, key=str):
        close = difflib.get_close_matches(str(name), known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
        yield f"accuracy_gate.min_cosine.{name}: no engine has this precision; {hint}"


def of_engine(config: Config, label: str) -> str:
    """What the gate accepts of an engine, as options of ``compare_engine.py``."""
    settings = config["accuracy_gate"]
    _, precision = engines.parse(label)
    limit = {"min_cosine": gate.min_cosine(settings["min_cosine"], precision)}
    return options_of({**settings, **limit}, "min_cosine", "max_eer_increase")


def of_undecided(config: Config) -> str:
    """Options of ``check_gate.py``: what becomes of rows that the gate cannot decide."""
    words = options_of(config["accuracy_gate"], "on_undecided")
    return f"{words} --demo-data" if inputs.is_demo(config) else words
