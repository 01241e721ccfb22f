"""mypy finds nothing in the core, and every engine keeps the protocol that asv/engine_interface.py defines."""

import subprocess
import sys

from support.paths import REPO

from asv import engines


def mypy(*arguments):
    command = [sys.executable, "-m", "mypy", *map(str, arguments)]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True)


def test_types(tmp_path):
    names = ", ".join(engines.names())
    lines = [
        f"from asv.engines import {names}",
        "from asv.engine_interface import Engine",
        f"all_: list[Engine] = [{names}]",
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
