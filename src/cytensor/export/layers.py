"""What each layer becomes in ONNX: a table, class -> (layer, input) -> output, as in inference.

A layer without a row is followed through its `call`, by walk.py.
"""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor import layers
from cytensor.export import spatial
from cytensor.export.activations import RULES, activated, softmax
from cytensor.export.functions import indices, normalized_rows
from cytensor.export.graph import Value
from cytensor.export.masking import mean_of_data
from cytensor.layers import Layer
from cytensor.layers.axes import within
from cytensor.layers.convolution import Conv, Convolution
from cytensor.layers.convolution_separable import DepthwiseConv, SeparableConv
from cytensor.layers.convolution_transpose import ConvTranspose
from cytensor.layers.noise import Noise
from cytensor.layers.padding import Cropping, ZeroPadding, _over_axes
from cytensor.layers.pooling import GlobalPooling, Pooling
from cytensor.layers.product import LETTERS
from cytensor.layers.upsampling import UpSampling
from cytensor.tensor import Tensor

Rule = Callable[[Any, Any], Value]
LAYERS: dict[type[Layer], Rule] = {}


def _rule(*classes: type[Layer]) -> Callable[[Rule], Rule]:
    def enter(rule: Rule) -> Rule:
        LAYERS.update(dict.fromkeys(classes, rule))
        return rule
    return enter


def rule_of(layer: Layer) -> Rule | None:
    """The rule for a layer of the package; None for one of the user's own, whose `call` may be another."""
    if not type(layer).__module__.startswith("cytensor."):
        return None
    return next((LAYERS[cls] for cls in type(layer).__mro__ if cls in LAYERS), None)


def weight(x: Value, layer: Layer, variable: Tensor, name: str, permuted: Sequence[int] | None = None,
           shape: Sequence[int] | None = None) -> Value:
    """A weight of a layer, in the dtype that it computes in."""
    return x.graph.cast(x.graph.weight(variable, f"{layer.name}/{name}", permuted, shape), x.dtype)


def bias_of(x: Value, layer: Any) -> Value | None:
    """The bias of a layer, as `weight`; None where it has none."""
    return None if layer.bias is None else weight(x, layer, layer.bias, "bias")


def _along(values: Any, axes: Sequence[int], ndim: int) -> Any:
    """Numbers of some axes with ones for the others, to broadcast."""
    lengths = iter(values.shape)
    return values.reshape([next(lengths) if axis in axes else 1 for axis in range(ndim)])


# -- dense, embedding, convolutions -----------------------------------------------------------------------------------
@_rule(layers.Dense)
def _dense(layer: layers.Dense, x: Value) -> Value:
    y = x.graph.op("MatMul", x, weight(x, layer, layer.kernel, "kernel"), shape=(*x.known_shape[:-1], layer.units))
    bias = bias_of(x, layer)
    return activated(y if bias is None else x.graph.op("Add", y, bias, shape=y.shape), layer.activation)


@_rule(layers.Embedding)
def _embedding(layer: layers.Embedding, x: Value) -> Value:
    table = x.graph.weight(layer.embeddings, f"{layer.name}/embeddings")
    rows = x.graph.op("Gather", table, indices(x), axis=0)
    if layer.mask_zero:
        rows.mask = x.graph.op("Not", x.graph.op("Equal", x, 0, dtype="bool"))
    return rows


@_rule(layers.Masking)
def _masking(layer: layers.Masking, x: Value) -> Value:
    graph = x.graph
    differs = graph.op("Not", graph.op("Equal", x, layer.mask_value, dtype="bool"))
    counted = graph.op("ReduceMax", graph.cast(differs, x.dtype), graph.integers(-1), keepdims=1)
    result = x * counted
    result.mask = graph.cast(graph.op("Squeeze", counted, graph.integers(-1)), "bool")
    return result


def _window(layer: Convolution) -> tuple[Any, Any, Any, Any]:
    return layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate


def _activated(layer: Any, x: Value, y: Value) -> Value:
    y.shape = layer.compute_output_shape(x.shape)
    return activated(y, layer.activation)


@_rule(Conv)
def _conv(layer: Any, x: Value) -> Value:
    kernel = weight(x, layer, layer.kernel, "kernel", spatial.kernel_order(layer.rank + 2))
    return _activated(layer, x, spatial.convolved(x, kernel, bias_of(x, layer), *_window(layer),
                                                  layer.groups, layer.data_format))


def _by_channel(layer: Any, x: Value, kernel: Any, name: str, bias: Value | None) -> Value:
    rank = layer.rank
    made = weight(x, layer, kernel, name, (rank, rank + 1, *range(rank)), spatial.depthwise_shape(kernel))
    return spatial.convolved(x, made, bias, *_window(layer), kernel.shape[-2], layer.data_format)


@_rule(DepthwiseConv)
def _depthwise(layer: Any, x: Value) -> Value:
    return _activated(layer, x, _by_channel(layer, x, layer.kernel, "kernel", bias_of(x, layer)))


@_rule(SeparableConv)
def _separable(layer: Any, x: Value) -> Value:
    middle = _by_channel(layer, x, layer.depthwise_kernel, "depthwise_kernel", None)
    ones, (_, *lengths, _) = (1,) * layer.rank, middle.shape or (None,) * (layer.rank + 2)
    middle.shape = (None, *lengths, None)
    pointwise = weight(x, layer, layer.pointwise_kernel, "pointwise_kernel", spatial.kernel_order(layer.rank + 2))
    return _activated(layer, x, spatial.convolved(middle, pointwise, bias_of(x, layer), ones, ones,
                                                  "valid", ones, 1, layer.data_format))


@_rule(ConvTranspose)
def _conv_transpose(layer: Any, x: Value) -> Value:
    kernel = weight(x, layer, layer.kernel, "kernel", spatial.kernel_order(layer.rank + 2))
    return _activated(layer, x, spatial.transposed(x, kernel, bias_of(x, layer), *_window(layer),
                                                   layer.output_padding, layer.data_format))


# -- activations ------------------------------------------------------------------------------------------------------
@_rule(layers.Activation)
def _activation(layer: layers.Activation, x: Value) -> Value:
    return activated(x, layer.activation)


@_rule(layers.ReLU)
def _relu(layer: layers.ReLU, x: Value) -> Value:
    return RULES["relu"](x, layer.negative_slope, layer.max_value, layer.threshold)


@_rule(layers.LeakyReLU)
def _leaky_relu(layer: layers.LeakyReLU, x: Value) -> Value:
    return RULES["relu"](x, layer.negative_slope)


@_rule(layers.ELU)
def _elu(layer: layers.ELU, x: Value) -> Value:
    return RULES["elu"](x, layer.alpha)


@_rule(layers.PReLU)
def _prelu(layer: layers.PReLU, x: Value) -> Value:
    return x.graph.op("PRelu", x, weight(x, layer, layer.alpha, "alpha"))


@_rule(layers.Softmax)
def _softmax(layer: layers.Softmax, x: Value) -> Value:
    if x.mask is not None:
        x = x.graph.op("Where", x.mask, x, -1e9, dtype=x.dtype, shape=x.shape)
    return softmax(x, within("Softmax", layer.axis, x.ndim))


# -- pools and spatial axes -------------------------------------------------------------------------------------------
@_rule(Pooling)
def _pooling(layer: Any, x: Value) -> Value:
    op = "MaxPool" if type(layer).__name__.startswith("Max") else "AveragePool"
    return spatial.pooled(op, x, layer.pool_size, layer.strides, layer.padding, layer.data_format)


@_rule(GlobalPooling)
def _global_pooling(layer: Any, x: Value) -> Value:
    if isinstance(layer, layers.GlobalAveragePooling1D) and x.mask is not None:
        return mean_of_data(x, 1 if layer.data_format == spatial.LAST else 2, layer.keepdims)
    op = "ReduceMax" if "Max" in type(layer).__name__ else "ReduceMean"
    return spatial.global_pool(op, x, layer.data_format, layer.keepdims)


@_rule(ZeroPadding)
def _zero_padding(layer: Any, x: Value) -> Value:
    return spatial.padded(x, _over_axes(layer.padding, layer.data_format))


@_rule(Cropping)
def _cropping(layer: Any, x: Value) -> Value:
    return spatial.cropped(x, _over_axes(layer.cropping, layer.data_format))


@_rule(UpSampling)
def _upsampling(layer: Any, x: Value) -> Value:
    return spatial.enlarged(x, layer.size, layer.data_format, getattr(layer, "interpolation", "nearest"))


# -- normalization ----------------------------------------------------------------------------------------------------
@_rule(layers.BatchNormalization)
def _batch_normalization(layer: layers.BatchNormalization, x: Value) -> Value:
    axes = within("BatchNormalization", layer.axis, x.ndim, lowest=1)
    mean, variance = (np.asarray(one, np.float64) for one in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    factor = factor if layer.gamma is None else factor * np.asarray(layer.gamma)
    offset = -mean * factor if layer.beta is None else np.asarray(layer.beta) - mean * factor
    constant = x.graph.constant
    scaled = x * constant(_along(factor, axes, x.ndim), x.dtype, f"{layer.name}/factor")
    return scaled + constant(_along(offset, axes, x.ndim), x.dtype, f"{layer.name}/offset")


def _scaled(layer: Any, x: Value, y: Value, axes: Sequence[int]) -> Value:
    """y times gamma plus beta, as far as the layer has them."""
    for name, op in (("gamma", "Mul"), ("beta", "Add")):
        variable = getattr(layer, name)
        if variable is not None:
            shape = _along(np.asarray(variable), axes, x.ndim).shape
            y = x.graph.op(op, y, weight(x, layer, variable, name, shape=shape))
    return y


@_rule(layers.LayerNormalization)
def _layer_normalization(layer: layers.LayerNormalization, x: Value) -> Value:
    axes = sorted(within("LayerNormalization", layer.axis, x.ndim, lowest=1))
    return _scaled(layer, x, normalized_rows(x, axes, layer.epsilon), axes)


@_rule(layers.GroupNormalization)
def _group_normalization(layer: layers.GroupNormalization, x: Value) -> Value:
    axis, = within("GroupNormalization", layer.axis, x.ndim, lowest=1)
    _, groups = layer._split(x.known_shape)
    graph, first = x.graph, (0, axis, *(one for one in range(1, x.ndim) if one != axis))
    y = graph.transpose(x, first)
    rows = normalized_rows(graph.op("Reshape", y, graph.integers(0, groups, -1)), [2], layer.epsilon)
    whole = graph.op("Reshape", rows, graph.op("Shape", y, dtype="int64"))
    return _scaled(layer, x, graph.transpose(whole, tuple(first.index(one) for one in range(x.ndim))), [axis])


@_rule(layers.RMSNormalization)
def _rms_normalization(layer: layers.RMSNormalization, x: Value) -> Value:
    axes = sorted(within("RMSNormalization", layer.axis, x.ndim, lowest=1))
    mean = x.graph.op("ReduceMean", x * x, x.graph.integers(*axes), keepdims=1)
    shape = _along(np.asarray(layer.scale), axes, x.ndim).shape
    scale = weight(x, layer, layer.scale, "scale", shape=shape)
    return x / x.graph.op("Sqrt", mean + layer.epsilon) * scale


@_rule(layers.UnitNormalization)
def _unit_normalization(layer: layers.UnitNormalization, x: Value) -> Value:
    return _unit(x, within("UnitNormalization", layer.axis, x.ndim))


def _unit(x: Value, axes: Sequence[int]) -> Value:
    total = x.graph.op("ReduceSum", x * x, x.graph.integers(*axes), keepdims=1)
    return x / x.graph.op("Sqrt", x.graph.op("Max", total, 1e-12))


@_rule(layers.Normalization)
def _normalization(layer: layers.Normalization, x: Value) -> Value:
    mean, variance = (np.asarray(one, np.float64) for one in (layer.mean, layer.variance))
    deviation, varies = np.maximum(np.sqrt(variance), layer.EPSILON), variance > 0
    constant = x.graph.constant
    if layer.invert:
        return x * constant(deviation * varies, x.dtype, f"{layer.name}/deviation") + constant(mean, x.dtype)
    return (x - constant(mean, x.dtype, f"{layer.name}/mean")) * constant(varies / deviation, x.dtype)


@_rule(layers.Rescaling)
def _rescaling(layer: layers.Rescaling, x: Value) -> Value:
    return x * np.asarray(layer.scale) + np.asarray(layer.offset)


# -- several inputs ---------------------------------------------------------------------------------------------------
def _folded(op: str) -> Rule:
    def rule(layer: Any, inputs: Sequence[Value]) -> Value:
        result, *others = inputs
        for other in others:
            result = result.graph.op(op, result, other)
        return result
    return rule


for _cls, _op in ((layers.Add, "Add"), (layers.Subtract, "Sub"), (layers.Multiply, "Mul"), (layers.Maximum, "Max"),
                  (layers.Minimum, "Min")):
    _rule(_cls)(_folded(_op))


@_rule(layers.Average)
def _average(layer: layers.Average, inputs: Sequence[Value]) -> Value:
    return _folded("Add")(layer, inputs) / float(len(inputs))


@_rule(layers.Concatenate)
def _concatenate(layer: layers.Concatenate, inputs: Sequence[Value]) -> Value:
    return inputs[0].graph.op("Concat", *inputs, axis=within("Concatenate", layer.axis, inputs[0].ndim)[0])


@_rule(layers.Dot)
def _dot(layer: layers.Dot, inputs: Sequence[Value]) -> Value:
    a, b = inputs
    along = layer._along([a.known_shape, b.known_shape])
    labels = [[*LETTERS[:a.ndim]], [LETTERS[0], *LETTERS[a.ndim:a.ndim + b.ndim - 1]]]
    labels[1][along[1]] = labels[0][along[0]]
    result = [letter for place, letter in enumerate(labels[0]) if place != along[0]] + [
        letter for place, letter in enumerate(labels[1]) if place not in (0, along[1])]
    if layer.normalize:
        a, b = _unit(a, [along[0]]), _unit(b, [along[1]])
    y = a.graph.op("Einsum", a, b, equation=f"{''.join(labels[0])},{''.join(labels[1])}->{''.join(result)}")
    return a.graph.op("Unsqueeze", y, a.graph.integers(1)) if len(result) == 1 else y


# -- shapes, encodings, and what does nothing in inference ------------------------------------------------------------
@_rule(layers.Flatten)
def _flatten(layer: layers.Flatten, x: Value) -> Value:
    if x.ndim == 1:
        return x.graph.op("Unsqueeze", x, x.graph.integers(1))
    if layer.data_format == "channels_first" and x.ndim > 2:
        x = x.graph.transpose(x, (0, *range(2, x.ndim), 1))
    return x.graph.op("Reshape", x, x.graph.integers(0, -1))


@_rule(layers.Reshape)
def _reshape(layer: layers.Reshape, x: Value) -> Value:
    return x.graph.op("Reshape", x, x.graph.integers(0, *layer.target_shape))


@_rule(layers.Permute)
def _permute(layer: layers.Permute, x: Value) -> Value:
    return x.graph.transpose(x, (0, *layer.dims))


@_rule(layers.RepeatVector)
def _repeat_vector(layer: layers.RepeatVector, x: Value) -> Value:
    return x.graph.op("Expand", x.graph.op("Unsqueeze", x, x.graph.integers(1)), x.graph.integers(1, layer.n, 1))


def _encoded(x: Value, depth: int, mode: str, ndim: int, last: int | None) -> Value:
    """Whole numbers as vectors, as `CategoryEncoding` has it."""
    graph = x.graph
    if mode == "one_hot" and ndim > 1 and last == 1:
        x = graph.op("Squeeze", x, graph.integers(-1))
    rows = graph.op("OneHot", x, graph.constant(depth, np.int64), graph.constant([0, 1], np.float32), axis=-1,
                    dtype="float32")
    if mode == "one_hot":
        return rows
    return graph.op("ReduceSum" if mode == "count" else "ReduceMax", rows, graph.integers(-2), keepdims=0)


@_rule(layers.CategoryEncoding)
def _category_encoding(layer: layers.CategoryEncoding, x: Value) -> Value:
    return _encoded(indices(x), layer.num_tokens, layer.output_mode, x.ndim, x.known_shape[-1])


@_rule(layers.Discretization)
def _discretization(layer: Any, x: Value) -> Value:
    if layer._boundaries is None:
        raise TypeError("it has no boundaries yet; give them, or call adapt")
    graph = x.graph
    x = x if x.dtype.kind == "f" else graph.cast(x, "float32")
    over = graph.op("GreaterOrEqual", graph.op("Unsqueeze", x, graph.integers(-1)),
                    graph.constant(layer._boundaries, x.dtype), dtype="bool")
    numbers = graph.op("ReduceSum", graph.cast(over, "int64"), graph.integers(-1), keepdims=0)
    if layer.output_mode == "int":
        return numbers
    return _encoded(numbers, len(layer._boundaries) + 1, layer.output_mode, x.ndim, x.known_shape[-1])


@_rule(layers.IntegerLookup)
def _integer_lookup(layer: Any, x: Value) -> Value:
    if layer.invert or layer.num_oov_indices != 1 or layer.output_mode == "tf_idf" or not layer._tokens:
        raise TypeError("of lookups, those of a vocabulary with one number for unknown tokens have a form, not "
                        "inverted and without tf_idf")
    known = dict(layer._indices)
    if layer.mask_token is not None:
        if layer.output_mode != "int":
            raise TypeError("a mask_token has one in the output_mode 'int' alone")
        known[layer.mask_token] = 0
    numbers = x.graph.op("LabelEncoder", indices(x), domain="ai.onnx.ml", keys_int64s=list(known),
                         values_int64s=list(known.values()), default_int64=layer._first_unknown, dtype="int64")
    if layer.output_mode == "int":
        return numbers
    depth = layer.max_tokens if layer.pad_to_max_tokens else layer.vocabulary_size()
    return _encoded(numbers, int(depth), layer.output_mode, x.ndim, x.known_shape[-1])


@_rule(layers.StringLookup)
def _string_lookup(layer: Any, x: Value) -> Value:
    raise TypeError("text is no input of a graph here; look tokens up before, and export what follows")


@_rule(layers.Identity, layers.InputLayer, layers.ActivityRegularization, Noise, layers.SpatialDropout1D,
       layers.SpatialDropout2D, layers.SpatialDropout3D)
def _identity(layer: Layer, x: Value) -> Value:
    return x
