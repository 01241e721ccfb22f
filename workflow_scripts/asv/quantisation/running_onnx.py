"""What a quantised network runs in under ONNX Runtime, by the graph that it has made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..network.brought import protobuf

# Operations with weights after optimisation: in integers, and in float.
INTEGERS = ("QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "ConvInteger")
FLOATS = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul")
# Fields of ONNX's ModelProto, GraphProto and NodeProto, by number.
GRAPH, NODE, OPERATION = 7, 1, 4


def _operations(model: bytes) -> Iterator[str]:
    for graph in protobuf.fields(model):
        if graph.number == GRAPH:
            for node in protobuf.fields(graph.view):
                if node.number == NODE:
                    yield from (field.text for field in protobuf.fields(node.view) if field.number == OPERATION)


def told(optimised: Path) -> tuple[str, str]:
    """The precision that runs, and a sentence on the layers.

    Args:
        optimised: what ONNX Runtime has written of the graph that it runs.
    """
    found = Counter(_operations(optimised.read_bytes()))
    kernels = {kind: found[kind] for kind in INTEGERS if found[kind]}
    count, total = sum(kernels.values()), sum(found[kind] for kind in (*INTEGERS, *FLOATS))
    if not count:
        return "f32", f"none of {total} layers in int8, all in f32"
    named = ", ".join(f"{count} by {kind}" for kind, count in sorted(kernels.items()))
    return "int8", f"{count} of {total} layers in int8 ({named}), the rest in f32"
