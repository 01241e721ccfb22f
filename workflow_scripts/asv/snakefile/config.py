"""Checking the configuration against its schema, filling in defaults, and saying what is wrong in the user's words."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, validators

from .. import engines
from ..dataset import layout
from ..errors import InputError
from ..scoring import mean_choice
from . import config_faults, config_paths, config_reading, feature_sets, gates, networks

HEADING = "the configuration is wrong:"
MOST_VALUES, DEEPEST = 3000, 20
MOST_FAULTS = 50  # shown
SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.json"


def _is_integer(checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker, value):
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema takes 4.0 for an integer, which Python's command lines do not, and knows neither NaN nor infinity.
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number}),
)


def _is_bounded(config):
    """False for what aliases of YAML can make, a value within itself or of thousands of millions of parts."""
    waiting = [(config, 0)]
    for _ in range(MOST_VALUES):
        if not waiting:
            return True
        value, depth = waiting.pop()
        if depth > DEEPEST or len(waiting) > MOST_VALUES:
            return False
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(part, depth + 1) for part in itertools.islice(parts, MOST_VALUES)]
    return False


def _fill(value, schema):
    for name, part in schema.get("properties", {}).items():
        if "default" in part:
            value.setdefault(name, copy.deepcopy(part["default"]))
        if isinstance(value.get(name), dict):
            _fill(value[name], part)


def settings() -> list[str]:
    """Names of the settings and groups at the top level."""
    return list(_schema()["properties"])


def _schema():
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def _has(settings, path):
    """Whether settings as they were read have a value at a path, or within a list there."""
    for key in path:
        if not isinstance(settings, dict):
            return True
        if key not in settings:
            return False
        settings = settings[key]
    return True


def _origin(path, sources):
    """Of the sources that have a setting the last one, which counts, in words; nothing for a default."""
    names = [name for name, settings in sources if path and _has(settings, path)]
    return f" (set in {names[-1]})" if names else ""


def check(config: dict[str, Any], sources: Callable[[], Sequence[tuple[str, Any]]] = list) -> dict[str, Any]:
    """Check a configuration; returns a copy with the defaults filled in and ``~`` in paths expanded.

    Args:
        config: settings by name, as YAML or the command line gave them.
        sources: a function, called where something is wrong: pairs of a name for people and the settings that come from
            there, later ones winning.

    Raises:
        InputError: naming every fault: unknown settings with the nearest known one, wrong types and values, settings
            that do not go together.
    """
    schema = _schema()
    if not _is_bounded(config):
        names = [f" (set in {name})" for name, part in sources() if not _is_bounded(part)]
        too_much = f"more than {MOST_VALUES} values, or more than {DEEPEST} within each other"
        raise InputError(f"{HEADING}\n  {too_much}{''.join(names[-1:])}")
    config = copy.deepcopy(config_reading.read(config, schema))
    errors = sorted(_Validator(schema).iter_errors(config), key=lambda error: list(map(str, error.absolute_path)))
    faults = [fault for error in errors for fault in config_faults.describe(error, schema)]
    if not faults:
        _fill(config, schema)
        faults = [(text.partition(":")[0].split("."), text) for text in _disagreements(config, schema)]
    if faults:
        known = sources()
        lines = [f"{config_faults.shortened(text)}{_origin(path, known)}" for path, text in faults[:MOST_FAULTS]]
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise InputError("\n  ".join([HEADING, *lines, *more]))
    return config


def _disagreements(config, schema):
    """What is wrong although every setting for itself is right, in messages that begin with a setting.

    First what is written in short is written out: paths, names of engines, a trial list that stands alone.
    """
    dataset, checkpoint = config["dataset"], config["checkpoint"]
    if isinstance(dataset["trials"], str) and dataset["trials"] != "auto":
        dataset["trials"] = [dataset["trials"]]
    yield from config_paths.expand(config, schema)
    wrong = list(config_reading.name_engines(config))
    yield from wrong
    if not any(text.startswith(("engine:", "precision:")) for text in wrong):
        yield from networks.faults(config)
    yield from gates.faults(config)
    for name, settings in config["engines"].items():
        yield from engines.option_faults(name, settings.get("options", settings))
    yield from feature_sets.faults(config)
    if dataset["max_duration"] is not None and dataset["max_duration"] < dataset["min_duration"]:
        yield f"dataset.max_duration: {dataset['max_duration']} is below min_duration ({dataset['min_duration']})"
    if dataset["layout"] != "auto":
        try:
            if layout.parse(dataset["layout"]) != layout.SESSIONS and dataset["root"] == "demo":
                yield f"dataset.layout: {dataset['layout']!r} with dataset.root: demo, which is {layout.SESSIONS.name}"
        except InputError as error:
            yield str(error)
    if isinstance(dataset["root"], list) and "demo" in dataset["root"]:
        yield "dataset.root: 'demo' stands alone; write dataset.root: demo, or ./demo for a folder of that name"
    if unfit := mean_choice.fault(
        config["scoring"]["subtract_mean"], config["scoring"]["as_norm"]["cohort"] is not None
    ):
        yield unfit
    if checkpoint["archive"].startswith(("http://", "https://")) and not checkpoint["sha256"]:
        yield "checkpoint.sha256: needed, because checkpoint.archive is a URL"
