"""Reading a contract that a network brings along, from YAML or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ..errors import InputError
from .contract import Contract
from .contract_fields import SHOWN, SWITCHES

if TYPE_CHECKING:
    import os

LARGEST = 64 << 10  # bytes; all fields with comments take some 3 KB
HOW = "write one field per line, such as n_mels: 80"


def read(path: str | os.PathLike[str]) -> Contract:
    """The contract in a file.

    Values are taken as they are written; no tag is resolved, so nothing is run and aliases do not grow.

    Raises:
        InputError: naming the file and, where something is wrong in it, the lines.
    """
    node = _parsed(path)
    if not isinstance(node, yaml.MappingNode):
        what = "it is empty" if node is None else f"line {node.start_mark.line + 1} is neither a field nor a comment"
        raise InputError(f"{path}: no contract of features: {what}; {HOW}")
    values: dict[str, object] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{path}: line {line} has no name of a field; {HOW}")
        if key.value in lines:
            raise InputError(
                f"{path}: {key.value[:SHOWN]} stands in line {lines[key.value]} and again in line {line}; delete one"
            )
        lines[key.value], values[key.value] = line, _value(key.value, value)
    return Contract.from_mapping(values, str(path), lines)


def _parsed(path: str | os.PathLike[str]) -> yaml.Node | None:
    """The YAML of a file, before anything is made of it; JSON is YAML."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path}: the contract of features cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}: more than {LARGEST >> 10} KB, so it is no contract of features")
    try:
        return yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 (UTF-16 or Latin-1?); save it as UTF-8") from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InputError(f"{path}: not YAML{where}{f': {problem}' if problem else ''}; {HOW}") from None


def _value(name: str, node: yaml.Node) -> object:
    """What a node says: None, a truth value where one is expected, text; of a list or mapping only that it is one."""
    if not isinstance(node, yaml.ScalarNode):
        return {} if isinstance(node, yaml.MappingNode) else []
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool" and name in SWITCHES:
        return yaml.SafeLoader.bool_values.get(node.value.lower(), node.value)
    return node.value
