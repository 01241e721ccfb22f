"""Keys: what the jobs of a run rest on, taken from Snakemake's graph of them.

The key of a job is a digest of its rule's command, its params, the names of its inputs, the keys of the jobs that make
them, and stamps of the inputs that no job makes. So it changes with whatever the job rests on, however far up, and
comes back with it. Two things follow from it:

- Each rule has the digest of what lies above it as a param, which Snakemake compares with the last run's: it sees what
  changed even where the job in between failed, or was made for another target.
- A job whose outputs exist without a receipt of its key (:mod:`asv.receipts`) is forced, whatever Snakemake's own
  records say of it.

Only Snakemake's main process computes keys; the processes that it starts for jobs have no need of them. What is used of
Snakemake's inside is used here and in ``rules/common.smk``, and was tried with 9.27: ``workflow.dag`` (``jobs``,
``dependencies``, ``forcefiles``), ``rule.expand_params`` and ``workflow.persistence``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from . import files, receipts, runs

PREFIX = "made from "  # of the param, so that Snakemake's reason for a rerun can be read
SMALL = 16 << 20  # bytes up to which the content of an input that no job makes counts; above, its size and time


def _digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()[:16]


def _name(job):
    return runs.name(job.rule.name, job.wildcards_dict)


def stamp(path):
    """What tells one state of an input that no job makes from another: older counts as much as newer.

    Of a file of up to :data:`SMALL` bytes its content, so that a copy or a touch changes nothing; of a larger one its
    size and time. Its folder does not count: in a moved checkout nothing is stale.
    """
    path = Path(path)
    try:
        status = path.stat()
        content = files.digest(path) if status.st_size <= SMALL and path.is_file() else status.st_mtime_ns
        return [path.name, status.st_size, content]
    except OSError as error:
        return [path.name, error.strerror]


class Keys:
    """Keys of the jobs of one run.

    Args:
        workflow: Snakemake's.
        when_known: called once, with this object, when the graph is there and before anything is judged.
    """

    def __init__(self, workflow, when_known=lambda keys: None):
        self._workflow, self._when_known = workflow, when_known
        self._functions = []  # that :meth:`param` made
        self._jobs, self._names, self._above, self._keys, self._stamps = None, None, {}, {}, {}

    def param(self):
        """A params function, one for each rule: the digest of all that lies above the job, in words."""

        def key(wildcards):
            if not self._workflow.is_main_process:
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
        for job in self._workflow.dag.jobs:
            for function in ours & set(map(id, job.rule.params)):
                found[function, tuple(sorted(job.wildcards))] = job
        return found

    def job_name(self, wildcards, output):
        """A params function, shared by the rules: what the job's script is called with as ``--job``."""
        if self._names is None:
            self._names = {str(path): _name(job) for job in self._workflow.dag.jobs for path in job.output}
        return self._names[str(output[0])]

    def _made(self, job):
        """Inputs of a job that jobs make: path to the job."""
        dependencies = self._workflow.dag.dependencies[job]
        return {str(path): maker for maker, paths in dependencies.items() for path in paths}

    def _digest_above(self, job):
        made = self._made(job)
        others = sorted({str(path) for path in job.input} - made.keys())
        self._stamps.update({path: stamp(path) for path in others if path not in self._stamps})
        return _digest(
            sorted((path, self.of(maker)) for path, maker in made.items()), [self._stamps[path] for path in others]
        )

    def of(self, job):
        """The key of a job, 16 hexadecimal digits."""
        if job not in self._keys:
            params = job.rule.expand_params(job.wildcards_dict, job.input, job.output, job)[1]
            self._keys[job] = _digest(_name(job), job.rule.shellcmd, [*map(repr, params)], self._digest_above(job))
        return self._keys[job]

    def _judge(self, job):
        """Force a job whose existing outputs do not have its receipt, where Snakemake would see no reason to run it."""
        key, persistence = self.of(job), self._workflow.persistence
        strangers = [str(path) for path in job.output if os.path.exists(path) and not receipts.fits(path, key)]
        if not strangers:
            return
        seen = persistence.has_metadata(job) and (
            bool(persistence.params_changed(job))
            or any(persistence.code_changed(job))
            or any(persistence.input_changed(job))
        )
        if not seen:
            print(f"{strangers[0]}: no receipt that it was made for this configuration; made again", file=sys.stderr)
        if not seen or not {"CODE", "INPUT", "PARAMS"} <= {trigger.name for trigger in self._workflow.rerun_triggers}:
            self._workflow.dag.forcefiles.update(job.output)

    def announcement(self):
        """What scripts must know of their jobs: name to key, inputs with their keys, outputs."""
        ours = set(self._jobs.values())
        return {
            _name(job): {
                "key": self.of(job),
                "inputs": {path: self.of(maker) for path, maker in self._made(job).items() if maker in ours},
                "outputs": [str(path) for path in job.output],
            }
            for job in ours
        }
