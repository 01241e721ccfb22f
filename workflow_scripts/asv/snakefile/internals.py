"""The parts of Snakemake that its documentation does not promise; all that the workflow uses of them is here.

Tried with Snakemake 9.27. After an upgrade this is the file to look at: nothing else, in the rules or in the core,
reaches into ``workflow`` for more than ``cores`` and ``current_basedir``.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow


DEFAULT_RATE = (100, 1)  # jobs, seconds: of --max-jobs-per-timespan


class Snakemake:
    """Snakemake's ``workflow``, as far as it is used. What depends on the graph of jobs is there only after parsing."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    # How it was called

    @property
    def is_main_process(self) -> bool:
        """False in a process that Snakemake starts for a single job, as on a cluster."""
        return self._workflow.is_main_process

    @property
    def is_configured_module(self) -> bool:
        """Whether the workflow is imported as a module with ``config:``, and so reads no file of settings."""
        return self._workflow.modifier.skip_configfile

    @property
    def is_main_snakefile(self) -> bool:
        """False where another workflow imports this one as a module."""
        return self._workflow.modifier.is_main_snakefile()

    @property
    def configfiles(self) -> list[Path]:
        """Files given by ``--configfile``."""
        return list(self._workflow.config_settings.configfiles)

    @property
    def config_arguments(self) -> dict[str, Any]:
        """Settings given by ``--config``."""
        return dict(self._workflow.config_settings.config)

    @property
    def uses_conda(self) -> bool:
        """Whether ``--sdm conda`` was given."""
        return any(str(method) == "conda" for method in self._workflow.deployment_settings.deployment_method)

    @property
    def makes_nothing(self) -> bool:
        """Whether this is a dry run, a report or a summary."""
        return self._workflow.executor_plugin is None or self._workflow.dryrun

    @property
    def makes_report(self) -> bool:
        """Whether ``--report`` was given, which Snakemake says nowhere else."""
        return any(word.partition("=")[0] == "--report" for word in sys.argv)

    @property
    def runs_jobs_here(self) -> bool:
        """Whether jobs run on this machine, not through a cluster's scheduler."""
        return self._workflow.local_exec

    @property
    def was_sent_here(self) -> bool:
        """Whether this process was started for a cluster's job."""
        return self._workflow.remote_exec

    @property
    def only_touches(self) -> bool:
        """Whether ``--touch`` was given."""
        return self._workflow.touch

    @property
    def is_quiet(self) -> bool:
        """Whether ``--quiet`` was given for progress or for everything, as it is without a value."""
        return any(part.name in ("ALL", "PROGRESS") for part in self._workflow.output_settings.quiet or ())

    @property
    def asked_for(self) -> set[str]:
        """Paths of the outputs of the call's targets; of a target that has none, of its inputs."""
        return {str(path) for job in self._workflow.dag.targetjobs for path in job.output or job.input}

    @property
    def made(self) -> set[str]:
        """Paths of the outputs of the jobs that this run has finished."""
        return {str(path) for job in self._workflow.dag.finished_jobs for path in job.output}

    @property
    def allowed_rules(self) -> Set[str]:
        """Rules named by ``--allowed-rules``."""
        return self._workflow.dag_settings.allowed_rules

    @property
    def cores(self) -> int | None:
        """The number of cores; None where it was not given, as for a dry run."""
        return self._workflow.cores

    @property
    def sees_all_changes(self) -> bool:
        """Whether code, inputs and params are all among the rerun triggers."""
        return {"CODE", "INPUT", "PARAMS"} <= {trigger.name for trigger in self._workflow.rerun_triggers}

    def set_default_resource(self, name: str, value: int) -> None:
        """Limit a resource for the whole run, unless ``--resources`` does."""
        if name not in self._workflow.global_resources:
            self._workflow.register_resource(name, value)

    def lift_default_rate_limit(self) -> None:
        """Start jobs without a limit per second, unless another than Snakemake's own was set. Called before the first.

        With a limit Snakemake starts a timer after each look for jobs, and looks again when it ends, which starts
        another: after n jobs it looks n times a second, which takes a core sooner or later.
        """
        settings = self._workflow.scheduling_settings
        limit = settings.max_jobs_per_timespan
        if limit is not None and (limit.max_jobs, limit.timespan) == DEFAULT_RATE:
            settings.max_jobs_per_timespan = None

    # Its lock

    @property
    def is_locked(self) -> bool:
        """Whether a run, which may have been killed, left its lock on files of the graph.

        Snakemake's own ``locked`` looks at outputs of the jobs that are to run: not known yet when this is asked.
        """
        jobs = self._workflow.dag.jobs
        inputs, outputs = ({str(path) for job in jobs for path in getattr(job, kind)} for kind in ("input", "output"))
        locks = self._workflow.persistence._read_locks()
        return any(path in outputs or (kind == "output" and path in inputs) for kind, path in locks)

    def unlock(self) -> None:
        """Remove the locks, which takes away their whole folder, where Snakemake then looks for it."""
        self._workflow.persistence.unlock()
        (Path(self._workflow.persistence.path) / "locks").mkdir(exist_ok=True)

    # Its graph of jobs

    @property
    def jobs(self) -> Collection[Job]:
        """All jobs of the graph."""
        return self._workflow.dag.jobs

    def makers(self, job: Job) -> Mapping[Job, Set[str]]:
        """Jobs that make inputs of a job: job to paths."""
        return self._workflow.dag.dependencies[job]

    def jobs_to_run(self) -> list[Job]:
        """Jobs that this run will start, in the order of the data flow."""
        dag = self._workflow.dag
        stale = set(dag.bfs(dag.dependencies, *dag.targetjobs)) & set(dag.needrun_jobs())
        return [job for level in dag.toposorted(stale) for job in level]

    def force(self, job: Job) -> None:
        """Have a job run, whatever its record says."""
        self._workflow.dag.forcefiles.update(job.output)

    def sees_a_change(self, job: Job) -> bool:
        """Whether Snakemake's record of a job is there and differs in params, code or names of inputs."""
        records = self._workflow.persistence
        return records.has_metadata(job) and (
            bool(records.params_changed(job)) or any(records.code_changed(job)) or any(records.input_changed(job))
        )

    def params(self, job: Job) -> list[Any]:
        """A job's params, without those that are functions of its output."""
        return job.rule.expand_params(job.wildcards_dict, job.input, job.output, job)[1]
