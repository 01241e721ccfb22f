"""A compiled network: a ScriptModule of one operator, which only a process that imported the plug-in can load.

The operator carries the traced network as bytes and runs it on the CPU.
"""

import io
import json

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from . import STAND_IN, STATE, ContractError, DisciplineError, faults
from .device import LOAD, NpuTensor

MISMATCH = "MIE08E000001: ensure compile and inference use the same number, shape and type of inputs"


class TorchAieEmbedding(torch.nn.Module):
    def __init__(self, program: torch.Tensor, spec: str, stand_in: str):
        super().__init__()
        self.register_buffer("program", program)
        self.spec = spec
        self.stand_in = stand_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs = torch.ops.torch_aie.execute(x, self.program, self.spec)
        if len(outputs) == 0:
            raise RuntimeError(torch.ops.torch_aie.complaint(self.program))
        return outputs[0]


class TorchAieNested(TorchAieEmbedding):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor]]:
        outputs = torch.ops.torch_aie.execute(x, self.program, self.spec)
        if len(outputs) == 0:
            raise RuntimeError(torch.ops.torch_aie.complaint(self.program))
        return outputs[0], (outputs[1],)


class MindietorchEmbedding(TorchAieEmbedding):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs = torch.ops.mindietorch.execute(x, self.program, self.spec)
        if len(outputs) == 0:
            raise RuntimeError(torch.ops.mindietorch.complaint(self.program))
        return outputs[0]


class MindietorchNested(TorchAieEmbedding):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor]]:
        outputs = torch.ops.mindietorch.execute(x, self.program, self.spec)
        if len(outputs) == 0:
            raise RuntimeError(torch.ops.mindietorch.complaint(self.program))
        return outputs[0], (outputs[1],)


CLASSES = {
    "torch_aie": (TorchAieEmbedding, TorchAieNested),
    "mindietorch": (MindietorchEmbedding, MindietorchNested),
}


def build(module, spec, policy, require_full):
    """The compiled network."""
    with torch.no_grad():
        nested = not torch.is_tensor(module(torch.zeros(spec.shape)))
    if nested and require_full:
        raise RuntimeError("the last operator of the graph is a tuple, the whole graph cannot be compiled")
    stream = io.BytesIO()
    torch.jit.save(module, stream)
    program = torch.frombuffer(bytearray(stream.getvalue()), dtype=torch.uint8)
    facts = json.dumps({"shape": list(spec.shape), "policy": policy.name})
    return torch.jit.script(CLASSES[STATE.name][nested](program, facts, STAND_IN)).eval()


# TorchScript's interpreter loses the text of a Python error, but not of its own: the operator returns nothing, and the
# network raises what was the matter.
_COMPLAINTS = []


def complaint(program):
    """What was the matter when the operator returned nothing."""
    return _COMPLAINTS.pop()


def execute(x, program, spec):
    """Run a compiled network; a list of outputs, empty where there is something to complain of."""
    try:
        return _execute(x, program, json.loads(spec))
    except Exception as error:
        _COMPLAINTS.append(f"{type(error).__name__}: {error}")
        return []


class _Float16(TorchDispatchMode):
    """Rounds what every operator returns to float16, as a network that computes in float16 stores it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        outputs = func(*args, **(kwargs or {}))
        if any(returned.alias_info for returned in func._schema.returns):  # a view of what was rounded already
            return outputs
        for output in outputs if isinstance(outputs, (tuple, list)) else (outputs,):
            if torch.is_tensor(output) and output.dtype is torch.float32:
                output.copy_(output.half())
        return outputs


_NETWORKS = {}  # place of the program in memory to (program, network)


def _network(program, half):
    key = program.data_ptr(), half
    if key not in _NETWORKS:
        network = LOAD(io.BytesIO(program.numpy().tobytes())).eval()
        if half:
            for value in (*network.parameters(), *network.buffers()):
                if value.is_floating_point():
                    value.data.copy_(value.data.half())
        _NETWORKS[key] = program, network
    return _NETWORKS[key][1]


def _execute(x, program, spec):
    """Outputs on the device of ``x``; the last one on the CPU where the graph was compiled in part."""
    STATE.ready()
    if not isinstance(x, NpuTensor):
        raise ContractError("forward takes tensors on the NPU alone; this one is on the CPU")
    if list(x.shape) != spec["shape"] or x.dtype is not torch.float32:
        raise ContractError(f"{MISMATCH}: {list(x.shape)} {x.dtype}, compiled for {spec['shape']} torch.float32")
    if not STATE.streams:
        raise DisciplineError("forward runs outside a stream of one's own")
    STATE.batches += 1
    if "device-lost" in faults() and STATE.batches >= 3:
        raise RuntimeError("aclrtSynchronizeStream failed, error code 507018: device lost")
    half, stream = spec["policy"] == "FP16", STATE.streams[-1]
    values = x.data_on_device.half().float() if half else x.data_on_device
    with torch.no_grad(), torch.jit.optimized_execution(False), _Float16() if half else torch.no_grad():
        output = _network(program, half)(values)
    outputs = [output] if torch.is_tensor(output) else [output[0], output[1][0]]
    if "half-outputs" in faults():
        outputs = [value.half() for value in outputs]
    STATE.pending.add(stream)
    STATE.log("forward")
    on_device = [NpuTensor(value, x.device, stream) for value in outputs]
    return [*on_device[:-1], outputs[-1]] if "partial" in faults() else on_device
