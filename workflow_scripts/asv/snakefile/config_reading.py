"""What is meant by a setting as YAML or Snakemake hands it over, and by the names that engines are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import engines
from ..errors import InputError

WORDS = {"true": True, "false": False, "null": None}


def _number(text):
    """The number, truth value or null that a text says, else the text."""
    if text in WORDS:
        return WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def read(value: Any, schema: Mapping[str, Any]) -> Any:
    """What is meant by a value.

    An empty group in YAML is null and means "all defaults". Inside brackets on the command line
    (``--config 'features={crops: 3}'``) Snakemake reads every number, truth value and null as text. One value where a
    list is wanted is a list of it.
    """
    if value is None and schema.get("type") == "object":
        return {}
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {name: read(part, known.get(name, others)) for name, part in value.items()}
    if isinstance(value, list):
        return [read(part, schema.get("items", {})) for part in value]
    choices = schema.get("anyOf", [])
    kinds = schema.get("type", [part["type"] for part in choices if "type" in part])
    if value == "null" and ({"type": "null"} in choices or "null" in kinds or None in schema.get("enum", [])):
        return None
    if value is not None and ("items" in schema or any(isinstance(each, list) for each in schema.get("enum", []))):
        return [read(value, schema.get("items", {}))]
    if isinstance(value, str) and (value == "null" or "string" not in kinds) and kinds:
        return _number(value)
    return value


def name_engines(config: dict[str, Any]) -> Iterator[str]:
    """Bring the engines' names into the form that all else knows, in place; yields what is wrong with them.

    ``engine: openvino-bf16`` is engine and precision in one word, and an engine of ``benchmark.engines`` without a
    precision stands for all that it has.
    """
    name, _, precision = config["engine"].rpartition("-")
    if config["engine"] not in engines.names() and name in engines.names():
        if config["precision"] in ("auto", precision):
            config["engine"], config["precision"] = name, precision
        else:
            yield (
                f"engine: {config['engine']!r} says another precision than precision: {config['precision']}; leave one "
                "of them out"
            )
            return
    try:
        engines.label(config["engine"], config["precision"])
    except InputError as error:
        yield str(error)
    labels = []
    for text in config["benchmark"]["engines"]:
        try:
            labels += engines.labels(text)
        except InputError as error:
            yield f"benchmark.engines: {text!r}: {str(error).partition(': ')[2]}"
    config["benchmark"]["engines"] = list(dict.fromkeys(labels))
