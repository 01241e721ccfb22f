"""The page on graphs of one's own against the code: fields of a contract, the example, and messages."""

from __future__ import annotations

import re

import yaml
from support import resemblyzer
from support.paths import REPO, SCRIPTS

from asv.features.contract_fields import FIELDS
from asv.features.contract_file import read
from asv.network import families

PAGE = (REPO / "docs/bring-your-own.md").read_text(encoding="utf-8")


def test_every_field_of_a_contract_is_described():
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE.split("| field |")[1].split("\n\n")[0], re.M)
    described = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(described) == sorted(FIELDS)


def test_the_example_is_the_contract_that_is_tested(tmp_path):
    example, kaldi = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "kaldi.yaml").write_text(kaldi)
    assert read(tmp_path / "kaldi.yaml") == families.module("wespeaker").CONTRACT
    (tmp_path / "page.yaml").write_text(example)
    (tmp_path / "test.yaml").write_text(resemblyzer.CONTRACT)
    assert read(tmp_path / "page.yaml") == read(tmp_path / "test.yaml")
    assert yaml.safe_load(example)["volume"] == -30


def test_the_table_of_wrong_contracts_is_what_is_tested():
    rows = re.findall(r"^\| .* \| ([\d.]+) % \| ([\d.]+) \|$", PAGE, re.M)
    assert sorted((float(eer), float(cosine)) for eer, cosine in rows) == sorted(resemblyzer.WRONG.values())


def test_messages_are_those_of_the_code():
    """Each word of the table's messages stands in a message of the code."""
    code = " ".join(path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.py"))
    table = PAGE.split("| message begins |")[1]
    parts = [part.strip() for row in re.findall(r"^\| `([^`]*)`", table, re.M) for part in row.split("...")]
    missing = [part for part in parts if part and part not in code and part.split(":")[0] not in code]
    assert len(parts) > 10
    assert missing == []
