"""What is wrong with a configuration, by the schema's errors, in the user's words."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from jsonschema import ValidationError

TYPES = {"array": "list"}  # what the schema calls otherwise than people
LONGEST = 1000  # characters of a fault that are shown


def shortened(text: str) -> str:
    """A fault without what is beyond measure."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _groups(schema):
    """Names of all settings, dotted, and of their groups."""
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from (f"{name}.{inner}" for inner in _groups(part))


def _unknown(path, name, schema):
    place = ".".join(map(str, path))
    full = f"{place}.{name}" if place else name
    if "." in name and name in set(_groups(schema)):
        group, *keys = name.split(".")
        value = "..."
        for key in reversed(keys):
            value = f"{{{key}: {value}}}"
        return f"{name}: groups are not reached by dots; write --config '{group}={value}'"
    known = list(_groups(schema))
    # A key may stand in the wrong group, or be misspelt.
    close = [k for k in known if k.split(".")[-1] == name] or difflib.get_close_matches(full, known, 1)
    hint = f"did you mean {close[0]}?" if close else "see config.yaml for all settings"
    return f"{full}: unknown setting; {hint}"


def describe(error: ValidationError, schema: Mapping[str, Any]) -> list[tuple[list[Any], str]]:
    """Faults that an error of the schema means: pairs of a path, a list of keys, and what is wrong there."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        surplus = sorted(set(error.instance) - set(error.schema["properties"]), key=str)
        return [([*path, name], _unknown(path, shortened(str(name)), schema)) for name in surplus]
    return [(path, _wrong(error, ".".join(map(str, path)) or "config.yaml"))]


def _as_group(error, place):
    """How to write a value into the group that stands where it was written: as the first setting that can have it."""
    value, settings = error.instance, error.schema.get("properties", {})
    takes = (name for name, part in settings.items() if Draft202012Validator(part).is_valid(value))
    if isinstance(value, str) and (name := next(takes, None)):
        inner = f"{{{name}: {value}}}"
    else:
        inner = f"{{{next(iter(settings), 'name')}: ...}}"
    *above, last = place.split(".")
    text = f"{last}: {inner}"
    for group in reversed(above):
        text = f"{group}: {{{text}}}"
    return f"write {text}"


def _wrong(error, place):
    """What is wrong with the value of a known setting."""
    if error.validator == "type" and error.validator_value == "object":
        return f"{place}: {json.dumps(error.instance, default=str)} is no group of settings; {_as_group(error, place)}"
    if error.validator == "type":
        wanted = error.validator_value
        wanted = " or ".join(TYPES.get(name, name) for name in ([wanted] if isinstance(wanted, str) else wanted))
        return f"{place}: {json.dumps(error.instance, default=str)} is not of type {wanted}"
    if error.validator == "enum":
        return f"{place}: {error.instance!r} is none of {', '.join(map(str, error.validator_value))}"
    if "expected" in error.schema and error.validator in ("anyOf", "pattern"):
        return f"{place}: {error.instance!r} is not {error.schema['expected']}"
    if error.validator == "anyOf":
        return f"{place}: {error.instance!r} is neither a string nor a list of different strings"
    return f"{place}: {error.message}"
