"""Convolutions whose outcome is split are made several, one for each part: then nothing is copied.

A wide Res2 block is a convolution, what is done to each of its channels, and a split into chunks. OpenVINO computes all
of it, and copies the chunks. An output channel of a convolution depends on no other, so the network stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

CHANNELS = 1  # axis
# Channels of a part. Parts of 512, modelzoo's at C = 512, gain 5 to 20 % of the network's time; of 128 and 64, as of
# SpeechBrain's network at C = 1024 and 512, nothing.
NARROWEST = 256
EACH_CHANNEL = ("Relu", "Add", "Multiply", "Subtract")  # the last three with a constant


def split_convolutions(model: Any) -> int:
    """Rewrite a model in place, wherever wide parts of a convolution's outcome are used one by one.

    Args:
        model: OpenVINO's, float32, of features ``(batch, mels, frames)``.

    Returns:
        How many convolutions were split.
    """
    count = 0
    for operation in model.get_ordered_ops():
        chain = _chain(operation) if operation.get_type_name() in ("Split", "VariadicSplit") else None
        if chain is None:
            continue
        widths = [output.get_partial_shape()[CHANNELS].get_length() for output in operation.outputs()]
        if min(widths) < NARROWEST:
            continue
        ends = np.cumsum(widths)
        for output, end, width in zip(operation.outputs(), ends, widths):
            part = _part(chain, slice(end - width, end), int(ends[-1]))
            for target in output.get_target_inputs():
                target.replace_source_output(part)
        count += 1
    model.validate_nodes_and_infer_types()
    return count


def _chain(split: Any) -> list[Any] | None:
    """The convolution and what is done to its channels, up to a split of channels; None for anything else."""
    axis = _constant(split, 1)
    rank = split.input_value(0).get_partial_shape().rank
    if axis is None or rank.is_dynamic or int(axis) % rank.get_length() != CHANNELS:
        return None
    chain: list[Any] = []
    operation, user = split.input_value(0).get_node(), split
    while _is_for(operation, user, split):
        chain.insert(0, operation)
        kind = operation.get_type_name()
        if kind == "Convolution":
            return chain if _constant(operation, 1) is not None else None
        if kind not in EACH_CHANNEL or (kind != "Relu" and not _is_per_channel(operation)):
            return None
        operation, user = operation.input_value(0).get_node(), operation
    return None


def _is_per_channel(operation: Any) -> bool:
    """Whether the second of two values is a constant that adds no axis."""
    constant, rank = _constant(operation, 1), operation.input_value(0).get_partial_shape().rank
    if constant is None or rank.is_dynamic or constant.ndim > rank.get_length():
        return False
    return bool(operation.get_attributes()["auto_broadcast"] == "numpy")


def _is_for(operation: Any, user: Any, split: Any) -> bool:
    """Whether an operation's outcome goes to a user alone, but for its shape, which the split's sizes come from."""

    def ends(one: Any) -> bool:
        users = _users(one)
        return one == split or (one != user and bool(users) and all(map(ends, users)))

    others = [one for one in _users(operation) if one != user]
    return all(one.get_type_name() == "ShapeOf" and ends(one) for one in others)


def _users(operation: Any) -> list[Any]:
    return [target.get_node() for output in operation.outputs() for target in output.get_target_inputs()]


def _constant(operation: Any, port: int) -> Any:
    source = operation.input_value(port).get_node()
    return source.data if source.get_type_name() == "Constant" else None


def _part(chain: Sequence[Any], channels: slice, total: int) -> Any:
    """The output of a chain for some of its ``total`` channels."""
    from openvino import opset13

    convolution, *others = chain
    settings = convolution.get_attributes()
    settings = {name: settings[name] for name in ("strides", "pads_begin", "pads_end", "dilations", "auto_pad")}
    weights = opset13.constant(np.ascontiguousarray(_constant(convolution, 1)[channels]))
    made = opset13.convolution(convolution.input_value(0), weights, **settings)
    made.friendly_name = f"{convolution.friendly_name}/{channels.start}"
    axis = (
        CHANNELS - made.output(0).get_partial_shape().rank.get_length()
    )  # from the end, as constants may lack the first
    for operation in others:
        given = [made]
        if operation.get_type_name() != "Relu":
            given.append(opset13.constant(_of_channels(_constant(operation, 1), channels, total, axis)))
        made = getattr(opset13, operation.get_type_name().lower())(*given)
        made.friendly_name = f"{operation.friendly_name}/{channels.start}"
    return made.output(0)


def _of_channels(constant: Any, channels: slice, total: int, axis: int) -> Any:
    """A constant for some of ``total`` channels, which are at a negative axis; one that is the same for all is kept."""
    if constant.ndim < -axis or constant.shape[axis] != total:
        return constant
    return np.ascontiguousarray(np.moveaxis(np.moveaxis(constant, axis, 0)[channels], 0, axis))
