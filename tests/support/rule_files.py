"""The rule files as text."""

import re

from support.paths import REPO

FILES = {
    path.name: path.read_text(encoding="utf-8") for path in (REPO / "Snakefile", *sorted(REPO.glob("rules/*.smk")))
}
TEXT = "\n".join(FILES.values())
_PARTS = re.split(r"(?m)^rule (\w+):\n", TEXT)
#: Name of every rule to its text, its docstring first.
RULES = {name: re.split(r"(?m)^\S", block)[0] for name, block in zip(_PARTS[1::2], _PARTS[2::2])}
#: Rules that run where Snakemake runs, also under a cluster's scheduler.
LOCAL = {name for name, block in RULES.items() if re.search(r"(?m)^    localrule: True$", block)}
