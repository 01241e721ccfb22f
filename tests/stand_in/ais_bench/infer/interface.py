"""A stand-in for ais_bench's session, in the generation that ``STAND_IN_WHEEL`` names.

Only the number of inputs and their bytes are checked: what an array is made of is not. So a mistake there shows as a
wrong result, as on the NPU.
"""

import os
import re
import stat

import aclruntime
import numpy as np
from om_stand_in import STAND_IN, faults, setting

if "no-ais-bench" in faults():
    raise ModuleNotFoundError("No module named 'ais_bench'", name="ais_bench")

WHEEL = setting("WHEEL", "2025")
MODES = {"static", "dymbatch", "dymhw", "dymdims", "dymshape"}
ILLEGAL = "The path:{} is illegal: {}"


def check_path(path):
    """What later wheels demand of a file: they raise ValueError."""

    def refuse(why):
        raise ValueError(ILLEGAL.format(path, why))

    whole = os.path.abspath(path)
    if not re.fullmatch(r"[A-Za-z0-9\-._/]+", whole):
        refuse("it has an illegal char")
    if len(whole) > 4096 or len(os.path.basename(whole)) > 255:
        refuse("it is too long")
    if os.path.islink(path):
        refuse("it is a soft link")
    if not path.endswith(".om"):
        refuse("it does not end in .om")
    if not os.path.isfile(path):
        refuse("there is no such file")
    found = os.stat(path)
    if stat.S_IMODE(found.st_mode) & 0o022:
        refuse("it is group writable or others writable")
    if found.st_uid != os.getuid() and found.st_gid not in {os.getgid(), *os.getgroups()}:
        refuse("its owner is another user")


def _bytes_of(feed):
    """What the wheel copies: in 2023 an array's memory as it lies there, contiguous or not."""
    if not isinstance(feed, np.ndarray) or (WHEEL != "2025" and type(feed) is not np.ndarray):
        raise RuntimeError(f"type:{type(feed)} invalid")
    if WHEEL != "2023":
        return np.ascontiguousarray(feed).tobytes()
    return feed.tobytes(order="A")


class InferSession:
    STAND_IN = STAND_IN

    def __init__(self, device_id, model_path, acl_json_path=None, debug=False, loop=1):
        if type(device_id) is not int:
            raise TypeError("device_id must be int")
        if not 0 <= device_id <= 255:
            raise ValueError("device_id must be in [0, 255]")
        if type(model_path) is not str:
            raise TypeError("model_path must be str")
        if WHEEL != "2023":
            check_path(model_path)
        self.session = aclruntime.InferenceSession(model_path, device_id)
        self.device_id = device_id

    def _descriptions(self, of_inputs):
        model = self.session.model
        named = model.inputs if of_inputs else model.outputs
        kind = aclruntime.dtype.float32
        if not of_inputs and model.output_dtype == np.float16:
            kind = aclruntime.dtype.float16
        return [
            aclruntime.tensor_desc(name, shape, size, kind)
            for (name, shape), size in zip(named.items(), model.sizes(of_inputs))
        ]

    def get_inputs(self):
        return self._descriptions(True)

    def get_outputs(self):
        return self._descriptions(False)

    def infer(self, feeds, mode="static", custom_sizes=100000, out_array=True):
        if mode not in MODES:
            raise ValueError(f"wrong infer_mode:{mode}")
        if not isinstance(feeds, list if WHEEL == "2025" else (list, tuple)):
            raise ValueError("feeds must be a list")
        outputs = self.session.run([_bytes_of(feed) for feed in feeds])
        model = self.session.model
        return [
            np.frombuffer(data, model.output_dtype).reshape(shape).copy()
            for data, shape in zip(outputs, model.outputs.values())
        ]


class MemorySummary:
    @staticmethod
    def reset():
        for times in aclruntime.COPIES.values():
            times.clear()


if WHEEL == "2023":
    InferSession.sumary = lambda self: self.session.sumary()
    InferSession.reset_sumaryinfo = lambda self: self.session.times.clear()
    InferSession.finalize = lambda self: aclruntime.finalize()
    MemorySummary.get_H2D_time_list = staticmethod(lambda: list(aclruntime.COPIES["h2d"]))
    MemorySummary.get_D2H_time_list = staticmethod(lambda: list(aclruntime.COPIES["d2h"]))
else:
    InferSession.summary = lambda self: self.session.sumary()
    InferSession.reset_summaryinfo = lambda self: self.session.times.clear()
    InferSession.free_resource = lambda self: self.session.free()
    InferSession.finalize = staticmethod(aclruntime.finalize)
    MemorySummary.get_h2d_time_list = staticmethod(lambda: list(aclruntime.COPIES["h2d"]))
    MemorySummary.get_d2h_time_list = staticmethod(lambda: list(aclruntime.COPIES["d2h"]))
