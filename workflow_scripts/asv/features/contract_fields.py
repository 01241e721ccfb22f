"""What each field of a contract may hold, and which values do not go together; see :mod:`asv.features.contract`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Union, get_args

Preemphasis = Literal["none", "frame", "signal_reflected", "signal_kept"]
Window = Literal["hann", "hamming", "povey"]
Placement = Literal["centre", "left"]
Edges = Literal["reflect", "zeros", "snip"]
Mel = Literal["htk", "slaney", "kaldi", "speechbrain"]
Log = Literal["none", "ln", "db"]
FloorRule = Literal["clamp", "add"]
Deviation = Literal["none", "unbiased", "biased", "instance_norm"]
Cut = Literal["frames", "wave"]
Value = Union[bool, int, float, str, None]
Faults = Iterator[tuple[str, str]]  # a field and what is wrong with it

CHOICES: dict[str, tuple[str, ...]] = {
    "preemphasis_over": get_args(Preemphasis),
    "window": get_args(Window),
    "window_placement": get_args(Placement),
    "edges": get_args(Edges),
    "mel": get_args(Mel),
    "log": get_args(Log),
    "floor_rule": get_args(FloorRule),
    "deviation": get_args(Deviation),
    "cut": get_args(Cut),
}
SWITCHES = ("remove_dc", "window_periodic", "drop_last", "mel_area_norm", "subtract_mean")


class Range(NamedTuple):
    """What a number may be."""

    kind: type  # int or float
    least: float
    most: float
    optional: bool = False  # whether it may be None


NUMBERS: dict[str, Range] = {
    "sample_rate": Range(int, 1000, 1_000_000),
    "scale": Range(float, 1e-9, 1e9),
    "volume": Range(float, -120, 0, optional=True),
    "preemphasis": Range(float, 0, 1),
    "win_length": Range(int, 2, 65536),
    "n_fft": Range(int, 2, 65536),
    "hop_length": Range(int, 2, 65536),
    "power": Range(int, 1, 2),
    "n_mels": Range(int, 1, 1024),
    "f_min": Range(float, 0, 500_000),
    "f_max": Range(float, 0, 500_000),
    "floor": Range(float, 0, 1e9),
    "top_db": Range(float, 1, 1000, optional=True),
    "deviation_eps": Range(float, 0, 1),
    "gain": Range(float, -1e9, 1e9),
    "offset": Range(float, -1e9, 1e9),
}
FIELDS = (*NUMBERS, *SWITCHES, *CHOICES)
SMALLEST = 1e-36  # of a number that is not 0: below, single precision has no full digits
SHOWN = 60  # characters of a value


def shown(value: object) -> str:
    """A value in a message: short, however long or deep it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple, dict, set)):
        return {list: "a list", dict: "a mapping"}.get(type(value), f"a {type(value).__name__}")
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return f"a whole number of {value.bit_length()} bits"  # Python refuses to write out the longest ones
    if not isinstance(value, (int, float, str)):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def closest(name: str) -> str | None:
    """The field that an unknown name may mean."""
    close = difflib.get_close_matches(name[:SHOWN], FIELDS, 1)
    close = close or [field for field in FIELDS if len(name) > 2 and name in field]
    return close[0] if close else None


def nearest(name: str) -> str:
    """A hint at the field that an unknown name may mean."""
    close = closest(name)
    return f"did you mean {close}?" if close else f"the fields are {', '.join(FIELDS)}"


def _is_number(value: object, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) if kind is int else isinstance(value, int) or math.isfinite(value)


def fault_of(name: str, value: object) -> str | None:
    """What is wrong with the value of one known field, or None."""
    if name in SWITCHES:
        return None if isinstance(value, bool) else f"{shown(value)} is neither true nor false"
    if name in CHOICES:
        known = CHOICES[name]
        return None if isinstance(value, str) and value in known else f"{shown(value)} is none of {', '.join(known)}"
    kind, least, most, optional = NUMBERS[name]
    if value is None and optional:
        return None
    if not _is_number(value, kind):
        expected = "a whole number" if kind is int else "a finite number"
        return f"{shown(value)} is not {expected}{' or null' if optional else ''}"
    assert isinstance(value, (int, float))
    if not least <= value <= most:
        return f"{shown(value)} is not within {least:.10g} to {most:.10g}"
    if value and abs(value) < SMALLEST:
        return f"{shown(value)} is too small for single precision; the smallest is {SMALLEST:g}"
    return None


def faults(values: Mapping[str, Any]) -> Faults:
    """Everything that is wrong with a value for every field; values that do not go together only if each is right."""
    own = [(name, fault) for name in FIELDS for fault in [fault_of(name, values[name])] if fault]
    yield from own
    if not own:
        yield from _faults_of_frames(values)
        yield from _faults_of_bands(values)
        yield from _faults_of_levels(values)


def _faults_of_frames(of: Mapping[str, Any]) -> Faults:
    win, fft = of["win_length"], of["n_fft"]
    if win > fft:
        yield "win_length", f"{win} exceeds n_fft ({fft}): a window fits into the transform"
    if fft % 2:
        yield "n_fft", f"{fft} is odd; it must be even, such as {fft + 1}"
    if of["window_placement"] == "left" and of["edges"] != "snip":
        yield "window_placement", f"left goes with edges: snip; with edges: {of['edges']} frames are centred"
    if of["drop_last"] and of["edges"] == "snip":
        yield "drop_last", "true goes with centred frames (edges: reflect or zeros); with edges: snip write false"
    if of["window"] == "povey" and of["window_periodic"]:
        yield "window_periodic", "a Povey window is symmetric, as in Kaldi; write false"
    if of["preemphasis"] and of["preemphasis_over"] == "none":
        yield "preemphasis_over", f"none, but preemphasis is {of['preemphasis']}; say over what: frame or signal_..."
    if not of["preemphasis"] and of["preemphasis_over"] != "none":
        yield "preemphasis", f"0, but preemphasis_over is {of['preemphasis_over']}; write the coefficient, such as 0.97"


def _faults_of_bands(of: Mapping[str, Any]) -> Faults:
    lower, upper, highest = of["f_min"], of["f_max"], of["sample_rate"] / 2
    if not lower < upper <= highest:
        yield "f_max", f"{upper:g} must lie above f_min ({lower:g}) and not above half of sample_rate ({highest:g})"
    bins = of["n_fft"] // 2 + (of["mel"] != "kaldi")  # Kaldi leaves out the last
    if of["n_mels"] > bins:
        yield "n_mels", f"{of['n_mels']} bands of a spectrum of {bins} bins (n_fft {of['n_fft']}): some would be empty"
    if of["mel_area_norm"] and of["mel"] in ("kaldi", "speechbrain"):
        yield "mel_area_norm", f"true goes with mel: slaney or htk; {of['mel']} does not divide by a band's width"


def _faults_of_levels(of: Mapping[str, Any]) -> Faults:
    if of["log"] == "none" and of["floor"]:
        yield "floor", f"{of['floor']:g} has no use without a logarithm (log: none); write 0"
    if of["log"] == "none" and of["floor_rule"] != "clamp":
        yield "floor_rule", "add has no use without a logarithm (log: none); write clamp"
    if of["log"] != "none" and not of["floor"]:
        yield (
            "floor",
            f"0, but log: {of['log']} has no value at 0; write one, such as 1e-10",
        )
    if of["top_db"] is not None and of["log"] != "db":
        yield "top_db", f"{of['top_db']:g} goes with log: db, not with {of['log']}; write null"
    if of["deviation"] != "none" and not of["subtract_mean"]:
        yield "deviation", f"{of['deviation']} goes with subtract_mean: true"
    if of["deviation"] != "none" and not of["deviation_eps"]:
        yield "deviation_eps", "0, but silent bands have a deviation of 0; write what is added to it, such as 1e-5"
    if of["deviation"] == "none" and of["deviation_eps"]:
        yield "deviation_eps", f"{of['deviation_eps']:g} has no use with deviation: none; write 0"
    if not of["gain"]:
        yield "gain", "0 would make all features equal"
