"""The rule files as text: what each rule says of itself, and that nothing is said twice."""

import re
from collections import Counter

import pytest
from support.paths import REPO
from support.rule_files import FILES, LOCAL, RULES, TEXT

#: Paths of the Snakefile's targets, which are what a user types.
TARGETS = {"results/eer_bs4.txt", "results/eer_bs{batch}.txt", "results/benchmarks", "results/accuracy_gate.txt"}
#: Members of Snakemake's `workflow` that its documentation names.
DOCUMENTED = {"basedir", "cores", "current_basedir"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_in_a_sentence_what_it_does(name):
    """As `snakemake --list` shows it."""
    assert re.match(r'    """[A-Z][^"\n]{15,}\."""\n    \w', RULES[name])


def test_local_rules_are_those_of_the_manual():
    text = (REPO / "docs/cluster.md").read_text(encoding="utf-8")
    paragraph = next(part for part in text.split("\n\n") if part.startswith("These run where Snakemake runs"))
    without_jobs = {"all", "all_eer", "all_benchmarks", "accuracy_gate", "accuracy_by_length", "crop_spread"}
    without_jobs |= {"bundle", "recommend"}
    assert LOCAL - without_jobs - {"npu_doctor"} == set(re.findall(r"`(\w+)`", paragraph))
    assert without_jobs <= LOCAL
    assert "localrules:" not in TEXT


def paths(text):
    return re.findall(r"""["']((?:work|results)/[^"'\s]*)["']""", text)


def repeated(files):
    """Paths that are written more than once, but for those of targets."""
    counts = Counter(path for text in files.values() for path in paths(text))
    return sorted(path for path, count in counts.items() if count > 1 and path not in TARGETS)


def test_a_path_is_written_once_by_the_rule_that_makes_it():
    assert repeated(FILES) == []


def test_a_repeated_path_is_found():
    assert repeated({"a": 'output:\n    "work/a/{b}.npy",', "b": 'input:\n    x="work/a/{b}.npy",'}) == [
        "work/a/{b}.npy"
    ]


def test_outputs_of_other_rules_are_named_as_paths():
    """See ``path_of`` in rules/common.smk; a run on a cluster (``tests/workflow/test_cluster.py``) fails otherwise."""
    for name, block in RULES.items():
        inputs = re.search(r"(?ms)^    input:\n(.*?)^    \w", block)
        for line in inputs[1].splitlines() if inputs else []:
            if "rules." in line:
                assert re.search(r"(collect|path_of|benchmark_files)\(rules\.", line), (name, line)


def test_snakemakes_inside_is_used_in_one_place():
    """``asv/snakefile/internals.py``, which names the version that was tried."""
    assert set(re.findall(r"\bworkflow\.(?!rst)(\w+)", TEXT)) <= DOCUMENTED
    core = REPO / "workflow_scripts/asv"
    users = {path.name for path in core.rglob("*.py") if re.search(r"\bworkflow\.\w", path.read_text(encoding="utf-8"))}
    assert users <= {"internals.py"}


def test_the_directives_of_rules_come_in_one_order():
    order = ["input", "output", "log", "priority", "localrule", "conda", "threads", "resources", "params", "shell"]
    for name, block in RULES.items():
        found = [word for word in re.findall(r"(?m)^    (\w+):", block) if word in order]
        if "shell" in found:
            assert found == sorted(found, key=order.index), name
