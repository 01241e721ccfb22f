"""A stand-in for Huawei's torch_aie: runs on the CPU and enforces the plug-in's contract. For tests alone."""

from ascend_stand_in import start

start("torch_aie")

from ascend_stand_in import STAND_IN  # noqa: E402, F401
from ascend_stand_in.contract import Input, PrecisionPolicy, TensorFormat, compile, dtype  # noqa: E402, F401
from ascend_stand_in.device import finalize, npu, set_device  # noqa: E402, F401
