"""The contract between a network and its input: how features are made of samples, in plain values.

A network is right only for the features that it was trained on, and a wrong contract never fails, it only makes worse
embeddings. So everything that features depend on stands here, is checked, and has a key. Nothing but the standard
library is imported; :mod:`asv.features.front_end` computes what a contract says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import InputError
from . import contract_fields as allowed
from .contract_fields import Value

SCHEMA = 1  # another number where the same values mean other features
# What a mapping may omit: each of these changes nothing.
NEUTRAL: dict[str, Value] = {
    "scale": 1.0,
    "volume": None,
    "remove_dc": False,
    "preemphasis": 0.0,
    "preemphasis_over": "none",
    "drop_last": False,
    "top_db": None,
    "subtract_mean": False,
    "deviation": "none",
    "deviation_eps": 0.0,
    "gain": 1.0,
    "offset": 0.0,
}


@dataclass(frozen=True)
class Contract:
    """How features are made of samples, in the order of the steps. The defaults are those of ``modelzoo``.

    Raises:
        InputError: a value is impossible, or values do not go together; it names each such field.
    """

    # Samples, -1 to 1 as they are read.
    sample_rate: int = 16000  # hertz, of the samples that the features are made of
    volume: float | None = None  # dB of full scale; an utterance of a lower root mean square is raised to it
    scale: float = 1.0  # the samples are multiplied by it (Kaldi's are 16-bit numbers: 32768)
    preemphasis: float = 0.0  # coefficient c of y[i] = x[i] - c x[i-1]; 0: none
    # frame: in each frame by itself, its first sample becoming (1 - c) x[0] (Kaldi). signal_reflected, signal_kept: in
    # the signal, its first sample becoming x[0] - c x[1] or staying x[0].
    preemphasis_over: allowed.Preemphasis = "none"

    # Frames of win_length samples.
    # reflect, zeros: frame i is centred at sample i * hop_length, and beyond its ends the signal is reflected (its end
    # not repeated) or 0; n // hop_length + 1 frames. snip: frames lie within the signal.
    edges: allowed.Edges = "reflect"
    drop_last: bool = False  # centred frames: the last is left out, so n // hop_length frames (NeMo)
    remove_dc: bool = False  # the frame's mean is subtracted from it, before pre-emphasis
    window: allowed.Window = "hann"  # povey: a Hann window to the power 0.85
    window_periodic: bool = True  # true: one period is win_length; false: symmetric, one period is win_length - 1
    win_length: int = 400  # samples
    n_fft: int = 400  # samples, even; a shorter window's frame is filled up with zeros
    # Where a shorter window lies among n_fft samples: centre (torch, librosa), or left, so that with edges: snip frame
    # 0 begins with sample 0 and only win_length samples must be there (Kaldi).
    window_placement: allowed.Placement = "centre"
    hop_length: int = 160  # samples from frame to frame

    # Mel bands.
    power: int = 1  # 1: magnitudes of the spectrum, 2: their squares
    # htk, slaney: that scale, triangles linear in hertz. kaldi: HTK's scale, triangles linear in mel, no Nyquist bin.
    # speechbrain: HTK's scale, both sides of a triangle as wide as its left one.
    mel: allowed.Mel = "slaney"
    mel_area_norm: bool = True  # a band is divided by half its width in hertz, so that all have the same area
    n_mels: int = 80  # bands
    f_min: float = 0.0  # hertz, lower end of the first band
    f_max: float = 8000.0  # hertz, upper end of the last band

    # Levels.
    log: allowed.Log = "ln"  # ln: natural logarithm; db: 10 log10 of power 2, 20 log10 of power 1
    floor: float = 1e-5  # of the bands before the logarithm, in their own unit
    floor_rule: allowed.FloorRule = "clamp"  # clamp: smaller values are raised to it; add: it is added to every value
    top_db: float | None = None  # dB; levels so far below the greatest one of the input are raised to that

    # Over time.
    # frames: a crop is frames of the whole utterance (volume and top_db are the utterance's). wave: a crop is cut out
    # of the samples and has features of its own (only volume is the utterance's). The mean is the crop's in both.
    cut: allowed.Cut = "frames"
    subtract_mean: bool = False  # the mean over the input's frames is subtracted from each band
    # By what each band is divided, d being its standard deviation: unbiased, d (with n - 1) + deviation_eps (NeMo);
    # biased, d (with n) + deviation_eps (sherpa-onnx); instance_norm, sqrt(d**2 (with n) + deviation_eps) (torch).
    deviation: allowed.Deviation = "none"
    deviation_eps: float = 0.0
    gain: float = 1 / 6  # last of all: x * gain + offset
    offset: float = 1.0

    def __post_init__(self) -> None:
        values = asdict(self)
        faults = [f"{name}: {fault}" for name, fault in allowed.faults(values)]
        if faults:
            raise InputError("\n  ".join(["the contract of the features is wrong:", *faults]))
        for name, rule in allowed.NUMBERS.items():
            if rule.kind is float and values[name] is not None:  # 8000 and 8000.0 have one key, as have 0.0 and -0.0
                object.__setattr__(self, name, float(values[name]) + 0.0)
        if self.win_length == self.n_fft:  # nothing to place
            object.__setattr__(self, "window_placement", "centre")

    @property
    def frame_length(self) -> int:
        """Samples that must be there for a frame where ``edges`` is ``snip``."""
        return self.win_length if self.window_placement == "left" else self.n_fft

    @property
    def fewest_samples(self) -> int:
        """Fewest samples of a signal that has features at all: what the ends, or one frame, need."""
        if self.edges == "snip":
            return self.frame_length
        ends = self.n_fft // 2 + 1 if self.edges == "reflect" else 1
        pair = 2 if self.preemphasis_over == "signal_reflected" else 1
        return max(ends, pair, self.samples(1))

    def frames(self, samples: int) -> int:
        """Number of frames of a signal of so many samples; whether it is long enough: :attr:`fewest_samples`."""
        if self.edges == "snip":
            return max(0, 1 + (samples - self.frame_length) // self.hop_length)
        return max(0, samples) // self.hop_length + (samples > 0 and not self.drop_last)

    def samples(self, frames: int) -> int:
        """Fewest samples with so many frames, at least 1."""
        if frames < 1:
            raise ValueError(f"{frames} frames: at least 1 is expected")
        if self.edges == "snip":
            return (frames - 1) * self.hop_length + self.frame_length
        return frames * self.hop_length if self.drop_last else max(1, (frames - 1) * self.hop_length)

    def to_mapping(self) -> dict[str, Value]:
        """All fields, as JSON and YAML can hold them."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], where: str, lines: Mapping[str, int] | None = None) -> Contract:
        """A contract of fields by name, as a file has them.

        What changes nothing may be omitted (:data:`NEUTRAL`), and the floor where there is no logarithm, and the place
        of a window as long as the transform; nothing else, since a default would be wrong without a word. A number may
        be text (``1e-5`` is, in YAML).

        Args:
            mapping: values by the fields' names.
            where: what has them, for messages.
            lines: in which line of it a field stands, where that is known.

        Raises:
            InputError: naming every field that is unknown, missing or wrong.
        """
        if not isinstance(mapping, Mapping):
            raise InputError(f"{where}: {allowed.shown(mapping)} is no contract; write fields and values, name: value")
        values: dict[str, Any] = {name: _read(name, value) for name, value in mapping.items() if name in allowed.FIELDS}
        unknown = [name for name in mapping if name not in allowed.FIELDS]
        missing = [name for name in allowed.FIELDS if name not in values and name not in _omissible(values)]
        meant = {allowed.closest(_short(name)) for name in unknown}  # one fault, told once
        missing = [name for name in missing if name not in meant]
        faults = [(name, f"unknown field; {allowed.nearest(_short(name))}") for name in unknown]
        faults += [(name, f"missing; {_described(name)}") for name in missing]
        faults += [(name, fault) for name in values for fault in [allowed.fault_of(name, values[name])] if fault]
        values = {**_omissible(values), **values}
        if not faults:
            faults += list(allowed.faults(values))
        if faults:
            at = {name: f" (line {line})" for name, line in (lines or {}).items()}
            texts = [f"{_short(name)}{at.get(name, '')}: {fault}" for name, fault in faults]
            raise InputError("\n  ".join([f"{where}: this contract of the features is wrong:", *texts]))
        return cls(**values)

    @classmethod
    def from_json(cls, text: str, where: str = "--contract") -> Contract:
        """A contract of JSON, on a command line or in a file's metadata; as :meth:`from_mapping`."""
        try:
            mapping = json.loads(text)
        except (ValueError, RecursionError):
            raise InputError(f"{where}: {allowed.shown(text)} is not JSON") from None
        return cls.from_mapping(mapping, where)

    def overridden(self, **values: Any) -> Contract:
        """A copy with other values; those that are None are left as they are."""
        return replace(self, **{name: value for name, value in values.items() if value is not None})

    def key(self) -> str:
        """Eight hexadecimal digits that say which features these are: equal for equal contracts, on every machine."""
        text = json.dumps({"schema": SCHEMA, **self.to_mapping()}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def differences(self, other: Contract) -> list[str]:
        """In what this contract differs from another one: ``n_fft 512, not 400``."""
        pairs = ((name, value, other.to_mapping()[name]) for name, value in self.to_mapping().items())
        return [f"{name} {_plain(own)}, not {_plain(theirs)}" for name, own, theirs in pairs if own != theirs]


def _omissible(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the other fields of a contract are where they are omitted."""
    found = dict(NEUTRAL)
    if values.get("log") == "none":
        found.update(floor=0.0, floor_rule="clamp")
    if "n_fft" in values and values["n_fft"] == values.get("win_length"):
        found["window_placement"] = "centre"
    return found


def _described(name: str) -> str:
    """What a field may be."""
    if name in allowed.CHOICES:
        return f"one of {', '.join(allowed.CHOICES[name])}"
    if name in allowed.SWITCHES:
        return "true or false"
    return "a whole number" if allowed.NUMBERS[name].kind is int else "a number"


def _read(name: str, value: object) -> object:
    """What is meant by a value; only numbers and truth values are read out of text."""
    if not isinstance(value, str) or name in allowed.CHOICES:
        return value
    if name in allowed.SWITCHES:
        return {"true": True, "false": False}.get(value, value)
    kind, _, _, optional = allowed.NUMBERS[name]
    if optional and value in ("null", "none"):
        return None
    try:
        return kind(value)
    except ValueError:
        return value


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else allowed.shown(value)


def _short(name: object) -> str:
    return name if isinstance(name, str) and len(name) <= allowed.SHOWN else allowed.shown(name)
