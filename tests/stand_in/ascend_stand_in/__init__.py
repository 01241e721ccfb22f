"""What both stand-ins share: ``torch_aie`` and ``mindietorch`` beside this folder are its two names.

Networks run on the CPU. Two kinds of rules are enforced. ContractError: what the plug-in's guide documents, or what
every public script does. DisciplineError: what nobody documents as an error, but what is only presumed to work
otherwise, and what measurements need; this project holds itself to it. docs/npu.md lists both.

``STAND_IN_FAULTS``, an environment variable, makes it fail as the real one may (comma-separated): ``no-cann``,
``static-tls``, ``wrong-torch``: it cannot be loaded; ``device-absent``, ``device-busy``; ``compile``; ``device-lost``:
in the third batch, after which it cannot be given back, either; ``partial``: the graph was compiled in part, so its
last output is on the CPU; ``half-outputs``: outputs are float16. ``STAND_IN_DEVICES`` is how many devices there are
(2).
"""

import os
import sys

STAND_IN = "a stand-in that runs on the CPU made this, no NPU; its times and accuracy say nothing of one"


class ContractError(RuntimeError):
    """The caller broke a documented rule."""


class DisciplineError(RuntimeError):
    """The caller did what may well work, but what nothing promises."""


class State:
    """What the plug-in of this process knows."""

    def __init__(self):
        self.name = None
        self.reset()

    def reset(self):
        """Forget devices, streams and events; for tests that share a process."""
        self.device = None
        self.finalized = False
        self.streams = []  # entered, the innermost last
        self.pending = set()  # streams with work that was not waited for
        self.batches = 0
        self.events = []  # what happened, in order: a word each

    def log(self, event):
        self.events.append(event)

    def alive(self):
        if self.finalized:
            raise DisciplineError("used after finalize()")

    def ready(self):
        """Raise unless a device was chosen and not given back."""
        self.alive()
        if self.device is None:
            raise DisciplineError("used before set_device()")


STATE = State()


def faults():
    return set(filter(None, os.environ.get("STAND_IN_FAULTS", "").split(",")))


LOADING = {
    "no-cann": "libascendcl.so: cannot open shared object file: No such file or directory",
    "static-tls": "/opt/lib/libgomp-d22c30c5.so.1.0.0: cannot allocate memory in static TLS block",
    "wrong-torch": "/opt/torch_aie/lib/libtorch_aie.so: undefined symbol: _ZN3c106detail14torchCheckFailEPKcS2_jS2_",
}


def start(name):
    """Import under a name, as the plug-in's shared library would be loaded."""
    if "torch" not in sys.modules:
        raise ContractError(f"import torch before {name}")
    for fault in sorted(faults() & set(LOADING)):
        raise ImportError(LOADING[fault])
    from . import device

    STATE.name = name
    device.install()
