"""Which jobs of a run failed, from Snakemake's log: in a long run what it said of each is far above the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def failed_jobs(text: str) -> list[str]:
    """Rule, outputs and log of every job that failed and that no retry made, a line each, in the order of failing."""
    found: dict[str | None, str] = {}
    for match in re.finditer(r"^Error in rule (\w+):\n((?:    .*\n)*)|^Finished jobid: (\d+)\b", text, re.M):
        rule, block, finished = match.groups()
        if finished:
            found.pop(finished, None)
            continue
        fields = dict(re.findall(r"^    (\w+): (.*)$", block, re.M))
        log = fields.get("log", "").partition(" (check log file")[0]
        found[fields.get("jobid")] = f"{rule}: {fields.get('output', '')}" + (f"  see {log}" if log else "")
    return list(found.values())


def summary(logs: str | Sequence[str]) -> str:
    """What to tell at the end of a run that failed, from Snakemake's log files; empty where no job did."""
    paths = [logs] if isinstance(logs, str) else logs  # Snakemake 9.27 gives a list, its documentation a path
    jobs = failed_jobs("".join(Path(path).read_text() for path in paths))
    return "\n".join(["", f"{len(jobs)} failed, to be made by the same command once more:", *jobs, ""]) if jobs else ""
