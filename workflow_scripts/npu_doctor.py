"""Print the whole picture of NPU engines' toolchains: what is there, what is missing, and the remedy.

Exit code 1 if something is missing.
"""

from __future__ import annotations

import sys

from asv import cli
from asv.ascend import toolchain

NOT_ANSWERED = "not known: the interpreter was not asked or did not answer"


def picture(name, settings, python, answer):
    """Lines for a person."""
    facts, problems = answer["facts"], answer["problems"]
    versions = facts.get("versions", {})
    devices = facts.get("devices", {})
    chips = facts.get("chips")
    rows = {
        "interpreter": f"{facts.get('interpreter', settings['python'] or python)}"
        + ("" if settings["python"] else f" (Snakemake's own; engines.{name}.python chooses another)"),
        "environment": ", ".join(settings["env_scripts"]) or f"nothing sourced (engines.{name}.env_scripts)",
        "variables": ", ".join(f"{key}={value}" for key, value in facts.get("variables", {}).items())
        or "none of CANN's",
        "versions": ", ".join(f"{key} {value or 'missing'}" for key, value in versions.items()) or NOT_ANSWERED,
        "plug-in": facts.get("module") or NOT_ANSWERED,
        "npu-smi": "cannot be run" if chips is None else f"{len(chips)} chips: {', '.join(chips)}",
        "device files": ", ".join(facts.get("device_files", [])) or "no /dev/davinci*",
        "devices": ", ".join(f"{device} {state}" for device, state in devices.items()) or NOT_ANSWERED,
        "SoC": f"{settings['soc_version']} (engines.{name}.soc_version)",
    }
    yield f"{name}: {'ready' if not problems else f'{len(problems)} problem' + 's' * (len(problems) > 1)}"
    yield from (f"  {key:<13} {value}" for key, value in rows.items())
    if facts.get("stand_in"):
        yield f"  STAND-IN: {facts['stand_in']}"
    yield from (f"  WARNING: {warning}" for warning in facts.get("warnings", []))
    yield from (f"  MISSING: {problem}" for problem in problems)


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--engines", type=cli.json_object, required=True, help="name to its settings in config.yaml")
    parser.add_argument("--python", default=sys.executable, help="interpreter where the settings name none")
    options = parser.parse_args()
    missing = False
    for name, settings in options.engines.items():
        answer = toolchain.ask(name, settings, options.python, "devices")
        print("\n".join(picture(name, settings, options.python, answer)))
        missing |= bool(answer["problems"])
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    cli.run(main)
