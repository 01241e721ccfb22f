"""The paths among the settings, which the schema marks: ``~`` is expanded, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any


def _paths(value, schema, name=""):
    """All paths of a configuration: triples of the setting's name, its group or list, and its key or place there."""
    for key, part in schema.get("properties", {}).items():
        full, held = f"{name}.{key}".lstrip("."), value[key]
        if part.get("format") == "path":
            yield from (
                ((full, held, place) for place in range(len(held))) if isinstance(held, list) else [(full, value, key)]
            )
        elif isinstance(held, dict):
            yield from _paths(held, part, full)


def expand(config: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Expand ``~`` in all paths, in place; yields what was meant to be expanded and is not."""
    for name, holder, key in _paths(config, schema):
        path = holder[key]
        if path is None or "://" in path:
            continue
        holder[key] = path = os.path.expanduser(path)
        if path.startswith("~") and not os.path.exists(path):
            yield f"{name}: {path!r}: no such user, and no file of that name; write the path out"
        elif "$" in path and not os.path.exists(path):
            yield (
                f"{name}: no file or folder {path!r} (seen from {os.getcwd()}); of variables none is expanded "
                "in settings, only ~ is: write the path out"
            )
