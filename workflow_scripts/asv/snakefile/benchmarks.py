"""Which engines and batch sizes are measured, and why others are not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import cpus, engines
from . import networks, npus, reasons

if TYPE_CHECKING:
    from .inputs import Config
    from .internals import Snakemake

    WhyNot = Callable[[str], str | None]


def unsupported(config: Config, label: str, snakemake: Snakemake, python: str) -> str | None:
    """Why this machine cannot run an engine and precision, or None.

    Args:
        config: the configuration.
        label: such as ``openvino-bf16``.
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
        python: the interpreter of NPU engines whose settings name none.
    """
    name, _ = engines.parse(label)
    if why := engines.foreign(name, networks.suffix(config)):
        return why
    if not engines.is_npu(name):
        return engines.unsupported(label)
    # The devices are elsewhere, or the environment is.
    if snakemake.uses_conda or snakemake.was_sent_here or not snakemake.runs_jobs_here:
        return None
    return npus.problem(name, config["engines"][name], python)


def measured_on(snakemake: Snakemake, threads: int | None) -> reasons.Reason:
    """Processor and threads of a measurement, as a param: with others it must be repeated.

    On a cluster the main process does not know the processor of a job's host; then the threads alone count.
    """
    if snakemake.was_sent_here or not snakemake.runs_jobs_here:
        return reasons.Reason("machine", f"elsewhere, {threads} threads")
    usable = cpus.usable()
    return reasons.Reason("machine", f"{cpus.processor()[0]}, {min(threads or usable, usable)} threads")


def pairs(
    config: Config, why_not: WhyNot, reference: bool = True, batches: Sequence[int] | None = None
) -> list[tuple[str, int]]:
    """Engines to be measured, with batch sizes.

    Args:
        config: the configuration.
        why_not: a function of a label such as ``openvino-bf16``: why it cannot run, or None.
        reference: whether the reference is one of them.
        batches: batch sizes; all of the configuration's by default.
    """
    labels = [label for label in config["benchmark"]["engines"] if not why_not(label)]
    wanted = [label for label in labels if reference or label != networks.reference(config)]
    return list(itertools.product(wanted, batches or config["batch_sizes"]))


def rows(config: Config, why_not: WhyNot) -> list[str]:
    """Rows of the table, such as ``openvino-bf16:4``."""
    return [f"{label}:{batch}" for label, batch in pairs(config, why_not)]


def unsupported_rows(config: Config, why_not: WhyNot) -> list[str]:
    """Rows of what cannot run here, such as ``openvino-bf16:4:this CPU offers FP32``."""
    every = itertools.product(config["benchmark"]["engines"], config["batch_sizes"])
    return [f"{label}:{batch}:{why_not(label)}" for label, batch in every if why_not(label)]
