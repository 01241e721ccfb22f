"""The code that runs in an NPU's toolchain stays within Python 3.9, and imports nothing that is not there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import SCRIPTS

from asv import code, engines

THERE = {"numpy", "torch"}  # tqdm is used where it is
ENTRIES = [SCRIPTS / f"{name}.py" for name in ("compile_engine", "infer", "benchmark_engine", "npu_probe")]
NAMES = ("ascend_om", "torch_aie", "mindietorch", "torchscript")
FILES = code.closure(*ENTRIES, *map(engines.source, NAMES))


def vermin(*paths):
    program = Path(sys.executable).parent / "vermin"
    command = [str(program), "--target=3.9-", "--violations", "--no-tips", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True)


def test_syntax_and_standard_library():
    done = vermin(*FILES)
    assert done.returncode == 0, done.stdout


def test_the_check_finds_what_is_too_new(tmp_path):
    (tmp_path / "new.py").write_text("zip([], [], strict=True)\n")
    assert vermin(tmp_path / "new.py").returncode == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_imports(path):
    """When a module is loaded: nothing but the standard library, numpy and torch; annotations are not evaluated."""
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    assert found <= THERE | {"asv"} | set(sys.stdlib_module_names)
    if len(tree.body) > 1:
        assert "annotations" in {
            alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
