"""pyproject.toml, the requirements files and the hooks say the same."""

import re
import subprocess
import sys

import pytest
import tomllib
import yaml
from support.paths import REPO

PYPROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


def requirements(name):
    """Lines of a requirements file, without comments and without what it includes."""
    lines = [line.split("#")[0].strip() for line in (REPO / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-r")]


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        (PYPROJECT["project"]["dependencies"], "requirements.txt"),
        (EXTRAS["cluster"], "requirements-cluster.txt"),
        ([line for line in EXTRAS["dev"] if "[cluster]" not in line], "requirements-dev.txt"),
    ],
)
def test_the_project_depends_on_the_requirements(listed, name):
    assert listed == requirements(name)


def test_the_name_is_not_that_of_another_project():
    name = PYPROJECT["project"]["name"]
    assert name != "asv"  # airspeed velocity, on PyPI
    assert f"{name}[cluster]" in EXTRAS["dev"]


def test_hooks_are_programs_of_the_requirements_and_of_ci():
    (repository,) = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    ci = (REPO / ".ci" / "run").read_text()
    installed = {re.split("[=<>]", line)[0] for line in requirements("requirements-dev.txt")}
    for hook in repository["hooks"]:
        program = hook["entry"].split()[0]
        assert program in installed | {"python"}, hook
        assert program == "python" or program in ci, hook


def test_the_check_of_yaml_finds_what_is_none(tmp_path):
    (repository,) = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())["repos"]
    (entry,) = (hook["entry"] for hook in repository["hooks"] if hook["id"] == "yaml")
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("a: 1\n---\nb: [2]\n")
    bad.write_text("a: [1\n")
    for path, code in ((good, 0), (bad, 1)):
        program = entry.partition("-c ")[2].strip("'")
        assert subprocess.run([sys.executable, "-c", program, path], capture_output=True).returncode == code
