"""What is recommended, in sentences: ``recommendation.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import caveats
from . import recommendation
from .recommendation import GOALS, UNDECIDED, Choice
from .table import shown_machine


def named(choice: Mapping[str, Any]) -> str:
    """A setting in words.

    >>> named({"engine": "openvino-f32", "batch_size": 8, "mode": "in flight"})
    'openvino-f32 at batch size 8, several batches in flight'
    """
    mode = ", several batches in flight" if choice["mode"] == recommendation.IN_FLIGHT else ""
    return f"{choice['engine']} at batch size {choice['batch_size']}{mode}"


def number(value: float) -> str:
    """A measured value in three digits, or whole from 100 on.

    >>> number(4.237), number(1234.5)
    ('4.24', '1,234')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def increase(choice: Mapping[str, Any]) -> str:
    """The EER's increase over the reference's, with its interval, in points."""
    value = choice["eer_increase"]
    if choice["gate"] == "reference":
        return "all others are compared with it"
    if value is None:
        return "no trial list was scored"
    low, high = choice["eer_increase_low"], choice["eer_increase_high"]
    interval = "" if low is None or high is None else f", 95 % interval {100 * low:+.3f} to {100 * high:+.3f}"
    return f"EER {100 * value:+.3f} points{interval}"


def _best(goal: str, found: Mapping[str, Any]) -> str:
    """A line of the list."""
    what = GOALS[goal].best.capitalize()
    if found["engine"] is None:
        return f"- {what}: nothing is recommended, since {found['reason']}."
    line = (
        f"- {what}: **{named(found)}**, {number(found['value'])} {found['unit']} ({found['gate']}; {increase(found)})."
    )
    near = found["within_noise"]
    if near is not None and goal != "memory":
        line += f" Noise does not tell it from {named(near)} ({number(near['value'])})."
    return line


def _runner_up(found: Choice, best: Mapping[str, Any]) -> str:
    unit = GOALS["throughput"].unit
    words = f"Runner-up: {named(found)}, {number(found['value'])} {unit} ({found['gate']}; {increase(found)})"
    if best["engine"] is None:
        cost = ""
    else:
        ratio = found["value"] / best["value"]
        cost = f"; {ratio:.2f} times the throughput of the recommended one"
    if found["gate"] != UNDECIDED:
        return f"{words}{cost}."
    needed = found["speakers_needed"]
    many = f"some {needed:,} speakers" if needed else "more speakers than can be told"
    return f"{words}{cost}. Whether it is still the same model is open: {many} would settle it."


def text(found: Mapping[str, Any]) -> str:
    """The whole document, Markdown.

    Args:
        found: of :func:`asv.benchmark.recommendation.recommend`.
    """
    return "\n\n".join(_parts(found)) + "\n"


def _parts(found: Mapping[str, Any]) -> Iterator[str]:
    yield "# What to deploy"
    for caveat in caveats.of_speeds(found):
        yield f"**{caveat}**"
    yield f"Among what was measured on {shown_machine(found['machine'])}, and passes the accuracy gate:"
    yield "\n".join(_best(goal, found[goal]) for goal in GOALS)
    if found["runner_up"] is not None:
        yield _runner_up(found["runner_up"], found["throughput"])
    limits = {name: value for name, value in found["limits"].items() if value is not None}
    if limits:
        yield f"Limits (`recommend`): {', '.join(f'{name} {value}' for name, value in limits.items())}."
    if found["settings"]:
        lines = [f"{name}: {value}" for name, value in found["settings"].items()]
        yield "For the best throughput, in `config.yaml`:\n\n```yaml\n" + "\n".join(lines) + "\n```"
        if found["throughput"]["mode"] == recommendation.IN_FLIGHT:
            yield (
                "Several batches in flight are no setting of the workflow, but how a program calls the engine: each on "
                "a request of its own, without waiting for the last one."
            )
