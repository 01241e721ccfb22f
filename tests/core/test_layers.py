"""The packages of the core form layers along the data flow: none imports what comes after it."""

import ast
from collections import defaultdict

import pytest
from support.paths import SCRIPTS

CORE = SCRIPTS / "asv"
# Each line may import from the lines above it, and a package from itself; `.` are the modules of the core's own folder.
LAYERS = [
    ["."],
    ["audio"],
    ["dataset"],
    ["features"],
    ["network", "ascend"],
    ["demo"],
    ["quantisation"],
    ["engines"],
    ["inference"],
    ["trials"],
    ["scoring"],
    ["benchmark"],
    ["report", "bundle"],
    ["snakefile"],
]
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}


def imported(path):
    """Dotted names of what a module of the core imports, anywhere in it, of the core."""
    package = ("asv", *path.relative_to(CORE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def package_of(name):
    """Package of a dotted name in the core, or None for what lies outside."""
    parts = name.split(".")
    if parts[0] != "asv" or len(parts) < 2:
        return None
    return parts[1] if (CORE / parts[1]).is_dir() else "."


def offenders(paths):
    for path in paths:
        own = path.relative_to(CORE).parts[0] if path.parent != CORE else "."
        for name in imported(path):
            other = package_of(name)
            if other not in (None, own) and RANK[other] >= RANK[own]:
                yield f"{path.relative_to(SCRIPTS)} imports {name}: {own} comes before {other}"


def test_nothing_imports_against_the_data_flow():
    assert {path.name for path in CORE.iterdir() if path.is_dir() and path.name != "__pycache__"} | {"."} == set(RANK)
    assert list(offenders(sorted(CORE.rglob("*.py")))) == []


def test_the_core_does_not_import_the_command_line():
    paths = [path for path in CORE.rglob("*.py") if path.name != "cli.py"]
    assert [path.name for path in paths if "asv.cli" in {".".join(n.split(".")[:2]) for n in imported(path)}] == []


def test_a_package_is_a_docstring():
    """An import there would make every stage that uses one module of the package depend on all of them."""
    for path in CORE.rglob("__init__.py"):
        if path.parent.name not in ("engines", "families"):  # they find their modules
            (only,) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(only, ast.Expr), path


def test_there_is_no_circle():
    edges = defaultdict(set)
    modules = {".".join(path.relative_to(SCRIPTS).with_suffix("").parts): path for path in CORE.rglob("*.py")}
    for module, path in modules.items():
        for name in imported(path):
            edges[module].add(name if name in modules else name.rpartition(".")[0])
    done, open_ = set(), []

    def visit(module):
        assert module not in open_, f"a circle of imports: {' -> '.join([*open_, module])}"
        if module not in done:
            open_.append(module)
            for other in sorted(edges[module] & set(modules)):
                visit(other)
            open_.pop()
            done.add(module)

    for module in sorted(modules):
        visit(module)


@pytest.mark.parametrize("module", ["scoring/answer.py", "engines/openvino.py"])
def test_an_offender_is_found(module, monkeypatch):
    monkeypatch.setitem(globals()["RANK"], module.split("/")[0], -1)
    assert any(module in line for line in offenders([CORE / module]))
