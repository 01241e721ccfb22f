"""The stages as command lines."""

import subprocess
import sys

import pytest
from conftest import SCRIPTS

NAMES = sorted(path.name for path in SCRIPTS.glob("*.py"))


def run(name, *arguments):
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", NAMES)
def test_help(name):
    result = run(name, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: {name}")
    assert len(result.stdout.split("options:")[0].splitlines()) > 3  # says what it does
    assert "--output" in result.stdout or "--json" in result.stdout or "-output" in result.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("compile_engine.py", ["--batch-size", "0"], "'0' is not an integer of 1 or more"),
        ("compile_engine.py", ["--options", "3"], "'3' is not a JSON object"),
        ("infer.py", ["--options", "{"], "is not JSON"),
        ("extract_features.py", ["--no-such-option"], "the following arguments are required"),
    ],
)
def test_wrong_usage_exits_with_2(name, arguments, message):
    result = run(name, *arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_stage_does_not_import_what_it_does_not_need():
    """Few seconds before the work begins: the light stages load neither torch nor scikit-learn nor OpenVINO."""
    heavy = {"torch", "sklearn", "openvino", "scipy", "jsonschema", "matplotlib"}
    allowed = {
        "compare_engine.py": {"sklearn", "scipy"},
        "demo_checkpoint.py": {"torch"},
        "extract_features.py": {"torch"},
        "measure_machine.py": {"torch"},
        "plot_benchmarks.py": {"matplotlib"},
        "plot_scores.py": {"matplotlib", "sklearn", "scipy"},
        "trace_network.py": {"torch"},
        "score.py": {"sklearn", "scipy"},
    }
    for name in NAMES:
        code = f"import sys, runpy; sys.path.insert(0, {str(SCRIPTS)!r}); runpy.run_path({str(SCRIPTS / name)!r})\n"
        code += "print(*{module.split('.')[0] for module in sys.modules})"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        assert heavy & set(result.stdout.split()) <= allowed.get(name, set()), name
