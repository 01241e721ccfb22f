"""What the stand-ins of the road through .om files share: ``bin/atc``, ``ais_bench`` with ``aclruntime``, and ``acl``.

Networks run on the CPU, by ONNX Runtime. Errors are those that the vendor's documents and sources name, with their
codes. DisciplineError is raised where the real thing would go on in silence, or worse: what measurements need, and what
nothing promises. docs/npu.md lists both.

Environment variables choose what is played:

``STAND_IN_FAULTS``: failures, separated by commas. ``atc-<code>``: the converter ends with this code. ``no-driver``: it
lacks the driver's library, unless devlib is on the path. ``killed``, ``nothing-written``, ``two-files``, ``truncated``,
``with-system`` (the name has one), ``open-to-all`` (the mode): what its name says. ``no-cann``, ``no-ais-bench``,
``no-acl``: a module that cannot be loaded. ``device-absent``, ``device-busy``, ``out-of-memory``, ``aicore``,
``part-of-a-card``: of the device; ``device-lost``: in the third batch, after which it cannot be given back, either.
``devlib``: stub libraries are in use. ``begun``: another has called init. ``other-opp``: the file's operators are of
another version. ``half-outputs``: outputs are float16.
``STAND_IN_WHEEL``: generation of ais_bench, ``2023``, ``2024`` (June to December) or ``2025``, the default.
``STAND_IN_ATC``: CANN's major version, whose error lines the converter writes: 7, 8 (default) or 9.
``STAND_IN_CANN``: version of the runtime (8.0.0). ``STAND_IN_SOC``: of the devices. ``STAND_IN_DEVICES``: how many.
``STAND_IN_LOCKS``: folder of locks that let one process at a time have a device.
"""

import os

STAND_IN = "a stand-in that runs on the CPU made this, no NPU; its times and accuracy say nothing of one"
BUILT_BY = "8.0.0"  # CANN's version that the converter writes into its files


class DisciplineError(RuntimeError):
    """The caller did what goes wrong in silence, or what nothing promises."""


def setting(name, default=""):
    return os.environ.get(f"STAND_IN_{name}", default)


def faults():
    return set(filter(None, setting("FAULTS").split(",")))


def number(version):
    """``8.0.0`` as a tuple."""
    return tuple(map(int, version.split(".")))
