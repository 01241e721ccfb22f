"""Print the whole picture of NPU engines' toolchains: what is there, what is missing, and the remedy.

Exit code 1 if something is missing.
"""

from __future__ import annotations

import sys

from asv import cli
from asv.ascend import doctor


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--engines", type=cli.json_object, required=True, help="name to its settings in config.yaml")
    parser.add_argument("--python", default=sys.executable, help="interpreter where the settings name none")
    options = parser.parse_args()
    all_ready = True
    for name, settings in options.engines.items():
        lines, ready = doctor.picture(name, settings, options.python)
        print("\n".join(lines))
        all_ready &= ready
    sys.exit(0 if all_ready else 1)


if __name__ == "__main__":
    cli.run(main)
