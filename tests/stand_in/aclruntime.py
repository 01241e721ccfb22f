"""A stand-in for the binding below ais_bench: types, and the session of one file."""

import enum
import time

import numpy as np
from om_stand_in import DisciplineError, faults, setting
from om_stand_in.device import STATE, DeviceError, Model, begin, close_device, open_device, require_process

if "no-cann" in faults():
    raise ImportError("libascendcl.so: cannot open shared object file: No such file or directory")
dtype = enum.Enum("dtype", "float32 int8 int32 uint8 int16 uint16 uint32 int64 float64 bool float16", start=0)
COPIES = {"h2d": [], "d2h": []}  # milliseconds, of all sessions of the process
SESSIONS = []  # that hold a model


class tensor_desc:  # noqa: N801  (its name)
    def __init__(self, name, shape, size, kind):
        self.name, self.shape, self.size, self.realsize = name, list(shape), size, size
        self.datatype, self.format = kind, 2


class Summary:
    def __init__(self, times):
        self.exec_time_list = list(times)  # a copy of all of it


class InferenceSession:
    """One file on one device."""

    def __init__(self, path, device):
        require_process()
        if STATE.finalized:
            raise RuntimeError("[3][ACL: runtime failure] ")
        try:
            if not STATE.initialised:
                open_device(device)
        except DeviceError as error:
            print(f"[ERROR] acl open device {device} failed: {error.code}: {error}")
            raise RuntimeError(f"[3][ACL: runtime failure] {error.code}") from None
        begin()
        STATE.initialised = True
        try:
            self.model = Model(path)
        except DeviceError as error:
            print(f"[ERROR] load model from file failed: {error.code}: {error}")
            raise RuntimeError("[1][ACL: invalid parameter] ") from None
        self.times, self._zero, self._inside = [], time.perf_counter(), False
        SESSIONS.append(self)
        STATE.log("load")

    def run(self, buffers):
        """Bytes of outputs, of bytes of inputs; only how many there are is checked."""
        if self.model is None:
            raise RuntimeError("[3][ACL: runtime failure] ")
        require_process()
        if self._inside:
            raise DisciplineError("two threads in one session")
        if len(buffers) != len(self.model.inputs):
            raise RuntimeError("[3][ACL: runtime failure] ")
        names = list(self.model.inputs)
        for index, (data, needed) in enumerate(zip(buffers, self.model.sizes(True))):
            if len(data) != needed:
                print(f"[ERROR] check i:{index} name:{names[index]} in size:{len(data)} needsize:{needed} not match")
                raise RuntimeError("[-1][ACL: general failure] ")
        self._inside = True
        try:
            copied = _timed("h2d", lambda: [bytes(data) for data in buffers])
            started = time.perf_counter()
            try:
                outputs = self.model.run(copied)
            except DeviceError as error:
                print(f"[ERROR] execute failed: {error.code}: {error}")
                raise RuntimeError("[3][ACL: runtime failure] ") from None
            ended = time.perf_counter()
            self.times.append(_time_entry(started - self._zero, ended - self._zero))
            return _timed("d2h", lambda: [bytes(data) for data in outputs])
        finally:
            self._inside = False

    def free(self):
        if self.model is None:
            raise DisciplineError("free_resource() twice")
        self.model = None
        SESSIONS.remove(self)
        STATE.log("free")

    def sumary(self):
        return Summary(self.times)


def _timed(kind, copy):
    started = time.perf_counter()
    found = copy()
    COPIES[kind].append(1e3 * (time.perf_counter() - started))
    return found


def _time_entry(started, ended):
    """Milliseconds: a number, or in later wheels two of float32 since the session began."""
    if setting("WHEEL", "2025") == "2023":
        return 1e3 * (ended - started)
    return np.float32(1e3 * started), np.float32(1e3 * ended)


def finalize():
    """Give everything back: once, the last of all."""
    if STATE.finalized:
        raise RuntimeError("[3][ACL: runtime failure] 100037")
    STATE.leaks += ["session"] * len(SESSIONS) if setting("WHEEL", "2025") != "2023" else []
    STATE.finalized = True
    STATE.log("finalize")
    try:
        close_device()
    except DeviceError as error:
        raise RuntimeError(f"[3][ACL: runtime failure] {error.code}") from None
