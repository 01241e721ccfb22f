"""Devices, streams, and tensors on a device: PyTorch's device for others (PrivateUse1), under its name ``npu``."""

import contextlib
import time
import types

import torch

from . import STATE, ContractError, DisciplineError, faults

CLOCK, LOAD, TO = time.perf_counter, torch.jit.load, torch.Tensor.to
_LIBRARIES = []  # registrations end with these objects


def devices():
    import os

    return int(os.environ.get("STAND_IN_DEVICES", "2"))


class NpuTensor(torch.Tensor):
    """A tensor that can only be copied to the CPU, and asked for its shape, dtype and device."""

    @staticmethod
    def __new__(cls, data, device, stream=None):
        made = torch.Tensor._make_wrapper_subclass(
            cls, data.shape, strides=data.stride(), dtype=data.dtype, device=device
        )
        made.data_on_device, made.stream = data, stream
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # results are what __torch_dispatch__ makes them

    def __repr__(self):
        raise ContractError("a tensor on the NPU cannot be printed; copy it to the CPU")

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        aten, kwargs = torch.ops.aten, kwargs or {}
        if func is aten.detach.default:
            return NpuTensor(args[0].data_on_device, args[0].device, args[0].stream)
        if func is aten._to_copy.default and torch.device(kwargs.get("device", "npu:0")).type == "cpu":
            return _from_device(args[0])
        if func._schema.name.endswith("::execute"):
            from . import program

            return program.execute(*args)
        raise ContractError(f"a tensor on the NPU offers no {func}; copy it to the CPU")


def _from_device(tensor):
    STATE.ready()
    if tensor.stream in STATE.pending:
        raise DisciplineError("a result was copied before its stream was synchronised")
    STATE.log("to_cpu")
    return tensor.data_on_device.clone()


def _to(tensor, *args, **kwargs):
    """``Tensor.to`` that knows the NPU. (In torch 2.0 no operator written in Python may make such a tensor.)"""
    place = kwargs.get("device", args[0] if args else None)
    if not isinstance(place, (str, torch.device)) or torch.device(place).type != "npu" or isinstance(tensor, NpuTensor):
        return TO(tensor, *args, **kwargs)
    STATE.ready()
    device = torch.device(place)
    if device.index not in (None, STATE.device):
        raise ContractError(f"a tensor goes to {device}, but set_device({STATE.device}) was called")
    if not tensor.is_contiguous():
        raise DisciplineError("a tensor that is not contiguous goes to the NPU")
    STATE.log("to_npu")
    return NpuTensor(tensor.detach().clone(), torch.device("npu", STATE.device))


def set_device(device):
    STATE.alive()
    if type(device) is not int or not 0 <= device <= 1024:
        raise ContractError(f"set_device: {device!r} is no device")
    if "device-absent" in faults() or device >= devices():
        raise RuntimeError(f"aclrtSetDevice failed: device {device} does not exist, error code 107001")
    if "device-busy" in faults():
        raise RuntimeError(f"aclrtSetDevice failed: device {device} is occupied, error code 507033")
    STATE.device = device
    STATE.log("set_device")


def finalize():
    STATE.alive()
    STATE.log("finalize")
    if "device-lost" in faults() and STATE.batches >= 3:
        raise RuntimeError("aclrtResetDevice failed, error code is 507018")
    STATE.finalized = True


class Stream:
    """A queue of work on a device."""

    def __init__(self, device=None, stream_id=0):
        STATE.ready()
        place = torch.device(f"npu:{STATE.device}" if device is None else device)
        if place.type != "npu" or place.index != STATE.device:
            raise ContractError(f"Stream on {place}, but set_device({STATE.device}) was called")
        self._device, self._id = place, stream_id

    def device(self):
        return self._device

    def id(self):
        return self._id

    def synchronize(self):
        STATE.ready()
        STATE.pending.discard(self)
        STATE.log("synchronize")


@contextlib.contextmanager
def stream(chosen):
    """Work started inside goes to the stream."""
    if not isinstance(chosen, Stream):
        raise ContractError(f"stream takes a Stream, not {type(chosen).__name__}")
    STATE.streams.append(chosen)
    try:
        yield
    finally:
        STATE.streams.pop()


npu = types.SimpleNamespace(Stream=Stream, stream=stream, default_stream=lambda device=None: Stream(device))


def _clock():
    if STATE.pending:
        raise DisciplineError("the clock was read before the stream was synchronised")
    return CLOCK()


def _load(*args, **kwargs):
    STATE.ready()
    return LOAD(*args, **kwargs)


def install():
    """Give PyTorch the device, and watch the clock, torch.jit.load and copies to the device."""
    time.perf_counter, torch.jit.load, torch.Tensor.to = _clock, _load, _to
    if _LIBRARIES:
        return
    torch.utils.rename_privateuse1_backend("npu")
    if hasattr(torch, "accelerator"):  # later versions of torch ask every accelerator whether it is there
        module = types.ModuleType("torch.npu")
        module.is_available = lambda: False
        torch._register_device_module("npu", module)
    if torch.__version__.startswith("2.0."):  # later ones pass over autograd for this device by themselves
        passed_over = torch._C._dispatch_library("IMPL", "_", "AutogradPrivateUse1", __file__, 1)
        passed_over.fallback_fallthrough()
        _LIBRARIES.append(passed_over)
    from . import program

    for name in ("torch_aie", "mindietorch"):  # the operator that a compiled network consists of
        library = torch.library.Library(name, "DEF")
        library.define("execute(Tensor input, Tensor program, str spec) -> Tensor[]")
        library.impl("execute", program.execute, "CPU")
        library.define("complaint(Tensor program) -> str")
        library.impl("complaint", program.complaint, "CPU")
        _LIBRARIES.append(library)


def uninstall():
    """Leave all that as it was; for tests that share a process."""
    time.perf_counter, torch.jit.load, torch.Tensor.to = CLOCK, LOAD, TO
