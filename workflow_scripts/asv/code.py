"""What a stage's code is, so that a change in it makes the stage stale, and only that stage.

Snakemake does not see a change in a module that a script imports. The modules are found by walking the import
statements, not listed by hand. What counts is the code: its tokens without comments, docstrings and layout, the same
under every Python. So words cost nobody a computation, nor does a clone, a touch or a move. The same walk finds the
packages whose versions count: those that the code imports.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent  # workflow_scripts/
OURS = "asv/code.py"
#: Distributions that are not called as what is imported from them.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "pyyaml", "espeakng_loader": "espeakng-loader"}
WITHOUT_EFFECT = {"tqdm"}  # on what is computed
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_FSTRING = tuple(getattr(tokenize, name, None) for name in ("FSTRING_START", "FSTRING_END"))  # Python 3.12 and newer


@functools.cache
def _module_files(name: str) -> list[Path]:
    """Files of a dotted module under ROOT, its packages' ``__init__`` included; none for other modules."""
    found: list[Path] = []
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:depth])
        found += [path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]
    return found


def _imported(statement: str, package: tuple[str, ...]) -> list[str]:
    """Dotted names of an import statement in a module of ``package``; of ``from a import b`` both ``a`` and ``a.b``."""
    node = ast.parse(statement).body[0]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert isinstance(node, ast.ImportFrom)
    above = package[: len(package) - node.level + 1] if node.level else ()
    base = ".".join((*above, *([node.module] if node.module else [])))
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """Kinds and texts of the tokens that count, one logical line after the other.

    An f-string is one token up to Python 3.11 and several from 3.12 on: here it is its source text.
    """
    lines, start, depth = source.splitlines(keepends=True), None, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _FSTRING:
            start = start or token.start
            depth += 1 if token.type == _FSTRING[0] else -1
            if depth == 0:
                (row, column), (last, end) = start, token.end
                text = "".join(lines[row - 1 : last])
                yield tokenize.STRING, text[column : len(text) - len(lines[last - 1]) + end]
                start = None
        elif depth == 0 and token.type not in _SILENT:
            layout = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            yield token.type, "" if layout else token.string


def _statements(source: str) -> Iterator[int | list[tuple[int, str]]]:
    """Statements as lists of ``(kind, text)``, and between them the kinds of what begins and ends blocks."""
    statement = []
    for kind, text in _tokens(source):
        if kind in (tokenize.INDENT, tokenize.DEDENT):
            yield kind
        elif kind != tokenize.NEWLINE:
            statement.append((kind, text))
        else:
            yield statement
            statement = []


class Module(NamedTuple):
    """What is known of a file's code.

    Attributes:
        content: SHA-256 of its bytes.
        digest: of its code.
        imports: dotted names that it imports, anywhere in it.
    """

    content: str
    digest: str
    imports: list[str]


_known: dict[Path, Module] = {}  # to this process
_told: dict[str, Module] = {}  # by another process, by path under ROOT; holds for files of the same bytes


def remember(modules: Mapping[str, Sequence[Any]]) -> None:
    """Take over what another process found, :func:`known` there, so that the same bytes are not read again.

    What another version of this module found is ignored.
    """
    ours = modules.get(OURS)
    if ours is not None and ours[0] == hashlib.sha256(Path(__file__).read_bytes()).hexdigest():
        _told.update({name: Module(*module) for name, module in modules.items() if module[1] is not None})


def known() -> dict[str, Module]:
    """Files that this process knows, by path under ``workflow_scripts/``."""
    return {path.relative_to(ROOT).as_posix(): module for path, module in _known.items()}


def _read(path):
    """:class:`Module` of a file, as it was when this process first asked."""
    if path not in _known:
        content = path.read_bytes()
        digest, told = hashlib.sha256(content).hexdigest(), _told.get(path.relative_to(ROOT).as_posix())
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        _known[path] = told if told and told.content == digest else Module(digest, *_digest_and_imports(path, text))
    return _known[path]


def _digest_and_imports(path, text):
    state, imports, package = hashlib.sha256(), [], path.relative_to(ROOT).parent.parts
    for statement in _statements(text.read()):
        if not isinstance(statement, list):
            state.update(tokenize.tok_name[statement].encode())
            continue
        if all(kind == tokenize.STRING for kind, _ in statement):
            continue  # a docstring
        words = [text for _, text in statement]
        state.update("\0".join(words).encode() + b"\n")
        if words[0] in ("import", "from"):
            imports += _imported(" ".join(words), package)
    return state.hexdigest(), imports


def of(path: Path) -> str:
    """Digest of one file's code."""
    return _read(Path(path).resolve()).digest


def closure(*paths: Path) -> list[Path]:
    """Sorted files under ``workflow_scripts/`` that running the given ones can import, themselves included."""
    seen, waiting = set(), [Path(path).resolve() for path in paths]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [file for name in _read(path).imports for file in _module_files(name)]
    return sorted(seen)


def packages(*paths: Path) -> list[str]:
    """Sorted distributions from outside the standard library that the files' :func:`closure` imports."""
    names = {name.split(".")[0] for path in closure(*paths) for name in _read(path).imports if not _module_files(name)}
    standard = getattr(sys, "stdlib_module_names", ())  # from Python 3.10 on; Snakemake's has it
    foreign = names - set(standard) - {path.stem for path in ROOT.iterdir()} - WITHOUT_EFFECT
    return sorted(DISTRIBUTIONS.get(name, name) for name in foreign if name)


def digest(*paths: Path) -> str:
    """Digest (16 hexadecimal digits) of the code of the files' :func:`closure`, and of their names."""
    listing = (f"{path.relative_to(ROOT).as_posix()}\t{_read(path).digest}\n" for path in closure(*paths))
    return hashlib.sha256("".join(listing).encode()).hexdigest()[:16]
