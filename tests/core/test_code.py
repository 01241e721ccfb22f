"""The digest of a stage's code covers what the stage imports, and nothing else."""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest
from support.paths import SCRIPTS

from asv import code, engines


def names(*paths):
    return {path.relative_to(SCRIPTS).as_posix() for path in code.closure(*paths)}


def test_the_modules_of_a_stage_are_found():
    found = names(SCRIPTS / "extract_features.py")
    wanted = {
        "asv/": (
            "code",
            "cli",
            "cpus",
            "errors",
            "files",
            "progress",
            "receipts",
            "runs",
            "stamps",
            "torchaudio_loader",
        ),
        "asv/audio/": ("chunks", "containers", "errors", "flac_length", "foreign", "mended", "plain", "reading"),
        "asv/dataset/": ("auto_layout", "layout", "listing", "shards", "tree", "walk"),
        "asv/features/": (
            "contract",
            "contract_fields",
            "crops",
            "extraction",
            "front_end",
            "front_ends",
            "manifest",
            "mel_scales",
            "npy",
            "torchaudio_mel",
        ),
    }
    expected = {f"{package}{name}.py" for package, names in wanted.items() for name in ("__init__", *names)}
    assert found == {"extract_features.py", *expected}


def test_an_engine_stage_has_its_own_engine_alone():
    found = names(SCRIPTS / "infer.py", engines.source("openvino"))
    assert "asv/engines/openvino.py" in found
    assert "asv/engines/torchscript.py" not in found
    assert "asv/engines/__init__.py" in found


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Digest of ``stage.py`` in a folder that takes the place of ``workflow_scripts/``."""
    monkeypatch.setattr(code, "ROOT", tmp_path)

    def forget():
        code._known.clear()
        code._module_files.cache_clear()

    def digest():
        forget()
        return code.digest(tmp_path / "stage.py")

    yield digest
    forget()


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(code, "_told", {})


def of_bytes(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_another_process_read_is_not_read_again(tmp_path, digest, told):
    stage = tmp_path / "stage.py"
    stage.write_text("x = 1\n")
    before = digest()
    known = {"stage.py": (of_bytes(stage), "0" * 64, []), code.OURS: (of_bytes(SCRIPTS / code.OURS), None, None)}
    code.remember(known)
    assert digest() != before
    stage.write_text("x = 2\n")  # other bytes are read
    after = digest()
    code._told.clear()
    assert digest() == after


def test_what_another_version_of_the_code_found_is_ignored(tmp_path, digest, told):
    stage = tmp_path / "stage.py"
    stage.write_text("x = 1\n")
    before = digest()
    code.remember({"stage.py": (of_bytes(stage), "0" * 64, []), code.OURS: ("0" * 64, None, None)})
    assert digest() == before


def test_what_is_known_can_be_told(tmp_path, digest, told):
    (tmp_path / "stage.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("x = 1\n")
    before, known = digest(), json.loads(json.dumps(code.known()))
    assert set(known) == {"stage.py", "helper.py"}
    code.remember({**known, code.OURS: (of_bytes(SCRIPTS / code.OURS), None, None)})
    assert digest() == before


def test_content_and_names_count_and_nothing_else(tmp_path, digest):
    (tmp_path / "stage.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("x = 1\n")
    before = digest()
    (tmp_path / "helper.py").touch()
    (tmp_path / "bystander.py").write_text("y = 1\n")
    assert digest() == before
    (tmp_path / "helper.py").write_text("x = 2\n")
    assert digest() != before


def test_imports_in_all_their_forms_are_followed(tmp_path, digest):
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


CODE = """
\"\"\"What it is for.\"\"\"
import os

def f(x):
    \"\"\"What it does.\"\"\"
    return f"{x} {x!r:>{4}} # no comment" + "#"
"""


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("What it is for.", "Other words,\non two lines."),
        ('    """What it does."""\n', ""),
        ("import os\n", "import os  # why\n\n\n# A comment.\n"),
        ("(x)", "(\n    x\n)"),
        ("    return", "        return"),
        (" + ", "+"),
    ],
)
def test_words_and_layout_do_not_count(tmp_path, digest, text, replacement):
    (tmp_path / "stage.py").write_text(CODE)
    before = digest()
    changed = CODE.replace(text, replacement)
    if text == "    return":
        changed = changed.replace('    """What it does', '        """What it does')
    assert changed != CODE
    compile(changed, "stage", "exec")
    (tmp_path / "stage.py").write_text(changed)
    assert digest() == before


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("{x!r:>{4}}", "{x!r:>{5}}"),
        ("# no comment", "# comment"),
        ('"#"', '"# "'),
        ("f(x)", "g(x)"),
        ("import os", "import re"),
    ],
)
def test_code_counts(tmp_path, digest, text, replacement):
    (tmp_path / "stage.py").write_text(CODE)
    before = digest()
    (tmp_path / "stage.py").write_text(CODE.replace(text, replacement))
    assert digest() != before


def test_where_a_block_ends_counts(tmp_path, digest):
    (tmp_path / "stage.py").write_text("if x:\n    a()\n    b()\n")
    before = digest()
    (tmp_path / "stage.py").write_text("if x:\n    a()\nb()\n")
    assert digest() != before


OTHERS = [path for minor in (12, 13, 14) if (path := shutil.which(f"python3.{minor}"))]


def test_every_python_sees_the_same_code(tmp_path):
    """F-strings are one token up to 3.11 and several from 3.12 on."""
    program = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from asv import code; print(code.digest(sys.argv[1]))"
    found = set()
    for python in [sys.executable, *OTHERS]:
        done = subprocess.run([python, "-c", program, SCRIPTS / "score.py"], capture_output=True, text=True)
        if done.returncode == 0 or python == sys.executable:  # a shim without its Python
            found.add(done.stdout)
    assert len(found) == 1, found


def test_packages_are_those_that_the_code_imports():
    assert code.packages(SCRIPTS / "trace_network.py") == ["numpy", "torch"]
    assert code.packages(SCRIPTS / "extract_features.py") == ["numpy", "soundfile", "torch", "torchaudio"]
    assert {"numpy", "scikit-learn"} <= set(code.packages(SCRIPTS / "score.py"))
    assert code.packages(SCRIPTS / "unzip_checkpoint.py") == []
