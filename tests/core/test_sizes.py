"""Files and functions stay small enough to be read at once."""

import ast

import pytest
from support.paths import REPO, SCRIPTS

PYTHON = sorted(SCRIPTS.rglob("*.py"))
MOST_LINES = 250  # of a module
MOST_LINES_OF_A_FUNCTION = 60


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.relative_to(SCRIPTS).as_posix())
def test_a_module_is_short_and_so_are_its_functions(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    long = {
        f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= MOST_LINES_OF_A_FUNCTION
    }
    assert not long


def test_what_all_rules_share_is_short():
    assert len((REPO / "rules/common.smk").read_text(encoding="utf-8").splitlines()) <= 160
