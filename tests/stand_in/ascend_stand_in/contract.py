"""The arguments of ``Input`` and ``compile``, checked; compiling itself is in ``program``."""

import enum
import re

import torch

from . import STATE, ContractError, DisciplineError, faults, program


class PrecisionPolicy(enum.Enum):
    PREF_FP32 = 0
    FP16 = 1
    FP32 = 2


dtype = enum.Enum(
    "dtype", "FLOAT FLOAT16 INT8 INT32 UINT8 INT16 UINT16 UINT32 INT64 UINT64 DOUBLE BOOL STRING UNKNOWN", start=0
)
TensorFormat = enum.Enum("TensorFormat", "ND NCHW", start=0)
TORCH_DTYPES = {torch.float32, torch.float16, torch.int32, torch.int64, torch.bool}


def _dimensions(shape, what):
    if not isinstance(shape, (tuple, list, torch.Size)):
        raise ContractError(f"Input: {what} must be a tuple or list, not {type(shape).__name__}")
    if len(shape) > 8:
        raise ContractError(f"Input: {what} has {len(shape)} dimensions, at most 8 are possible")
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ContractError(f"Input: {what} has {size!r}, which is no size")
    return tuple(shape)


class Input:
    """One input of a network: a static shape, or a range of them."""

    def __init__(self, *args, **kwargs):
        if len(args) > 1:
            raise ContractError(f"Input takes 1 positional argument, the shape, not {len(args)}")
        known = {"shape", "min_shape", "max_shape", "dtype", "format"} | (
            {"name"} if STATE.name == "mindietorch" else set()
        )
        if unknown := set(kwargs) - known:
            raise ContractError(f"Input: unknown {', '.join(sorted(unknown))}")
        if args and "shape" in kwargs:
            raise ContractError("Input: shape given twice")
        shape = args[0] if args else kwargs.get("shape")
        low, high = kwargs.get("min_shape"), kwargs.get("max_shape")
        if (low is None) != (high is None) or (shape is None) == (low is None):
            raise ContractError("Input: give shape, or min_shape and max_shape")
        self.shape = None if shape is None else _dimensions(shape, "shape")
        self.range = None if low is None else (_dimensions(low, "min_shape"), _dimensions(high, "max_shape"))
        if self.range and (len(low) != len(high) or any(a > b for a, b in zip(*self.range))):
            raise ContractError("Input: max_shape is less than min_shape")
        self.dtype = kwargs.get("dtype", dtype.FLOAT)
        if not isinstance(self.dtype, dtype) and self.dtype not in TORCH_DTYPES:
            raise ContractError(f"Input: dtype {self.dtype!r} is not possible")
        self.format = kwargs.get("format", TensorFormat.ND)
        if not isinstance(self.format, TensorFormat):
            raise ContractError(f"Input: format {self.format!r} is not a TensorFormat")


COMMON = {
    "inputs",
    "precision_policy",
    "truncate_long_and_double",
    "require_full_compilation",
    "allow_tensor_replace_int",
    "min_block_size",
    "torch_executed_ops",
    "soc_version",
    "optimization_level",
}
OWN = {"torch_aie": set(), "mindietorch": {"ir", "default_buffer_size_vec"}}
SOCS = {"Ascend310P3", "Ascend910B3", "Ascend910B4"}


def compile(module, **keywords):
    """Compile a ScriptModule for the shapes of ``inputs``; returns a ScriptModule."""
    STATE.ready()
    _check_types(module, keywords)
    if missing := COMMON - set(keywords):
        raise DisciplineError(f"compile: {', '.join(sorted(missing))} not given; defaults changed between versions")
    if STATE.name == "mindietorch" and "ir" not in keywords:
        raise DisciplineError("compile: ir not given")
    if keywords["soc_version"] not in SOCS:
        raise RuntimeError(f"soc_version {keywords['soc_version']} is not supported")
    if "compile" in faults():
        raise RuntimeError("Create infer builder failed, please check MindIE-RT log.")
    STATE.log("compile")
    [spec] = keywords["inputs"]
    if spec.shape is None:
        raise DisciplineError("compile: a range of shapes is slower than a static one")
    return program.build(module, spec, keywords["precision_policy"], keywords["require_full_compilation"])


def _check_types(module, keywords):
    if not isinstance(module, torch.jit.ScriptModule):
        raise ContractError(f"compile takes a ScriptModule, not {type(module).__name__}")
    if unknown := set(keywords) - COMMON - OWN[STATE.name]:
        raise ContractError(f"compile of {STATE.name}: unknown {', '.join(sorted(unknown))}")
    inputs = keywords.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(each, Input) for each in inputs):
        raise ContractError("compile: inputs must be a list of Input")
    wanted = {
        "precision_policy": lambda value: isinstance(value, PrecisionPolicy),
        "min_block_size": lambda value: type(value) is int and 0 <= value <= 1024,
        "optimization_level": lambda value: type(value) is int and value in (0, 1, 2),
        "soc_version": lambda value: isinstance(value, str) and bool(re.match("Ascend", value)),
        "torch_executed_ops": lambda value: isinstance(value, list) and all(isinstance(op, str) for op in value),
        "truncate_long_and_double": lambda value: isinstance(value, bool),
        "require_full_compilation": lambda value: isinstance(value, bool),
        "allow_tensor_replace_int": lambda value: isinstance(value, bool),
        "ir": lambda value: value in ("default", "torchscript", "ts", "dynamo"),
    }
    for name, good in wanted.items():
        if name in keywords and not good(keywords[name]):
            raise ContractError(f"compile: {name} cannot be {keywords[name]!r}")
