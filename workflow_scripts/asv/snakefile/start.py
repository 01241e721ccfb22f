"""The start of a run: the folder is claimed, old results are set aside, and what can fail at once does.

Functions raise ``InputError``. :class:`asv.snakefile.internals.Snakemake` is what they know of Snakemake.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import engines, runs
from ..dataset import tree
from ..errors import InputError
from ..network import archive, families
from . import networks, npus, outdated, preflight
from .feature_sets import FeatureSet
from .inputs import Config, Dataset

if TYPE_CHECKING:
    from snakemake.jobs import Job

    from .internals import Snakemake
    from .job_keys import Keys

ENGINE_STAGES = ("compile_engine", "infer", "benchmark_engine")  # those that load an engine
SCORING_STAGES = {"score", "tabulate_lengths"}  # those that read lists and cohort
FOLDERS = ("work", "results", "logs")


@dataclass(frozen=True)
class Before:
    """What was found before anything in the working folder was looked at.

    Attributes:
        folder: the working folder.
        run: :func:`asv.runs.state`.
    """

    folder: str
    run: dict[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What a run rests on.

    Attributes:
        config: the configuration.
        dataset: :class:`asv.snakefile.inputs.Dataset`.
        trials: files of the trial lists.
        cohort: file of the cohort in a list, which may be empty.
        archive: of the checkpoint.
        feature_sets: features that may be made, by their keys.
    """

    config: Config
    dataset: Dataset
    trials: list[str]
    cohort: list[str]
    archive: str
    feature_sets: Mapping[str, FeatureSet]


def before() -> Before:
    """Take down :class:`Before`."""
    return Before(os.getcwd(), runs.state())


def begin_run(snakemake: Snakemake, found: Before, graph: Keys) -> None:
    """Once the graph of jobs is known: claim the folder, and tell the scripts of their jobs.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
        found: :class:`Before`.
        graph: :class:`asv.snakefile.job_keys.Keys`.
    """
    if snakemake.makes_nothing:
        if snakemake.makes_report:
            graph.require_current()
        return
    if os.getcwd() != found.folder:
        raise InputError(
            f"workdir: was set after {found.folder} had been looked at; set it before the module statement"
        )
    if snakemake.allowed_rules:
        raise InputError(
            "--allowed-rules takes whatever lies there for current, whatever it was made from; leave it out, or use "
            "--until"
        )
    snakemake.lift_default_rate_limit()
    run = runs.claim(os.environ[runs.VARIABLE], found.run)
    # Snakemake's lock of another workflow that is at work in the same folder is left alone.
    if run.exclusive and "token" in found.run and snakemake.is_locked:
        print("An earlier run was killed; its lock on this folder is taken over.", file=sys.stderr)
        snakemake.unlock()
    run.announce(graph.announcement())


def stage(job: Job) -> str:
    """Name of a job's script: a module's rules may be called otherwise. Empty for an importer's own."""
    return Path(job.params.get("script", "")).stem


def set_outdated_results_aside(jobs: Sequence[Job]) -> None:
    """Results that are to be made anew go to results/outdated/, targets first."""
    if moved := outdated.move([str(path) for job in reversed(jobs) for path in job.output]):
        what = (
            f"{moved} results are to be made anew; the former ones are"
            if moved > 1
            else "1 result is to be made anew; the former one is"
        )
        print(f"{what} in results/outdated/.", file=sys.stderr)


def labels_to_run(jobs: Iterable[Job]) -> dict[str, set[str]]:
    """Engines and precisions, such as ``openvino-f32``, that jobs load, to the stages of these jobs."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        if stage(job) in ENGINE_STAGES:
            found.setdefault(job.wildcards.engine, set()).add(stage(job))
    return found


def require_engines(labels: Iterable[str]) -> None:
    """Engines and precisions that this machine must run, but for NPUs, whose toolchains are tried."""
    for label in labels:
        if not engines.is_npu(engines.parse(label)[0]) and (reason := engines.unsupported(label)):
            raise InputError(f"{label} cannot run here: {reason}")


def space_needed(jobs: Sequence[Job], inputs: Inputs, cores: int | None) -> dict[str, int]:
    """Bytes that features and embeddings will take beyond those that are there, by what they are."""

    def size(job):
        return len(inputs.dataset.utterances(job.wildcards.shard))

    new = {
        str(job.output.features): size(job) * inputs.feature_sets[job.wildcards.features].bytes_per_utterance
        for job in jobs
        if stage(job) == "extract_features"
    }
    # Deleted after use, they are there for a few shards at a time.
    largest = sorted(new.items(), key=lambda item: -item[1])[: cores or 1]
    kept = new if inputs.config["features"]["keep"] else dict(largest)
    embeddings = sum(size(job) * preflight.EMBEDDING_BYTES for job in jobs if stage(job) == "infer")
    there = sum(os.path.getsize(path) for path in kept if os.path.exists(path))
    return {"features": max(0, sum(kept.values()) - there), "embeddings": embeddings}


def check_inputs(jobs: Sequence[Job], made: Set[str], inputs: Inputs, cores: int | None) -> None:
    """What the configuration and the user's files can tell before the first job.

    Args:
        jobs: those that will run.
        made: paths that jobs of the graph make.
        inputs: :class:`Inputs`.
        cores: the number of cores, or None.
    """
    stages, config = set(map(stage, jobs)), inputs.config
    preflight.check_times(sorted({str(path) for job in jobs for path in job.input} - made))
    preflight.check_folders(FOLDERS)
    if "unzip_checkpoint" in stages and config["checkpoint"]["sha256"] and str(inputs.archive) not in made:
        archive.check_digest(inputs.archive, config["checkpoint"]["sha256"])
    family, local = config["network"]["family"], str(inputs.archive) not in made
    if "unzip_checkpoint" in stages and local and family not in families.BROUGHT:
        preflight.check_checkpoint(str(inputs.archive), family, config["checkpoint"]["weights"])
    if inputs.dataset.tree is None:
        return
    preflight.check_space(space_needed(jobs, inputs, cores))
    if stages & SCORING_STAGES and (inputs.trials or inputs.cohort):
        ids = [name for shard in inputs.dataset.shards for name in inputs.dataset.utterances(shard)]
        missing = config["scoring"]["on_missing_trial"]
        preflight.check_lists(inputs.trials, inputs.cohort[0] if inputs.cohort else None, ids, missing)


def start(snakemake: Snakemake, inputs: Inputs, python: str) -> None:
    """All of it, before the first job; under --touch, nothing is made.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
        inputs: :class:`Inputs`.
        python: the interpreter of NPU engines whose settings name none.
    """
    if snakemake.only_touches:
        return
    jobs = snakemake.jobs_to_run()
    set_outdated_results_aside(jobs)
    if inputs.dataset.tree is not None:
        print(tree.summary(inputs.dataset.tree), file=sys.stderr)
    if warning := networks.warning(inputs.config):
        print(warning, file=sys.stderr)
    made = {str(path) for job in snakemake.jobs for path in job.output}
    check_inputs(jobs, made, inputs, snakemake.cores)
    if snakemake.runs_jobs_here:
        labels = labels_to_run(jobs)
        npus.require(inputs.config, labels, python, snakemake.uses_conda)
        require_engines(labels)
