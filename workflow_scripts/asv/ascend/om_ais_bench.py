"""A compiled model through ais_bench's ``InferSession``, in any generation of it: its version is always 0.0.2.

What a wheel offers is asked of it, never read off its version.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MODULE = "ais_bench.infer.interface"


def start() -> Any:
    """Import it; whatever it raises is the caller's to explain."""
    return importlib.import_module(MODULE)


def first(owner: Any, *names: str) -> Any:
    """The first attribute that an object has of some, the newer name before the older; None where it has none."""
    return next((getattr(owner, name) for name in names if hasattr(owner, name)), None)


class Model:
    """A model on a device."""

    def __init__(self, path: Path, device: int) -> None:
        module = start()
        self._session = module.InferSession(device, str(path))
        memory = getattr(module, "MemorySummary", None)
        self._copies = (
            first(memory, "get_h2d_time_list", "get_H2D_time_list"),
            first(memory, "get_d2h_time_list", "get_D2H_time_list"),
        )
        self._forget_copies = first(memory, "reset")
        self._summary = first(self._session, "summary", "sumary")
        self._forget_times = first(self._session, "reset_summaryinfo", "reset_sumaryinfo")
        self.stand_in: str | None = getattr(module.InferSession, "STAND_IN", None)
        self.inputs = _sizes(self._session.get_inputs())
        self.outputs = _sizes(self._session.get_outputs())

    def run(self, batch: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
        """The first output, and the parts of the time, in seconds: empty where this wheel does not tell them."""
        for forget in (self._forget_copies, self._forget_times):
            if forget is not None:
                forget()
        outputs = self._session.infer([batch])  # a list: later wheels take no tuple
        return outputs[0], self._parts()

    def _parts(self) -> dict[str, float]:
        to_device, from_device = self._copies
        if None in (to_device, from_device, self._summary, self._forget_copies, self._forget_times):
            return {}
        # Milliseconds, or in later wheels pairs of begin and end, float32 since the session began.
        times = [entry if _is_number(entry) else entry[1] - entry[0] for entry in self._summary().exec_time_list]
        parts = {"to_device": sum(to_device()), "compute": sum(times), "from_device": sum(from_device())}
        return {name: float(milliseconds) / 1e3 for name, milliseconds in parts.items()}

    def close(self) -> None:
        """Free the model, then give the device back; nothing of this process may use it afterwards."""
        session, self._session = self._session, None
        self._summary = self._forget_times = None
        if session is None:
            return
        free = first(session, "free_resource")  # the earliest wheels free with the process
        try:
            if free is not None:
                free()
        finally:
            session.finalize()  # of the class in later wheels, of the session in earlier ones


def _is_number(entry: Any) -> bool:
    return not hasattr(entry, "__len__")


def _sizes(described: Any) -> list[tuple[str, list[int], int]]:
    """Name, shape and bytes of each input or output."""
    return [(entry.name, list(entry.shape), entry.size) for entry in described]
