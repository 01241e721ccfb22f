"""The digest of a stage's code covers what the stage imports, and nothing else."""

import ast

import pytest
from conftest import SCRIPTS

from asv import code, engines


def names(*paths):
    return {path.relative_to(SCRIPTS).as_posix() for path in code.closure(*paths)}


def test_the_modules_of_a_stage_are_found():
    found = names(SCRIPTS / "extract_features.py")
    wanted = (
        "audio",
        "audio_errors",
        "chunks",
        "cli",
        "code",
        "containers",
        "crops",
        "dataset",
        "errors",
        "files",
        "flac",
        "foreign",
        "manifest",
        "mel",
        "mended",
        "npy",
        "torchaudio_loader",
    )
    assert found == {"extract_features.py", "asv/__init__.py", *(f"asv/{name}.py" for name in wanted)}


def test_an_engine_stage_has_its_own_engine_alone():
    found = names(SCRIPTS / "infer.py", engines.source("openvino"))
    assert "asv/engines/openvino.py" in found
    assert "asv/engines/torchscript.py" not in found
    assert "asv/engines/__init__.py" in found


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_what_is_imported_when_a_script_loads_is_covered(script):
    """Walk the interpreter's way: what `import` statements at any level name must be in the closure."""
    covered = names(SCRIPTS / script)
    for path in code.closure(SCRIPTS / script):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("asv"):
                module = node.module.replace(".", "/")
                assert f"{module}.py" in covered or f"{module}/__init__.py" in covered


def test_content_and_names_count_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "ROOT", tmp_path)
    (tmp_path / "stage.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("x = 1\n")
    before = code.digest(tmp_path / "stage.py")
    (tmp_path / "helper.py").touch()
    (tmp_path / "bystander.py").write_text("y = 1\n")
    assert code.digest(tmp_path / "stage.py") == before
    (tmp_path / "helper.py").write_text("x = 2\n")
    assert code.digest(tmp_path / "stage.py") != before


def test_imports_in_all_their_forms_are_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "ROOT", tmp_path)
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__", "a", "b", "c", "d", "inner/__init__", "inner/e"):
        (package / f"{name}.py").write_text("")
    (package / "a.py").write_text("from . import b\n")
    (package / "inner" / "e.py").write_text("def f():\n    from ..d import x\n")
    (tmp_path / "stage.py").write_text("import os, package.a\nfrom package import c\nfrom package.inner.e import f\n")
    found = {path.relative_to(tmp_path).as_posix() for path in code.closure(tmp_path / "stage.py")}
    modules = ("__init__", "a", "b", "c", "d", "inner/__init__", "inner/e")
    assert found == {"stage.py", *(f"package/{name}.py" for name in modules)}
