"""Tell what an NPU engine's toolchain has and what is missing, from inside it; one line of JSON.

Run by the toolchain's own interpreter, after its environment scripts; npu_doctor.py prints the answer for people.
"""

from __future__ import annotations

import json

from asv import cli, engines
from asv.ascend import probe


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--plugin", required=True, help="torch_aie or mindietorch")
    parser.add_argument("--level", choices=("versions", "devices"), default="devices", help="how far to go")
    parser.add_argument("--soc", default="Ascend310P3", help="the chip that the configuration names")
    cli.add_devices(parser)
    options = parser.parse_args()
    adapter = engines.module(options.plugin).PLUGIN
    print(json.dumps(probe.look(adapter, options.level, options.soc, options.devices)))


if __name__ == "__main__":
    cli.run(main)
