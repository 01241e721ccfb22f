"""mypy finds nothing in the core, and every engine and every family of networks keeps its protocol.

Public functions have types: what a module offers is checked wherever another one uses it.
"""

import ast
import subprocess
import sys

import pytest
from support.paths import REPO, SCRIPTS

from asv import engines
from asv.network import families


def public_functions(path):
    """Yield ``(name, function, whether it has a self)`` of a module's public functions and public classes' methods."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, False
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and (inner.name[:2] == "__" or inner.name[0] != "_"):
                    static = "staticmethod" in map(ast.unparse, inner.decorator_list)
                    yield f"{node.name}.{inner.name}", inner, not static


def lacks_types(function, has_self):
    parts = function.args
    named = [*parts.posonlyargs, *parts.args][has_self:] + parts.kwonlyargs
    others = [part for part in (parts.vararg, parts.kwarg) if part]
    return function.returns is None or any(part.annotation is None for part in named + others)


def without_types(folder):
    """Names of public functions in a folder's modules that lack a type."""
    for path in sorted(folder.rglob("*.py")):
        names = (name for name, *found in public_functions(path) if lacks_types(*found))
        yield from (f"{path.relative_to(folder)}: {name}" for name in names)


def test_public_functions_have_types():
    assert list(without_types(SCRIPTS / "asv")) == []


def test_a_function_without_types_is_found(tmp_path):
    text = """
def whole(a: int, *rest: str) -> None: ...
def no_result(a: int): ...
def no_argument(a, b: int) -> int: ...
def no_rest(*rest) -> None: ...
def _private(a): ...
class Public:
    def __init__(self, a): ...
    def whole(self, a: int) -> None: ...
    @staticmethod
    def no_first(a) -> None: ...
    def _private(self, a): ...
class _Private:
    def inner(self, a): ...
"""
    (tmp_path / "module.py").write_text(text)
    found = ["no_result", "no_argument", "no_rest", "Public.__init__", "Public.no_first"]
    assert list(without_types(tmp_path)) == [f"module.py: {name}" for name in found]


def mypy(*arguments):
    command = [sys.executable, "-m", "mypy", *map(str, arguments)]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True)


@pytest.mark.slow
def test_types(tmp_path):
    names = ", ".join(engines.names())
    modules = ", ".join(families.source(name).stem for name in families.names())
    lines = [
        f"from asv.engines import {names}",
        "from asv.engine_interface import Engine",
        f"from asv.network.families import {modules}",
        "from asv.network.family_interface import CarriesFrontEnd, Family",
        f"all_: list[Engine] = [{names}]",
        f"families: list[Family] = [{modules}]",
        "carriers: list[CarriesFrontEnd] = [nemo, taoruijie]",
    ]
    (tmp_path / "engines_checked.py").write_text("\n".join([*lines, ""]))
    done = mypy("workflow_scripts/asv", tmp_path / "engines_checked.py")
    assert done.returncode == 0, done.stdout


def test_an_engine_that_breaks_the_protocol_is_found(tmp_path):
    lines = [
        "import json",
        "from asv.engine_interface import Engine, Job",
        "engine: Engine = json",
        'Job("4", (80, 200), "f32")',
    ]
    (tmp_path / "broken.py").write_text("\n".join([*lines, ""]))
    done = mypy(tmp_path / "broken.py")
    assert done.returncode == 1
    assert 'variable has type "Engine"' in done.stdout
    assert 'expected "int"' in done.stdout
