"""Tell what an NPU engine's toolchain has and what is missing, from inside it; one line of JSON.

Run by the toolchain's own interpreter, after its environment scripts; npu_doctor.py prints the answer for people.
"""

from __future__ import annotations

import json

from asv import cli, engines
from asv.ascend import om_probe, probe
from asv.ascend.plugin import Plugin


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--plugin", required=True, help="name of the engine, such as torch_aie")
    parser.add_argument(
        "--level", choices=("versions", "compile", "run", "devices"), default="devices", help="how far to go"
    )
    parser.add_argument("--soc", default="Ascend310P3", help="the chip that the configuration names")
    parser.add_argument("--backend", default="auto", help="interface to the device, of an engine that has several")
    cli.add_devices(parser)
    options = parser.parse_args()
    adapter = engines.module(options.plugin).PLUGIN
    if isinstance(adapter, Plugin):
        answer = probe.look(adapter, options.level, options.soc, options.devices)
    else:
        answer = om_probe.look(options.level, options.soc, options.devices, options.backend)
    print(json.dumps(answer))


if __name__ == "__main__":
    cli.run(main)
