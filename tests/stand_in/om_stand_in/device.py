"""What a process knows of its devices: loading and running files, for both of the interfaces."""

import fcntl
import os
from pathlib import Path

import numpy as np

from . import BUILT_BY, faults, number, om_file, setting
from .network import Network


class DeviceError(Exception):
    """A call fails with a code of ACL's."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class State:
    """Of this process."""

    def __init__(self):
        self.reset()

    def reset(self):
        """Forget everything; for tests that share a process."""
        self.batches = 0
        self.events = []  # what happened, in order: a word each
        self.leaks = []  # what was not given back before the end
        self.locks = []
        self.initialised = self.finalized = False
        self.process = None  # which process has initialised

    def log(self, event):
        self.events.append(event)


STATE = State()


def begin():
    STATE.process = os.getpid()


def require_process():
    """A process that was forked after the start of another has no device."""
    if STATE.process is not None and STATE.process != os.getpid():
        raise DeviceError(107002, "used in a process that was forked after init")


def open_device(device):
    """Choose a device; one process at a time may have it."""
    require_process()
    if "devlib" in faults():
        raise DeviceError(100039, "stub library in use")
    if "device-absent" in faults() or device >= int(setting("DEVICES", "2")):
        raise DeviceError(107001, f"invalid device id {device}")
    if "device-busy" in faults():
        raise DeviceError(507033, f"EL0003: open device {device} failed")
    if folder := setting("LOCKS"):
        handle = os.open(Path(folder, f"{device}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        STATE.locks.append(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DeviceError(507033, f"presumed: another process has device {device}") from None
    STATE.log("open")


def close_device():
    for handle in STATE.locks:
        os.close(handle)
    STATE.locks.clear()
    if "device-lost" in faults() and STATE.batches >= 3:
        raise DeviceError(507018, "the device cannot be reset")
    STATE.log("close")


class Model:
    """A file on a device."""

    def __init__(self, path):
        try:
            facts, content = om_file.read(path)
        except FileNotFoundError:
            raise DeviceError(145002, "no such file") from None
        except ValueError as error:
            raise DeviceError(100013, f"the file cannot be parsed: {error}") from error
        if "other-opp" in faults():
            raise DeviceError(500002, "E19999: the opp version of the model does not match")
        if facts["soc_version"] != setting("SOC", "Ascend310P3"):
            raise DeviceError(545001, f"the model was built for {facts['soc_version']}")
        if number(setting("CANN", BUILT_BY)) < number(facts["atc_version"]):
            raise DeviceError(100013, f"the model was built by CANN {facts['atc_version']}, which is newer")
        if "out-of-memory" in faults():
            raise DeviceError(207018, "out of memory")
        self.inputs = facts["inputs"]
        self.outputs = facts["outputs"]
        self._output_dtype = np.float16 if "half-outputs" in faults() else np.float32
        self._network = Network(facts, content)
        self.batches = 0

    @property
    def output_dtype(self):
        return np.dtype(self._output_dtype)

    def sizes(self, of_inputs):
        """Bytes of the inputs, or of the outputs."""
        if of_inputs:
            return [4 * int(np.prod(shape)) for shape in self.inputs.values()]
        return [self.output_dtype.itemsize * int(np.prod(shape)) for shape in self.outputs.values()]

    def run(self, buffers):
        """Bytes of the outputs, of bytes of the inputs: whatever these are meant to be."""
        STATE.batches += 1
        if "device-lost" in faults() and STATE.batches >= 3:
            raise DeviceError(507011, "model execute failed: the heartbeat of the device is lost")
        if "part-of-a-card" in faults():
            raise DeviceError(507009, "task type not supported")
        if "aicore" in faults():
            raise DeviceError(507015, "AICore exception")
        arrays = [np.frombuffer(data, np.float32).reshape(shape) for data, shape in zip(buffers, self.inputs.values())]
        STATE.log("execute")
        return [np.ascontiguousarray(output, self._output_dtype).tobytes() for output in self._network.run(arrays)]
