"""The stages as command lines."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest
import yaml
from support.paths import SCRIPTS
from support.synthetic import write_tree

from asv import code

NAMES = sorted(path.name for path in SCRIPTS.glob("*.py"))


def run(name, *arguments):
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


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


HEAVY = {"torch", "sklearn", "openvino", "onnx", "onnxruntime", "nncf", "scipy", "jsonschema", "matplotlib"}
ALLOWED = {
    "compare_runs.py": {"matplotlib"},
    "demo_checkpoint.py": {"torch"},
    "export_bin.py": {"torch"},
    "export_onnx.py": {"torch"},
    "extract_calibration.py": {"torch"},
    "extract_features.py": {"torch"},
    "measure_machine.py": {"torch"},
    "plot_benchmarks.py": {"matplotlib"},
    "plot_lengths.py": {"matplotlib"},
    "plot_recommendation.py": {"matplotlib"},
    "plot_scores.py": {"matplotlib"},
    "trace_network.py": {"torch"},
}


HELP = """
import runpy, sys
script = sys.argv.pop(1)
sys.path.insert(0, script.rpartition("/")[0])
sys.argv = [script, "--help"]
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit:
    print(*sys.modules, file=sys.stderr)
    raise
"""


@pytest.mark.parametrize("name", NAMES)
def test_help_and_what_a_script_imports(name):
    """Light stages load nothing heavy before their work begins; and whatever is loaded belongs to the stage's code."""
    command = [sys.executable, "-c", HELP, str(SCRIPTS / name)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: {name}")
    assert len(result.stdout.split("options:")[0].splitlines()) > 3  # says what it does
    if name not in ("npu_doctor.py", "npu_probe.py"):  # they print
        assert "--output" in result.stdout or "--json" in result.stdout or "-output" in result.stdout
    loaded = result.stderr.split()
    assert HEAVY & {module.split(".")[0] for module in loaded} <= ALLOWED.get(name, set())
    ours = {module.replace(".", "/") for module in loaded if module.split(".")[0] == "asv"}
    covered = {path.relative_to(SCRIPTS).as_posix() for path in code.closure(SCRIPTS / name)}
    assert [module for module in ours if not {f"{module}.py", f"{module}/__init__.py"} & covered] == []


def test_the_conda_environment_has_the_versions_of_the_requirements():
    lines = (SCRIPTS.parent / "requirements.txt").read_text().splitlines()
    wanted = {line.split("#")[0].strip() for line in lines}
    *_, pip = yaml.safe_load((SCRIPTS.parent / "envs" / "cpu.yaml").read_text())["dependencies"]
    packages = [line for line in pip["pip"] if not line.startswith("--")]
    assert len(packages) >= 8
    assert set(packages) <= wanted
    names = {re.split("[=<>]", line)[0] for line in wanted - set(packages) if line}
    assert names == {"snakemake", "pyyaml", "jsonschema", "pygments"}  # what Snakemake alone needs


def test_progress_bars_are_for_terminals(tmp_path):
    """The same stage shows a bar on a terminal, and nothing of it in a file."""
    write_tree(tmp_path / "wavs", speakers=2)
    outputs = {"output": "f.npy", "lengths": "l.npy", "manifest": "m.tsv", "rejected": "r.tsv", "sidecar": "f.json"}
    command = [sys.executable, str(SCRIPTS / "extract_features.py"), "--root", str(tmp_path / "wavs")]
    command += [part for option, name in outputs.items() for part in (f"--{option}", str(tmp_path / name))]
    quiet = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert quiet.returncode == 0, quiet.stderr
    assert quiet.stderr == "8 files found, 8 used, 0 rejected\n"
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(command, stderr=end, stdout=end) as process:
        os.close(end)
        shown = b""
        with suppress(OSError):  # how Linux tells that the other side is closed
            while part := os.read(terminal, 1024):
                shown += part
    os.close(terminal)
    assert process.returncode == 0
    assert b"features:" in shown
    assert b"100%" in shown


MISSING = "import sys; sys.argv = ['x', *{arguments!r}]\nfrom asv import cli\ncli.run(lambda: open({path!r}))"


@pytest.mark.parametrize(
    ("arguments", "path", "named"),
    [
        (["--input", "absent.json"], "absent.json", True),
        (["--artefact", "folder"], "folder/artefact.json", True),
        (["--artefact", "x/../folder/"], "folder/artefact.json", True),
        (["--input", "absent.json"], "/nowhere/of_our_own.json", False),
        (["--cohort", ""], "of_our_own.json", False),
        ([], "of_our_own.json", False),
    ],
)
def test_a_missing_file_is_the_users_fault_where_the_command_line_names_it(tmp_path, arguments, path, named):
    """Any other missing file is a bug, which shows where it is."""
    code = MISSING.format(arguments=arguments, path=path)
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
    )
    assert result.returncode == 1
    assert (result.stderr == f"error: {path}: no such file or folder\n") == named
    assert ("Traceback" in result.stderr) != named


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_line_ends_survive_a_checkout_with_autocrlf(tmp_path):
    """As Git for Windows sets it: CR in a script breaks it, and in any file of code changes its digest."""
    repository = SCRIPTS.parent
    names = ["Snakefile", ".ci/run", "profiles/cluster-generic/status.sh", "rules/common.smk", "demo/checkpoint.zip"]
    names += ["config.yaml", "schemas/config.schema.json", "workflow_scripts/infer.py", "README.zh-CN.md"]

    def git(*arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", ".")
    git("config", "core.autocrlf", "true")
    for name in [".gitattributes", *names]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / name, tmp_path / name)
    git("add", ".")
    git("commit", "-m", "as it is")
    git("rm", "-r", "-q", *names)
    git("checkout", "HEAD", "--", ".")
    for name in names:
        assert (tmp_path / name).read_bytes() == (repository / name).read_bytes(), name
