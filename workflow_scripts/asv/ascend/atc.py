"""CANN's model converter ``atc``: its command line, its run in a folder of its own, and what it leaves there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..engine_interface import Job
from ..errors import InputError
from . import om_explain, om_file

INPUT = "mel"  # of the exported network
NETWORK, STEM = "network.onnx", "compiled"
PRECISIONS = ("fp16", "mixed_float16", "cube_fp16in_fp32out")  # atc's own words
DEFAULTS: Mapping[str, Any] = {
    "soc_version": "Ascend310P3",
    "op_select_implmode": "high_performance",
    "optypelist_for_implmode": [],
    "keep_dtype": [],
    "buffer_optimize": "l2_optimize",
    "op_compiler_cache_mode": "disable",
    "deterministic": False,
    "mdl_bank_path": None,
    "op_bank_path": None,
    "host_env_cpu": None,
}
WORKERS = 32  # that TE_PARALLEL_COMPILER may name at most
SECONDS = 60  # that a question to atc may take


class Compiled(NamedTuple):
    """What atc made, and what it said."""

    path: Path
    output: str


def option_faults(options: Mapping[str, Any]) -> Iterator[str]:
    """Options that exclude each other, and paths that atc refuses; messages."""
    chosen, place = {**DEFAULTS, **options}, "engines.ascend_om"
    if chosen["mdl_bank_path"] and chosen["buffer_optimize"] == "off_optimize":
        yield f"{place}.mdl_bank_path: atc refuses it with buffer_optimize: off_optimize; leave one out"
    if chosen["optypelist_for_implmode"] and chosen["op_select_implmode"].endswith("_for_all"):
        yield (
            f"{place}.optypelist_for_implmode: {chosen['op_select_implmode']} is for all operators; leave the list "
            f"out, or write op_select_implmode: {chosen['op_select_implmode'].replace('_for_all', '')}"
        )
    for name in ("mdl_bank_path", "op_bank_path"):
        if chosen[name] and not om_file.PLAIN.fullmatch(os.path.abspath(chosen[name])):
            yield f"{place}.{name}: {chosen[name]!r}: atc takes no paths but of A-Z a-z 0-9 - . _ /; rename it"


def command(job: Job, folder: Path) -> list[str]:
    """Words of the command line, for a network in ``folder`` and an output there.

    Of the options those are left out that have atc's own defaults: an old atc that does not know one refuses it.
    """
    chosen = {**DEFAULTS, **job.options}
    shape = ",".join(str(size) for size in job.batch_shape)
    words = [
        "atc",
        "--framework=5",
        f"--model={folder / NETWORK}",
        f"--output={folder / STEM}",
        "--input_format=ND",
        f"--input_shape={INPUT}:{shape}",
        f"--soc_version={chosen['soc_version']}",
        f"--precision_mode_v2={job.precision}",
        "--log=error",
    ]
    for name in ("op_select_implmode", "buffer_optimize", "op_compiler_cache_mode"):
        needed = name == "op_select_implmode" and chosen["optypelist_for_implmode"]
        if chosen[name] != DEFAULTS[name] or needed:
            words.append(f"--{name}={chosen[name]}")
    if chosen["optypelist_for_implmode"]:
        words.append(f"--optypelist_for_implmode={','.join(chosen['optypelist_for_implmode'])}")
    if chosen["keep_dtype"]:
        (folder / "keep_dtype.cfg").write_text("".join(f"{name}\n" for name in chosen["keep_dtype"]))
        words.append(f"--keep_dtype={folder / 'keep_dtype.cfg'}")
    if chosen["deterministic"]:
        words.append("--deterministic=1")
    if chosen["host_env_cpu"]:
        words += ["--host_env_os=linux", f"--host_env_cpu={chosen['host_env_cpu']}"]
    words += [f"--{name}={os.path.abspath(chosen[name])}" for name in ("mdl_bank_path", "op_bank_path") if chosen[name]]
    return words


def _environment(threads: int) -> dict[str, str]:
    """Without a tuning bank that happens to be set: it would change the result, and no record would tell."""
    found = {name: value for name, value in os.environ.items() if name != "TUNE_BANK_PATH"}
    found["TE_PARALLEL_COMPILER"] = str(min(threads, WORKERS))
    return found


def run(job: Job, folder: Path) -> Compiled:
    """Convert ``folder / NETWORK``; all that atc writes stays in ``folder``, which must be the job's own.

    Raises:
        InputError: with atc's own words and a remedy, where it fails or does not leave exactly one whole file.
    """
    if faults := [*option_faults(job.options), *om_file.path_faults(folder / f"{STEM}.om")]:
        raise InputError("\n  ".join(faults))
    words = command(job, folder)
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=_environment(job.threads),
            umask=0o077,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # nearly all is said on stdout
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise om_explain.no_atc(error) from error
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise om_explain.atc_failed(done.returncode, done.stdout, job.options.get("soc_version", ""))
    return Compiled(_only_file(folder, done.stdout), done.stdout)


def _only_file(folder: Path, output: str) -> Path:
    """The one file under a name that atc gives: with the system's name where code for the host is in it."""
    found = sorted([*folder.glob(f"{STEM}.om"), *folder.glob(f"{STEM}_linux_*.om")])
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "no .om file"
        raise InputError(
            f"ascend_om: atc ended without an error and left {names} where one file was expected; its last words: "
            f"{om_explain.last_line(output)}"
        )
    if problem := om_file.header_fault(found[0]):
        raise InputError(f"ascend_om: atc ended without an error, but left {problem}; is the disk full? Run it again")
    return found[0]


def ask(*words: str) -> tuple[int, str]:
    """Exit status and words of a question to atc, such as ``--help``; 127 where it cannot be run."""
    try:
        done = subprocess.run(
            ["atc", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except FileNotFoundError:
        return 127, "atc: command not found"
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, str(error)
    return done.returncode, done.stdout


def version_in(path: Path) -> str | None:
    """Version of the atc that made a file, as it tells of the file; None where it does not."""
    status, said = ask("--mode=6", f"--om={path}")
    match = re.search(r"atc_version\W+([\w.]+)", said)
    return match[1] if status == 0 and match else None


def stand_in(output: str) -> str | None:
    """What a stand-in in atc's place says of itself, or None."""
    match = re.search(r"^STAND-IN: (.+)$", output, re.MULTILINE)
    return match[1] if match else None
