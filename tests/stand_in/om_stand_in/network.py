"""The network: what the converter checks of the ONNX model, and how the devices run it."""

import numpy as np
import onnx
from onnx import numpy_helper

from . import setting
from .options import RefusedError, shapes

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
NEWEST, OLDEST = 18, {"7": 9, "8": 9, "9": 11}
# Attributes of a convolution to the numbers that the operator takes.
BOUNDS = {"dilations": (1, 255), "pads": (0, 255), "strides": (1, 63), "kernel_shape": (1, 255)}


def _check_graph(model):
    (opset,) = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not OLDEST[setting("ATC", "8")] <= opset <= NEWEST:
        op = f"ai.onnx::{opset}::{model.graph.node[0].op_type}"
        if setting("ATC", "8") == "9":
            raise RefusedError("E16002", f"No ONNX parser is registered for optype [{op}].")
        raise RefusedError("E19010", f"No parser is registered for Op [{op}].")
    for node in model.graph.node:
        for attribute in node.attribute if node.op_type == "Conv" else ():
            if attribute.name == "auto_pad" and attribute.s not in (b"", b"NOTSET"):
                raise RefusedError("E14001", f"Argument auto_pad of Op [{node.name}] is ignored: presumed an error")
            low, high = BOUNDS.get(attribute.name, (None, None))
            if low is not None and not all(low <= value <= high for value in attribute.ints):
                raise RefusedError("E14001", f"Argument {attribute.name} of Op [{node.name}] is not in [{low}, {high}]")


def _input_shapes(model, found):
    """Shapes of the inputs in the graph's order, checked against it."""
    dynamic = "dynamic_batch_size" in found or "dynamic_dims" in found
    given = shapes(found.get("input_shape", ""), dynamic)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = {entry.name: entry.type.tensor_type for entry in model.graph.input if entry.name not in constants}
    if not inputs:
        raise RefusedError("E16001", "The model has no input node.")
    for name in given.keys() - inputs.keys():
        raise RefusedError("E10016", f"Opname [{name}] specified in [--input_shape] is not found in the model.")
    for name, kind in inputs.items():
        if kind.elem_type not in (FLOAT, HALF):
            raise RefusedError("E14001", f"Input [{name}] is neither float32 nor float16.")
        own = [axis.dim_value or None for axis in kind.shape.dim]
        if len(given.setdefault(name, own)) != len(own):
            raise RefusedError("E10049", f"Dimension count of [--input_shape] of [{name}] differs from the model's.")
        if any(size is None or size < 1 for size in given[name]):
            raise RefusedError("E10001", f"presumed: a dimension of [{name}] is dynamic; this stand-in has static ones")
        if any(size not in (None, wanted) for size, wanted in zip(own, given[name])):
            raise RefusedError("E19999", f"presumed: [{name}] is {own} in the model, and {given[name]} is asked for")
    return {name: given[name] for name in inputs}


def prepare(found):
    """What the file says of itself, and the ONNX model of the static shapes, as bytes."""
    if found["framework"] != "5":
        raise RefusedError("E19999", "this stand-in converts ONNX alone (--framework=5)")
    try:
        model = onnx.load(found["model"])
    except OSError as error:
        raise RefusedError("E13001", f"Failed to open file [{found['model']}]. Reason: {error.strerror}") from error
    except Exception as error:
        raise RefusedError("E10041", f"Failed to load the model file [{found['model']}].") from error
    _check_graph(model)
    names = _input_shapes(model, found)
    for entry in model.graph.input:
        for axis, size in zip(entry.type.tensor_type.shape.dim, names.get(entry.name, [])):
            axis.Clear()
            axis.dim_value = size
    for entry in (*model.graph.output, *model.graph.value_info):
        for axis in entry.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.Clear()
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    outputs = {
        f"{node}:{index}:{entry.name}": [axis.dim_value for axis in entry.type.tensor_type.shape.dim]
        for entry in model.graph.output
        for node, index in _maker(model, entry.name)
    }
    precision = found.get("precision_mode_v2") or {"force_fp32": "cube_fp16in_fp32out"}.get(
        found.get("precision_mode"), found.get("precision_mode", "fp16")
    )
    facts = {"inputs": names, "outputs": outputs, "soc_version": found["soc_version"], "precision": precision}
    facts["output_type"] = found.get("output_type", "FP32")
    return facts, model.SerializeToString()


def _maker(model, name):
    """Name of the node that makes a value, and which of its outputs that is."""
    return [
        (node.name or node.op_type, list(node.output).index(name)) for node in model.graph.node if name in node.output
    ]


def _rounded(values):
    """float32 of the numbers that float16 has; larger ones saturate."""
    bound = np.finfo(np.float16).max
    return np.clip(values, -bound, bound).astype(np.float16).astype(np.float32)


class Network:
    """The model of a file, on the CPU: inputs and outputs are lists of arrays in the file's order.

    Weights are rounded to float16 in every precision, since the matrix unit takes no others; inputs and outputs where
    the precision is fp16.
    """

    def __init__(self, facts, content):
        import onnxruntime

        model = onnx.load_from_string(content)
        for tensor in model.graph.initializer:
            if tensor.data_type == FLOAT:
                values = numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(_rounded(values), tensor.name))
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
        self._names = list(facts["inputs"])
        self._half = facts["precision"] == "fp16"

    def run(self, arrays):
        """Outputs, float32, of float32 inputs."""
        given = [_rounded(array) if self._half else array for array in arrays]
        outputs = self._session.run(None, dict(zip(self._names, given)))
        return [_rounded(output) if self._half else output for output in outputs]
