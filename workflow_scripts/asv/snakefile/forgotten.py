"""A call that names no configuration where the results are of one: ``--configfile`` was forgotten, perhaps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import inputs, outdated

if TYPE_CHECKING:
    from .internals import Snakemake


def _answers() -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Answers in the working folder, those that were set aside left out."""
    top = Path(outdated.RESULTS)
    for path in (*sorted(top.glob("eer_bs*.json")), *sorted(top.glob("*/eer_bs*.json"))):
        if path.parent.name == outdated.OUTDATED:
            continue
        try:
            answer = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(answer, dict) and isinstance(answer.get("dataset"), dict):
            yield path, answer


def warning(snakemake: Snakemake, config: Mapping[str, Any], own_file: bool) -> str | None:
    """What to say before the demo is made in the place of an experiment; None where nothing is to be said.

    Args:
        snakemake: :class:`asv.snakefile.internals.Snakemake`.
        config: the configuration.
        own_file: whether the working folder's ``config.yaml`` is used.
    """
    named = own_file or snakemake.is_configured_module or snakemake.configfiles or snakemake.config_arguments
    if named or not inputs.is_demo(config):
        return None
    for path, answer in _answers():
        if not answer["dataset"].get("demo"):
            root = ", ".join(map(str, answer["dataset"].get("root", [])))
            return (
                "WARNING: no configuration is named (no --configfile, no --config, no config.yaml in this folder), so "
                f"this call is of the demo; but {path} is of {root}. Stop it with Ctrl-C if --configfile was "
                "forgotten; else give the demo a folder of its own (--directory). Results that it replaces go to "
                "results/outdated/."
            )
    return None
