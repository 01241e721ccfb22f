"""The picture of an NPU engine's toolchain, for a person: what is there, what is missing, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import toolchain

NOT_ANSWERED = "not known: the interpreter was not asked or did not answer"


def picture(name: str, settings: Mapping[str, Any], python: str) -> tuple[list[str], bool]:
    """Ask a toolchain what it has; returns lines for a person, and whether the engine is ready.

    Args:
        name: of the engine.
        settings: of the engine, those of ``engines.<name>``.
        python: the interpreter, where the settings name none.
    """
    answer = toolchain.ask(name, settings, python, "devices")
    return list(lines(name, settings, python, answer)), not answer["problems"]


def lines(name: str, settings: Mapping[str, Any], python: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """The picture of an answer of :func:`asv.ascend.toolchain.ask`."""
    facts, problems = answer["facts"], answer["problems"]
    yield f"{name}: {'ready' if not problems else f'{len(problems)} problem' + 's' * (len(problems) > 1)}"
    rows = {**_configured(name, settings, python, facts), **_found(facts)}
    yield from (f"  {key:<13} {value}" for key, value in rows.items())
    yield f"  {'SoC':<13} {settings['soc_version']} (engines.{name}.soc_version)"
    if facts.get("stand_in"):
        yield f"  STAND-IN: {facts['stand_in']}"
    yield from (f"  WARNING: {warning}" for warning in facts.get("warnings", []))
    yield from (f"  MISSING: {problem}" for problem in problems)


def _configured(name: str, settings: Mapping[str, Any], python: str, facts: Mapping[str, Any]) -> dict[str, str]:
    chosen = "" if settings["python"] else f" (Snakemake's own; engines.{name}.python chooses another)"
    return {
        "interpreter": f"{facts.get('interpreter', settings['python'] or python)}{chosen}",
        "environment": ", ".join(settings["env_scripts"]) or f"nothing sourced (engines.{name}.env_scripts)",
    }


def _found(facts: Mapping[str, Any]) -> dict[str, str]:
    chips = facts.get("chips")
    variables = (f"{key}={value}" for key, value in facts.get("variables", {}).items())
    versions = (f"{key} {value or 'missing'}" for key, value in facts.get("versions", {}).items())
    devices = (f"{device} {state}" for device, state in facts.get("devices", {}).items())
    compiler = {"atc": facts["atc"]} if "atc" in facts else {}
    return {
        "variables": ", ".join(variables) or "none of CANN's",
        "versions": ", ".join(versions) or NOT_ANSWERED,
        **compiler,
        "plug-in": facts.get("module") or NOT_ANSWERED,
        "npu-smi": "cannot be run" if chips is None else f"{len(chips)} chips: {', '.join(chips)}",
        "device files": ", ".join(facts.get("device_files", [])) or "no /dev/davinci*",
        "devices": ", ".join(devices) or NOT_ANSWERED,
    }
