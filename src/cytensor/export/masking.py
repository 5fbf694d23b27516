"""Masks in ONNX: values carry them from layer to layer, as masks.py has it, and what reads them reads them here."""
from collections.abc import Sequence

from cytensor import layers
from cytensor.export.graph import Value
from cytensor.layers import Layer

READERS = (layers.GlobalAveragePooling1D, layers.Softmax, layers.BatchNormalization)     # the last in training alone
MAKERS = (layers.Masking, layers.Embedding)
WITHOUT = (layers.GlobalAveragePooling1D, layers.Dot)      # whose results have none
FOLDED = (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)


def with_mask(x: Value, mask: Value | None) -> Value:
    """x with a mask: another object where x, which others may read too, has another one."""
    if x.mask is mask:
        return x
    result = Value(x.graph, x.name, x.dtype, x.shape)
    result.mask = mask
    return result


def require_form(layer: Layer, inputs: Sequence[Value]) -> None:
    """TypeError where a layer makes something of a mask that has no form here."""
    if any(one.mask is not None for one in inputs) and layer._takes_mask and not isinstance(layer, READERS):
        raise TypeError("what it makes of a mask has none here")


def passed_on(layer: Layer, inputs: Sequence[Value], result: Value) -> Value | None:
    """The mask of what a layer gave, as its `compute_mask` makes it; TypeError for one that has no form here."""
    if isinstance(layer, MAKERS):
        return result.mask
    masks = [one.mask for one in inputs]
    known = [mask for mask in masks if mask is not None]
    if not known or not layer.supports_masking or isinstance(layer, WITHOUT):
        return None
    if isinstance(layer, FOLDED):
        if len(known) < len(masks):
            return None
        first, *others = known
        for other in others:
            first = first.graph.op("Or", first, other)
        return first
    if type(layer).compute_mask is not Layer.compute_mask:
        raise TypeError("the mask that it makes of those of its inputs has none here")
    return known[0]


def mean_of_data(x: Value, axis: int, keepdims: bool) -> Value:
    """The mean over the steps that the mask of x counts."""
    assert x.mask is not None
    graph, axes = x.graph, x.graph.integers(axis)
    counted = graph.cast(graph.op("Unsqueeze", x.mask, graph.integers(3 - axis)), x.dtype)
    total = graph.op("ReduceSum", x * counted, axes, keepdims=int(keepdims))
    return total / graph.op("ReduceSum", counted, axes, keepdims=int(keepdims))
