"""Digest of the code that a stage runs, so that a change in it makes the stage stale, and only that stage.

Snakemake does not see a change in a module that a script imports. The modules are found by walking the import
statements, not listed by hand. The digest is of contents: indifferent to clone, touch and move.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # workflow_scripts/


def _module_files(name):
    """Files of a dotted module under ROOT, its packages' ``__init__`` included; none for other modules."""
    found, parts = [], name.split(".")
    for depth in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:depth])
        found += [path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]
    return found


def _imports(path):
    """Dotted names that a file imports, anywhere in it; of ``from a import b`` both ``a`` and ``a.b``."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def closure(*paths):
    """Sorted files under ``workflow_scripts/`` that running the given ones can import, themselves included."""
    seen, waiting = set(), [Path(path).resolve() for path in paths]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [file for name in _imports(path) for file in _module_files(name)]
    return sorted(seen)


def digest(*paths):
    """Digest (16 hexadecimal digits) of the files' :func:`closure`: names relative to the folder, and contents."""
    state = hashlib.sha256()
    for path in closure(*paths):
        content = path.read_bytes()
        state.update(f"{path.relative_to(ROOT).as_posix()}\t{len(content)}\n".encode() + content)
    return state.hexdigest()[:16]
