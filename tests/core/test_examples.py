"""The examples in the core's docstrings show what really comes out."""

import doctest
import importlib

import pytest
from support.paths import SCRIPTS

CORE = SCRIPTS / "asv"
# Others have none: to look for examples there would mean to import them all, matplotlib and the engines included.
MODULES = sorted(
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
    for path in CORE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_there_are_examples():
    assert {"asv.features.crops", "asv.scoring.metrics"} <= set(MODULES)
