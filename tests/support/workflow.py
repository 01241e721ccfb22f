"""Real runs of the workflow."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

from support.paths import REPO

from asv.snakefile import feature_sets
from asv.snakefile.config import check


def features_of(shard, **settings):
    """Folder of a shard's features, by the settings that they depend on (``features={"crops": 2}``)."""
    return f"work/features/{feature_sets.of_config(check(settings)).key}/{shard}"


class Workflow:
    """The project's Snakefile, run in a folder of its own, as a user would from another folder."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": ""}

    def command(self, *arguments):
        return [sys.executable, "-m", "snakemake", "--snakefile", str(REPO / "Snakefile"), "--cores", "2", *arguments]

    def start(self, *arguments, **options):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *arguments, fails=False):
        """Run to the end; returns the output."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=600)
        assert (process.returncode != 0) == fails, output
        return output

    def jobs(self, *arguments, dry=False):
        """Run; returns the jobs that ran, sorted: a rule's name, with its wildcards."""
        output = self.run(*arguments, *(["--dry-run"] if dry else []))
        return jobs_in(output)

    def configure(self, text):
        """Write ``config.yaml``, which is laid over the shipped one."""
        (self.folder / "config.yaml").write_text(text)


def jobs_in(output):
    """Jobs that Snakemake's output tells of, sorted, such as ``infer bs4 0-of-2``; target rules are left out."""
    found = []
    for block in re.split(r"\n\s*\n|\n(?=\[)", output):
        if match := re.search(r"^\s*(?:local)?rule (\w+):", block, re.M):
            wildcards = re.search(r"^\s*wildcards: (.*)$", block, re.M)
            values = dict(re.findall(r"(\w+)=([^,\s]+)", wildcards[1])) if wildcards else {}
            batch = [f"bs{values['batch']}"] if "batch" in values else []
            shard = [values["shard"]] if "shard" in values else []
            found.append(" ".join([match[1], *batch, *shard]))
    return sorted(job for job in found if job not in ("all", "all_eer"))


def digests(folder):
    """Digest of every file that the workflow makes of the data: features, embeddings, results that are current."""
    paths = [
        path
        for part in ("work/features", "work/embeddings", "results")
        for path in (folder / part).rglob("*")
        if path.is_file()
        and path.name != ".snakemake_timestamp"
        and "outdated" not in path.parts
        and not path.name.endswith(".run.json")  # where and when
    ]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
