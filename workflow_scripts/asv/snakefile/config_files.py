"""The files that settings come from: whose a ``config.yaml`` of the working folder is, and what each file is called."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ..errors import InputError

if TYPE_CHECKING:
    from ..files import PathLike

LARGEST = 256 << 10  # bytes; no configuration of this workflow comes near it
LIKE = 0.8  # of 1: from here on a key is a misspelt setting rather than another workflow's


def _keys(path):
    """The keys at the top of a YAML or JSON file, as text; none of a file that has no keys there.

    The file may be anybody's: tags are not resolved and nothing is built, so nothing is run and aliases do not grow.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 (UTF-16 or Latin-1?); save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    try:
        try:
            value = json.loads(text)
            return list(value) if isinstance(value, dict) else []
        except ValueError:
            pass
        documents = yaml.compose_all(text, Loader=yaml.SafeLoader)
        tops = [node.value for node in documents if isinstance(node, yaml.MappingNode)]
        return [key.value for top in tops for key, _ in top if isinstance(key, yaml.ScalarNode)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise InputError(
            f"{path}: neither YAML nor JSON{line}; mend it, or run in another folder (--directory) if it is not of "
            "this workflow"
        ) from None


def _is_setting(key, names):
    return key.split(".")[0] in names or bool(difflib.get_close_matches(key, names, 1, LIKE))


def of_working_folder(path: PathLike, shipped: PathLike, names: Sequence[str]) -> tuple[bool, str | None]:
    """Whether a ``config.yaml`` in the working folder has settings of this workflow.

    It has if one of its keys is a setting, or is spelt so much like one that it must be meant. A file of other keys
    alone is another workflow's and is not used, which a note says.

    Args:
        path: the file, which need not exist.
        shipped: the workflow's own ``config.yaml``.
        names: the settings at the top level.

    Returns:
        ``(whether it is to be used, what to tell or None)``.

    Raises:
        InputError: where it cannot be read, so that nobody can tell.
    """
    path = Path(path).absolute()
    if not path.is_file() or os.path.samefile(path, shipped):
        return False, None
    keys = _keys(path) if path.stat().st_size <= LARGEST else ["more than 256 KB of text"]
    if any(_is_setting(key, names) for key in keys):
        return True, None
    if not keys:  # empty, or comments alone
        return False, None
    shown = ", ".join(key[:40] for key in keys[:3]) + (", ..." if len(keys) > 3 else "")
    return False, (
        f"{path} has no setting of this workflow (but {shown}), so it is taken for another's and not used; "
        "settings of your own go into a file for --configfile, or, of a module, into its config:"
    )


def called(path: PathLike) -> str:
    """What a file of settings is called in messages."""
    path, here = Path(path).absolute(), Path.cwd()
    if here in path.parents and path.relative_to(here).parts[0] in ("results", "work", "logs"):
        return f"{path}, which this workflow made: write targets before --configfile, which takes all that follows it"
    return str(path)
