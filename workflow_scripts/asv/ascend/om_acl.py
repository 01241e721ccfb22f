"""A compiled model through pyACL, the binding that CANN itself brings: buffers are made once and used again.

Calls return codes and raise nothing. Everything that is made is noted with the call that gives it back, and given back
in the opposite order, in the same context.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MODULE = "acl"
TO_DEVICE, FROM_DEVICE = 1, 2  # kinds of copies
HUGE_FIRST = 0  # how memory is taken
BYTES = 1  # NumPy's number of int8, for the earlier name of the conversion
FLOAT32 = 0  # ACL's number of the type


class AclError(RuntimeError):
    """A call of ACL's returned a code that is not 0."""


def start() -> Any:
    """Import it; whatever it raises is the caller's to explain."""
    return importlib.import_module(MODULE)


def _checked(what: str, code: int) -> None:
    if code:
        raise AclError(f"{what}: error {code}")


class Resources:
    """What was made, to be given back the last made first."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def later(self, what: str, call: Callable[..., Any], *arguments: Any) -> None:
        """Note a call that gives something back."""
        self._stack.callback(lambda: _checked(what, call(*arguments) or 0))

    def made(self, what: str, found: Any, give_back: Callable[..., Any]) -> Any:
        """A resource of a call that returns ``(resource, code)``, or the resource alone, 0 for none."""
        resource, code = found if isinstance(found, tuple) else (found, 0 if found else -1)
        _checked(what, code)
        self.later(f"giving back what {what} made", give_back, resource)
        return resource

    def begin(self, acl: Any) -> None:
        """``init``, which a process does once, as ``finalize``."""
        _checked("acl.init", acl.init())
        self.later("acl.finalize", acl.finalize)

    def context(self, acl: Any, device: int) -> Any:
        """A context of its own on a device."""
        _checked("acl.rt.set_device", acl.rt.set_device(device))
        self.later("acl.rt.reset_device", acl.rt.reset_device, device)
        return self.made("acl.rt.create_context", acl.rt.create_context(device), acl.rt.destroy_context)

    def close(self) -> None:
        """Give everything back; what fails keeps nothing else from being given back, and is raised at the end."""
        self._stack.close()


def try_device(acl: Any, device: int) -> None:
    """Take memory of a device and give it back; :class:`AclError` where that fails. ``init`` was called."""
    held = Resources()
    with contextlib.closing(held):
        held.context(acl, device)
        held.made("acl.rt.malloc", acl.rt.malloc(4, HUGE_FIRST), acl.rt.free)


class Model:
    """A model on a device, in a context of its own."""

    def __init__(self, path: Path, device: int) -> None:
        self._acl = acl = start()
        self._held = Resources()
        self._made = self._held.made
        self.stand_in: str | None = getattr(acl, "STAND_IN", None)
        try:
            self._held.begin(acl)
            self._context = self._held.context(acl, device)
            self._load(acl, path)
        except BaseException:
            # What went wrong first is what is told.
            with contextlib.suppress(Exception):
                self.close()
            raise

    def _load(self, acl: Any, path: Path) -> None:
        mdl = acl.mdl
        self._model = self._made("acl.mdl.load_from_file", mdl.load_from_file(str(path)), mdl.unload)
        description = self._made("acl.mdl.create_desc", mdl.create_desc(), mdl.destroy_desc)
        _checked("acl.mdl.get_desc", mdl.get_desc(description, self._model))
        self.inputs, self._given, given = self._buffers("input", description)
        self.outputs, self._taken, taken = self._buffers("output", description)
        self._datasets = given, taken
        for index in range(len(self.outputs)):
            if mdl.get_output_data_type(description, index) != FLOAT32:
                raise AclError(f"output {index} of the model is not float32")
        # Where the embeddings arrive.
        self._host = self._made("acl.rt.malloc_host", acl.rt.malloc_host(self.outputs[0][2]), acl.rt.free_host)

    def _buffers(self, kind: str, description: Any) -> tuple[list[tuple[str, list[int], int]], list[int], Any]:
        """Names, shapes and bytes of all inputs or outputs; their memory on the device; and the set of both."""
        acl, mdl = self._acl, self._acl.mdl
        dataset = self._made("acl.mdl.create_dataset", mdl.create_dataset(), mdl.destroy_dataset)
        found, pointers = [], []
        for index in range(getattr(mdl, f"get_num_{kind}s")(description)):
            size = getattr(mdl, f"get_{kind}_size_by_index")(description, index)
            dimensions, code = getattr(mdl, f"get_{kind}_dims")(description, index)
            _checked(f"acl.mdl.get_{kind}_dims", code)
            pointer = self._made("acl.rt.malloc", acl.rt.malloc(size, HUGE_FIRST), acl.rt.free)
            buffer = self._made(
                "acl.create_data_buffer", acl.create_data_buffer(pointer, size), acl.destroy_data_buffer
            )
            _, code = mdl.add_dataset_buffer(dataset, buffer)
            _checked("acl.mdl.add_dataset_buffer", code)
            found.append((dimensions["name"], list(dimensions["dims"]), size))
            pointers.append(pointer)
        return found, pointers, dataset

    def run(self, batch: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
        """The first output, and the parts of the time, in seconds."""
        acl, rt = self._acl, self._acl.rt
        _checked("acl.rt.set_context", rt.set_context(self._context))  # of this thread, whichever it is
        started = time.perf_counter()
        # The pointer is good as long as the object: it has a name until the copy is done.
        owner: Any = batch.tobytes() if hasattr(acl.util, "bytes_to_ptr") else batch
        pointer = acl.util.bytes_to_ptr(owner) if isinstance(owner, bytes) else acl.util.numpy_to_ptr(owner)
        size = self.inputs[0][2]
        _checked("acl.rt.memcpy to the device", rt.memcpy(self._given[0], size, pointer, batch.nbytes, TO_DEVICE))
        del owner
        copied = time.perf_counter()
        _checked("acl.mdl.execute", acl.mdl.execute(self._model, *self._datasets))  # it waits for the device
        computed = time.perf_counter()
        _, shape, size = self.outputs[0]
        _checked("acl.rt.memcpy to the host", rt.memcpy(self._host, size, self._taken[0], size, FROM_DEVICE))
        if hasattr(acl.util, "ptr_to_bytes"):
            values = np.frombuffer(acl.util.ptr_to_bytes(self._host, size), np.float32)
        else:
            values = acl.util.ptr_to_numpy(self._host, (size,), BYTES).view(np.float32)
        output = values.reshape(shape).copy()  # the memory is used again
        ended = time.perf_counter()
        return output, {
            "to_device": copied - started,
            "compute": computed - copied,
            "from_device": ended - computed,
        }

    def close(self) -> None:
        """Give everything back, the last made first; nothing of this process may use the device afterwards."""
        self._held.close()
