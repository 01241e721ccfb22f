"""What the configuration says of NPU engines: their devices, the place where their jobs run, what they are asked."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping

from .. import engines
from ..ascend import toolchain
from ..errors import InputError
from . import options
from .inputs import Config

# Of the versions in a toolchain, what a compiler that needs no device depends on.
COMPILER = ("CANN",)
COMPILING = "compile_engine"  # the stage


@functools.cache
def names() -> list[str]:
    """Engines that run on an NPU."""
    return [name for name in engines.names() if engines.is_npu(name)]


def device_count(config: Config) -> int:
    """How many different devices the settings of all NPU engines name."""
    return len({device for name in names() for device in config["engines"][name]["devices"]})


def devices_of_job(config: Config, label: str) -> int:
    """Devices that a job of an engine takes: 1 on an NPU, else 0."""
    return int("devices" in options.engine_settings(config, label))


def benchmark_threads(config: Config, label: str, cores: int) -> int:
    """Threads of a benchmark: all cores, so that nothing runs beside it, or an equal share of them for each device."""
    return max(1, cores // len(options.engine_settings(config, label).get("devices", [0])))


def command(config: Config, label: str, python: str) -> str:
    """Shell words that end in the interpreter of an engine, which is ``python`` where its settings name none."""
    settings = options.engine_settings(config, label)
    return toolchain.command(settings.get("python") or python, settings.get("env_scripts", []))


def used(config: Config) -> str:
    """Settings of the NPU engines that the configuration uses, or of all where it uses none, by name; JSON."""
    asked = {config["engine"], *(engines.parse(label)[0] for label in config["benchmark"]["engines"])}
    found = [name for name in names() if name in asked] or names()
    return json.dumps({name: config["engines"][name] for name in found})


def is_unknown(settings: Config, uses_conda: bool) -> bool:
    """Whether an engine's interpreter is one that Snakemake has still to make, by conda."""
    return uses_conda and not settings["python"]


def versions(name: str, settings: Config, python: str) -> dict[str, str]:
    """Versions in the toolchain of an NPU engine.

    Raises:
        InputError: where the toolchain does not tell.
    """
    answer = toolchain.ask(name, settings, python, "versions")
    if answer["problems"]:
        raise InputError("\n".join(answer["problems"]))
    return answer["facts"]["versions"]


def problem(name: str, settings: Config, python: str) -> str | None:
    """Why the devices of an NPU engine cannot be used from here, a line; None where they can."""
    problems = toolchain.ask(name, settings, python, "devices")["problems"]
    return problems[0].splitlines()[0] if problems else None


def level(name: str, stages: Iterable[str]) -> str:
    """How far an engine's toolchain must be tried for the stages of its jobs: :func:`asv.ascend.toolchain.ask`."""
    compiles = COMPILING in stages
    if engines.compiles_on_device(name) or (compiles and len(set(stages)) > 1):
        return "devices"
    return "compile" if compiles else "run"


def require(config: Config, stages: Mapping[str, Iterable[str]], python: str, uses_conda: bool) -> None:
    """Try the toolchains and devices of the engines whose jobs are to run on this machine.

    Args:
        config: the configuration.
        stages: engine and precision, such as ``torch_aie-fp16``, to the stages that load it.
        python: the interpreter of engines whose settings name none.
        uses_conda: whether Snakemake makes the environments.

    Raises:
        InputError: that lists all that is missing.
    """
    found: dict[str, set[str]] = {}
    for label, of_label in stages.items():
        found.setdefault(engines.parse(label)[0], set()).update(of_label)
    for name in sorted(found):
        settings = config["engines"].get(name, {})
        if "devices" in settings and not is_unknown(settings, uses_conda):
            toolchain.require(name, settings, python, level(name, found[name]))
