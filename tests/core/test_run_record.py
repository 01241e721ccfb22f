"""Where and when something ran, apart from results."""

import re
import subprocess

from asv import run_record

MACHINE = {"host": "one", "cpu": "A Processor", "cores": 2, "system": "Linux"}


def test_this_machine_and_time():
    assert run_record.machine().keys() == MACHINE.keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", run_record.now())


def test_every_machine_is_told_once_and_all_of_the_time(monkeypatch):
    monkeypatch.setattr(run_record, "checkout", lambda: {"commit": "0123456789abcdef", "changed": True})
    days = ("2026-01-03", "2026-01-02", "2026-01-04")
    hosts = ("one", "two", "one")
    runs = [{**MACHINE, "host": host, "began": f"{day}T01", "ended": f"{day}T02"} for host, day in zip(hosts, days)]
    found = run_record.of_answer(runs, "EER 5 %.")
    assert [machine["host"] for machine in found["machines"]] == ["one", "two"]
    assert (found["inference_began"], found["inference_ended"]) == ("2026-01-02T01", "2026-01-04T02")
    where = "one (A Processor, 2 cores), two (A Processor, 2 cores)"
    assert found["sentence"] == f"EER 5 %. Run on {where}, 2026-01-04; workflow at 0123456789ab with changes."


def test_the_checkout(tmp_path, monkeypatch):
    """A commit, a commit with changes, no checkout, and another project's."""
    monkeypatch.setattr(run_record, "CHECKOUT", tmp_path)
    assert run_record.checkout() == {"commit": None, "changed": None}

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True, text=True)

    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD").stdout.strip()
    assert run_record.checkout() == {"commit": commit, "changed": False}
    (tmp_path / "file").write_text("2")
    assert run_record.checkout() == {"commit": commit, "changed": True}
    (tmp_path / "inner").mkdir()
    monkeypatch.setattr(run_record, "CHECKOUT", tmp_path / "inner")
    assert run_record.checkout() == {"commit": None, "changed": None}
