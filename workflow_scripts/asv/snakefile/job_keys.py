"""Keys: what the jobs of a run rest on, taken from Snakemake's graph of them.

The key of a job is a digest of its rule's command, its params, the names of its inputs, the keys of the jobs that make
them, and stamps of the inputs that no job makes. So it changes with whatever the job rests on, however far up, and
comes back with it. Two things follow from it:

- Each rule has the digest of what lies above it as a param, which Snakemake compares with the last run's: it sees what
  changed even where the job in between failed, or was made for another target.
- A job whose outputs exist without a receipt of its key (:mod:`asv.receipts`) is forced, whatever Snakemake's own
  records say of it.

Only Snakemake's main process computes keys; a process that it starts for a cluster's job reads the configuration again,
and compares what it is about to do with what the run's announcement says.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import code, receipts, runs, stamps
from ..errors import InputError

if TYPE_CHECKING:
    from snakemake.iocontainers import OutputFiles, Wildcards
    from snakemake.jobs import Job

    from .internals import Snakemake

SHOWN = 3  # files without a receipt that are named
PREFIX = "made from "  # of the param, so that Snakemake's reason for a rerun can be read


def _digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:16]


def _name(job):
    return runs.name(job.rule.name, job.wildcards_dict)


class Keys:
    """Keys of the jobs of one run.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
        when_known: called once, with this object, when the graph is there and before anything is judged.
        settings: the configuration, which a process for a cluster's job reads again.
    """

    def __init__(
        self,
        snakemake: Snakemake,
        when_known: Callable[[Keys], object] = lambda keys: None,
        settings: object = None,
    ) -> None:
        self._snakemake, self._when_known, self._settings = snakemake, when_known, _digest(settings)
        # Before anybody looks at what the code is.
        self._code = stamps.of_code() if snakemake.is_main_process else {}
        code.remember(runs.announced_code())
        self._functions: list[Callable[[Wildcards], str]] = []  # that :meth:`param` made
        self._unproved = 0
        self._jobs: dict[tuple[int, tuple[str, ...]], Job] = None  # type: ignore[assignment]  # until it is known
        self._by_output: dict[str, Job] | None = None
        self._above: dict[Job, str] = {}
        self._keys: dict[Job, str] = {}
        self._stamps: dict[str, list[str | int | None]] = {}

    def param(self) -> Callable[[Wildcards], str]:
        """A params function, one for each rule: the digest of all that lies above the job, in words."""

        def key(wildcards: Wildcards) -> str:
            if not self._snakemake.is_main_process:
                return ""
            if self._jobs is None:
                self._jobs = self._by_function_and_wildcards()
                self._when_known(self)
            job = self._jobs[id(key), tuple(sorted(wildcards))]
            if job not in self._above:
                self._above[job] = PREFIX + self._digest_above(job)
                self._judge(job)
            return self._above[job]

        self._functions.append(key)
        return key

    def _by_function_and_wildcards(self):
        """Jobs by what identifies them to a params function, which is its rule's alone whatever the rule is called."""
        ours = set(map(id, self._functions))
        found = {}
        for job in self._snakemake.jobs:
            for function in ours & set(map(id, job.rule.params)):
                found[function, tuple(sorted(job.wildcards))] = job
        return found

    def job_name(self, wildcards: Wildcards, output: OutputFiles) -> str:
        """A params function, shared by the rules: what the job's script is called with as ``--job``.

        Raises:
            InputError: in a process for a cluster's job, where it has read another configuration than the run's.
        """
        if self._by_output is None:
            self._by_output = {str(path): job for job in self._snakemake.jobs for path in job.output}
        job = self._by_output[str(output[0])]
        name = _name(job)
        if not self._snakemake.is_main_process:
            facts = runs.announced(name)
            if facts is not None and facts["asked"] != self._asked(job):
                raise InputError(
                    f"{name}: the configuration, the workflow or the data set was changed after the run had begun; "
                    "give the same command again"
                )
        return name

    def _asked(self, job):
        """Digest of what a job is asked to do, the same in the main process and in one for the job."""
        return _digest(self._settings, job.rule.shellcmd, sorted(map(str, job.input)))

    def _made(self, job):
        """Inputs of a job that jobs make: path to the job."""
        dependencies = self._snakemake.makers(job)
        return {str(path): maker for maker, paths in dependencies.items() for path in paths}

    def _digest_above(self, job):
        made = self._made(job)
        others = [str(path) for path in job.input if str(path) not in made]
        self._stamps.update({path: stamps.of(path) for path in others if path not in self._stamps})
        # In the order and under the names that the rule's command has them: two lists that change places are a change.
        named = [
            (name, [self._stamps.get(str(path)) for path in ([value] if isinstance(value, str) else value)])
            for name, value in job.input.items()
        ]
        return _digest(
            sorted((path, self.of(maker)) for path, maker in made.items()),
            [self._stamps[path] for path in others],
            named,
        )

    def of(self, job: Job) -> str:
        """The key of a job, 16 hexadecimal digits."""
        if job not in self._keys:
            params = self._snakemake.params(job)
            self._keys[job] = _digest(_name(job), job.rule.shellcmd, [*map(repr, params)], self._digest_above(job))
        return self._keys[job]

    def _strangers(self, job):
        """Existing outputs of a job that do not have its receipt."""
        key = self.of(job)
        return [str(path) for path in job.output if os.path.exists(path) and not receipts.fits(path, key)]

    def require_current(self) -> None:
        """Raise InputError where an existing file of the graph is not of the present configuration and inputs."""
        if strangers := sorted(path for job in set(self._jobs.values()) for path in self._strangers(job)):
            raise InputError(
                f"{strangers[0]} was not made with the present configuration, inputs and code, nor were "
                f"{len(strangers) - 1} other files; make the targets first, then their report"
            )

    def _judge(self, job):
        """Force a job whose existing outputs do not have its receipt, where Snakemake would see no reason to run it."""
        strangers = self._strangers(job)
        if not strangers:
            return
        seen = self._snakemake.sees_a_change(job)
        if not seen:
            self._say_unproved(strangers[0])
        if not seen or not self._snakemake.sees_all_changes:
            self._snakemake.force(job)

    def _say_unproved(self, path):
        self._unproved += 1
        if self._unproved <= SHOWN:
            print(f"{path}: no receipt that it was made for this configuration; it is made again", file=sys.stderr)
        elif self._unproved == SHOWN + 1:
            print("Neither have others, which are made again, too.", file=sys.stderr)

    def announcement(self) -> dict[str, Any]:
        """What scripts must know: stamps of the code, and of the jobs, by name, what :class:`asv.runs.Job` checks."""
        ours = set(self._jobs.values())
        jobs = {_name(job): self._facts(job, ours) for job in ours}
        # Their params have asked for the code that counts; reading all the rest would take a third of a second.
        known = code.known()
        modules = {
            name: known[name] if name in known and known[name].content == stamp else (stamp, None, None)
            for name, stamp in self._code.items()
        }
        return {"code": modules, "jobs": jobs}

    def _facts(self, job, ours):
        key, made = self.of(job), self._made(job)
        return {
            "key": key,
            "asked": self._asked(job),
            "inputs": {path: self.of(maker) for path, maker in made.items() if maker in ours},
            "stamps": {path: self._stamps[path] for path in sorted({str(path) for path in job.input} - made.keys())},
            "wavs": job.params.get("stamp"),  # of files that are no inputs
            "outputs": [str(path) for path in job.output],
        }
