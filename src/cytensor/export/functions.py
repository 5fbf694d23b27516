"""What each function of `ct.ops` in a graph becomes in ONNX: a table, name -> (value, the function's arguments).

Rules have the parameters of the functions they stand for. A function without a row has no form in ONNX here.
"""
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor.export import activations, spatial
from cytensor.export.graph import OnnxGraph, Value

Rule = Callable[..., Any]
Axis = int | Sequence[int] | None


def as_list(axis: Axis) -> list[int]:
    """Axes in a list."""
    if axis is None:
        return []
    return [int(one) for one in axis] if isinstance(axis, Sequence) else [int(axis)]


def indices(x: Value) -> Value:
    """Whole numbers as int64."""
    return x.graph.cast(x, "int64")


def floating(x: Value) -> Value:
    """x, or bools and integers as float32."""
    return x if x.dtype.kind == "f" else x.graph.cast(x, "float32")


def normalized_rows(x: Value, axes: Sequence[int], epsilon: float) -> Value:
    """Zero mean and unit variance over the axes."""
    graph, over = x.graph, x.graph.integers(*axes)
    centred = x - graph.op("ReduceMean", x, over, keepdims=1)
    variance = graph.op("ReduceMean", centred * centred, over, keepdims=1)
    return centred / graph.op("Sqrt", variance + epsilon)


def graph_of(*operands: Any) -> OnnxGraph:
    """The graph of the first value."""
    return next(one for one in operands if isinstance(one, Value)).graph


# -- elementwise ------------------------------------------------------------------------------------------------------
def together(*operands: Any) -> list[Any]:
    """Operands in the dtype that they promote to; Python's numbers stay, and become constants beside a value."""
    from cytensor.inspection import result_type
    graph = graph_of(*operands)
    dtype = result_type(*(one.dtype if hasattr(one, "dtype") else one for one in operands))
    return [graph.cast(one, dtype) if isinstance(one, Value) else np.asarray(one, dtype) for one in operands]


def _in_order(op: str, *operands: Any, **options: Any) -> Value:
    return graph_of(*operands).op(op, *operands, **options)


def _binary(op: str) -> Rule:
    return lambda a, b: _in_order(op, *together(a, b))


def _floating_binary(op: str) -> Rule:
    def rule(a: Any, b: Any) -> Value:
        a, b = together(*(floating(one) if isinstance(one, Value) else one for one in (a, b)))
        return _in_order(op, a, b)
    return rule


def _compared(op: str, negated: bool = False) -> Rule:
    def rule(a: Any, b: Any) -> Value:
        result = _in_order(op, *together(a, b), dtype="bool")
        return result.graph.op("Not", result) if negated else result
    return rule


def _logical(op: str) -> Rule:
    def rule(a: Any, b: Any) -> Value:
        graph = graph_of(a, b)
        pair = [graph.cast(one, "bool") if isinstance(one, Value) else np.asarray(one, bool) for one in (a, b)]
        return _in_order(op, *pair, dtype="bool")
    return rule


def _unary(op: str) -> Rule:
    return lambda x: x.graph.op(op, floating(x))


def _any_dtype(op: str) -> Rule:
    return lambda x: x.graph.op(op, x)


def _divide_down(a: Any, b: Any) -> Value:
    a, b = together(a, b)
    graph = graph_of(a, b)
    if graph_of(a, b) and (a if isinstance(a, Value) else b).dtype.kind != "f":
        raise TypeError("floor_divide of integers has no form in ONNX, which cuts towards zero")
    return graph.op("Floor", _in_order("Div", a, b))


def _remainder(a: Any, b: Any) -> Value:
    a, b = together(a, b)
    if (a if isinstance(a, Value) else b).dtype.kind != "f":
        return _in_order("Mod", a, b)
    quotient = graph_of(a, b).op("Floor", _in_order("Div", a, b))
    return _in_order("Sub", a, _in_order("Mul", b, quotient))


def _clip(x: Value, min: Any = None, max: Any = None) -> Value:
    for op, bound in (("Max", min), ("Min", max)):
        if bound is not None:
            x = _in_order(op, *together(x, bound))
    return x


def _where(condition: Any, x: Any, y: Any) -> Value:
    graph = graph_of(condition, x, y)
    pair = together(x, y) if isinstance(x, Value) or isinstance(y, Value) else [np.asarray(one) for one in (x, y)]
    chosen = [one if isinstance(one, Value) else graph.constant(one) for one in pair]
    if not isinstance(condition, Value):
        condition = graph.constant(condition, bool)
    return graph.op("Where", graph.cast(condition, "bool"), *chosen, dtype=chosen[0].dtype)


# -- reductions -------------------------------------------------------------------------------------------------------
def _reduced(op: str, is_floating: bool = False, dtype: Any = None) -> Rule:
    def rule(x: Value, axis: Axis = None, keepdims: bool = False, **options: Any) -> Value:
        if any(value is not None for value in options.values()):
            raise TypeError(f"the argument {next(iter(options))} of a reduction has no form in ONNX here")
        x = floating(x) if is_floating else x.graph.cast(x, dtype) if dtype else x
        if op in ("ReduceSum", "ReduceProd") and x.dtype.kind in "biu":
            x = x.graph.cast(x, "int64")
        axes = None if axis is None else x.graph.integers(*as_list(axis))
        return x.graph.op(op, x, axes, keepdims=int(bool(keepdims)), noop_with_empty_axes=0 if axis is None else 1)
    return rule


def _truth(op: str) -> Rule:
    def rule(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
        ones = x.graph.cast(x.graph.cast(x, "bool"), "int32")
        return x.graph.cast(_reduced(op)(ones, axis, keepdims), "bool")
    return rule


def _variance(x: Value, axis: Axis = None, correction: Any = 0, keepdims: bool = False) -> Value:
    if correction:
        raise TypeError("the argument correction of var and std has no form in ONNX here")
    x = floating(x)
    centred = x - _reduced("ReduceMean")(x, axis, True)
    result: Value = _reduced("ReduceMean")(centred * centred, axis, keepdims)
    return result


def _position(op: str) -> Rule:
    def rule(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
        if axis is None:
            x, axis = x.graph.op("Reshape", x, x.graph.integers(-1)), 0
        return x.graph.op(op, x, axis=int(axis), keepdims=int(bool(keepdims)), dtype="int64")
    return rule


# -- shapes -----------------------------------------------------------------------------------------------------------
def _integers(graph: OnnxGraph, shape: Any) -> Value:
    return graph.integers(*(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,))))


def _permuted(x: Value, axes: Sequence[int] | None = None) -> Value:
    order = range(x.ndim)[::-1] if axes is None else [axis % x.ndim for axis in axes]
    return x.graph.transpose(x, tuple(order))


def _squeezed(x: Value, axis: Axis = None) -> Value:
    axes = as_list(axis) if axis is not None else [i for i, n in enumerate(x.known_shape) if n == 1]
    return x.graph.op("Squeeze", x, x.graph.integers(*axes)) if axes else x


def _joined(tensors: Sequence[Any], axis: int | None = 0) -> Value:
    graph = graph_of(*tensors)
    if axis is None:
        raise TypeError("concat without an axis has no form in ONNX here")
    parts = [one if isinstance(one, Value) else graph.constant(one) for one in together(*tensors)]
    return graph.op("Concat", *parts, axis=int(axis))


def _stacked(tensors: Sequence[Any], axis: int = 0) -> Value:
    graph = graph_of(*tensors)
    parts = [one if isinstance(one, Value) else graph.constant(one) for one in together(*tensors)]
    return graph.op("Concat", *(graph.op("Unsqueeze", one, graph.integers(axis)) for one in parts), axis=int(axis))


def _item(x: Value, key: Any) -> Value:
    """x[key] for integers, slices, Ellipsis and None."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(not (one is None or one is Ellipsis or isinstance(one, slice) or hasattr(one, "__index__")) or
           isinstance(one, (bool, np.bool_)) for one in keys):
        raise TypeError(f"the index {key!r:.80} has no form in ONNX here: integers, slices, Ellipsis and None have")
    named = sum(one is not None and one is not Ellipsis for one in keys)
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        keys[place:place + 1] = [slice(None)] * (x.ndim - named)
    graph, axis, dropped, new = x.graph, 0, list[int](), list[int]()
    starts, ends, steps, axes = list[int](), list[int](), list[int](), list[int]()
    far = np.iinfo(np.int64)
    for place, one in enumerate(keys):
        if one is None:
            new.append(place - len(dropped))
            continue
        if isinstance(one, slice):
            step = 1 if one.step is None else int(one.step)
            start = (0 if step > 0 else int(far.max)) if one.start is None else int(one.start)
            stop = int(far.max if step > 0 else far.min) if one.stop is None else int(one.stop)
        else:
            start, step = int(one.__index__()), 1
            stop = int(far.max) if start == -1 else start + 1
            dropped.append(axis)
        if not isinstance(one, slice) or one != slice(None):
            starts, ends, steps, axes = [*starts, start], [*ends, stop], [*steps, step], [*axes, axis]
        axis += 1
    if axes:
        x = graph.op("Slice", x, *(graph.integers(*numbers) for numbers in (starts, ends, axes, steps)))
    x = graph.op("Squeeze", x, graph.integers(*dropped)) if dropped else x
    return graph.op("Unsqueeze", x, graph.integers(*new)) if new else x


def _taken(x: Any, indices: Any, axis: int | None = None) -> Value:
    graph = graph_of(x, indices)
    table = x if isinstance(x, Value) else graph.constant(x)
    if axis is None:
        table, axis = graph.op("Reshape", table, graph.integers(-1)), 0
    places = graph.cast(indices, "int64") if isinstance(indices, Value) else graph.constant(indices, np.int64)
    return graph.op("Gather", table, places, axis=int(axis))


def _split(x: Value, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    length = x.known_shape[axis]
    if length is None:
        raise TypeError("split along an axis of unknown length has no form in ONNX here")
    if hasattr(indices_or_sections, "__index__"):
        sizes = [length // int(indices_or_sections)] * int(indices_or_sections)
    else:
        ends = [0, *map(int, indices_or_sections), length]
        sizes = [end - start for start, end in itertools.pairwise(ends)]
    return x.graph.several("Split", x, x.graph.integers(*sizes), axis=int(axis), dtypes=[x.dtype] * len(sizes))


def _unstacked(x: Value, axis: int = 0) -> tuple[Value, ...]:
    parts = _split(x, x.known_shape[axis], axis)
    return tuple(x.graph.op("Squeeze", part, x.graph.integers(axis)) for part in parts)


def _flipped(x: Value, axis: Axis = None) -> Value:
    axes = list(range(x.ndim)) if axis is None else as_list(axis)
    far, graph = int(np.iinfo(np.int64).min), x.graph
    ones = [1] * len(axes)
    return graph.op("Slice", x, *(graph.integers(*(number * one for one in ones)) for number in (-1, far)),
                    graph.integers(*axes), graph.integers(*(-one for one in ones)))


def _ordered(x: Value, axis: int, descending: bool) -> list[Value]:
    length = x.known_shape[axis]
    if length is None:
        raise TypeError("sort along an axis of unknown length has no form in ONNX here")
    return x.graph.several("TopK", x, x.graph.integers(length), axis=int(axis), largest=int(descending),
                           dtypes=(x.dtype, "int64"))


def _top_k(x: Value, k: int, sorted: bool = True) -> tuple[Value, Value]:
    values, places = x.graph.several("TopK", x, x.graph.integers(int(k)), axis=-1, dtypes=(x.dtype, "int64"))
    return values, x.graph.cast(places, "int32")


def _one_hot(x: Value, num_classes: int, dtype: Any = "float32", **options: Any) -> Value:
    if options:
        raise TypeError(f"the argument {next(iter(options))} of one_hot has no form in ONNX here")
    ends = x.graph.constant([0, 1], np.dtype(dtype))
    return x.graph.op("OneHot", indices(x), x.graph.constant(num_classes, np.int64), ends, axis=-1, dtype=ends.dtype)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Value:
    ranks = [one.ndim for one in (a, b)]
    of_a, of_b = (range(ranks[0] - axes, ranks[0]), range(axes)) if isinstance(axes, int) else map(as_list, axes)
    letters = [chr(97 + i) for i in range(sum(ranks))]
    first, second = letters[:ranks[0]], letters[ranks[0]:]
    summed = set[str]()
    for one, other in zip(of_a, of_b, strict=True):
        second[other] = first[one]
        summed.add(first[one])
    result = [letter for letter in first + second if letter not in summed]
    return _einsum(f"{''.join(first)},{''.join(second)}->{''.join(result)}", a, b)


def _summed_so_far(x: Value, axis: int | None = None, exclusive: bool = False, reverse: bool = False) -> Value:
    if axis is None:
        x, axis = x.graph.op("Reshape", x, x.graph.integers(-1)), 0
    x = x if x.dtype.kind == "f" else x.graph.cast(x, "int64")
    return x.graph.op("CumSum", x, x.graph.constant(axis, np.int64), exclusive=int(exclusive), reverse=int(reverse))


# -- products ---------------------------------------------------------------------------------------------------------
def _einsum(subscripts: str, *operands: Any) -> Value:
    if "->" not in subscripts:
        raise TypeError("einsum without '->' has no form in ONNX here")
    graph = graph_of(*operands)
    parts = [one if isinstance(one, Value) else graph.constant(one) for one in together(*operands)]
    return graph.op("Einsum", *parts, equation=subscripts)


def _dense(x: Any, kernel: Any, bias: Any = None, activation: str | None = None) -> Value:
    y = _in_order("MatMul", *together(x, kernel))
    y = y if bias is None else _in_order("Add", *together(y, bias))
    return activations.RULES[activation](y) if activation else y


def _pool(op: str) -> Rule:
    def rule(x: Value, pool_size: Any, strides: Any = None, padding: Any = "valid",
             data_format: str = "channels_last") -> Value:
        return spatial.pooled(op, x, pool_size, strides, padding, data_format)
    return rule


def _conv(x: Value, kernel: Any, bias: Any = None, strides: Any = 1, padding: Any = "valid", dilation_rate: Any = 1,
          groups: int = 1, data_format: str = "channels_last", activation: str | None = None) -> Value:
    if isinstance(kernel, Value) and kernel.name not in x.graph.constants:
        raise TypeError("conv with a kernel that is computed has no form in ONNX here")
    values = x.graph.constants[kernel.name] if isinstance(kernel, Value) else np.asarray(kernel, x.dtype)
    made = x.graph.constant(values.transpose(spatial.kernel_order(values.ndim)), stem="kernel")
    rank = x.ndim - 2
    bias = None if bias is None else bias if isinstance(bias, Value) else x.graph.constant(bias, x.dtype)
    y = spatial.convolved(x, made, bias, values.shape[:-2], spatial.in_pairs(strides, rank), padding,
                          spatial.in_pairs(dilation_rate, rank), groups, data_format)
    return activations.RULES[activation](y) if activation else y


FUNCTIONS: dict[str, Rule] = {
    **activations.RULES,
    "add": _binary("Add"), "subtract": _binary("Sub"), "multiply": _binary("Mul"), "divide": _floating_binary("Div"),
    "pow": _binary("Pow"), "maximum": _binary("Max"), "minimum": _binary("Min"), "floor_divide": _divide_down,
    "remainder": _remainder, "matmul": _floating_binary("MatMul"),
    "equal": _compared("Equal"), "not_equal": _compared("Equal", True), "less": _compared("Less"),
    "less_equal": _compared("LessOrEqual"), "greater": _compared("Greater"),
    "greater_equal": _compared("GreaterOrEqual"),
    "logical_and": _logical("And"), "logical_or": _logical("Or"), "logical_xor": _logical("Xor"),
    "logical_not": lambda x: x.graph.op("Not", x.graph.cast(x, "bool")),
    **{name: _unary(op) for name, op in {
        "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "tanh": "Tanh", "sigmoid": "Sigmoid", "erf": "Erf", "sin": "Sin",
        "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
        "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "reciprocal": "Reciprocal"}.items()},
    **{name: _any_dtype(op) for name, op in {"abs": "Abs", "negative": "Neg", "sign": "Sign"}.items()},
    **{name: (lambda x, op=op: x.graph.op(op, x) if x.dtype.kind == "f" else x)
       for name, op in {"floor": "Floor", "ceil": "Ceil", "round": "Round"}.items()},
    "relu": lambda x: x.graph.op("Relu", x),
    "isnan": lambda x: x.graph.op("IsNaN", floating(x), dtype="bool"),
    "isinf": lambda x: x.graph.op("IsInf", floating(x), dtype="bool"),
    "square": lambda x: x * x, "expm1": lambda x: x.graph.op("Exp", floating(x)) - 1.0,
    "log1p": lambda x: x.graph.op("Log", floating(x) + 1.0),
    "log2": lambda x: x.graph.op("Log", floating(x)) / np.log(2.0),
    "log10": lambda x: x.graph.op("Log", floating(x)) / np.log(10.0),
    "clip": _clip, "where": _where, "copy": lambda x: x, "positive": lambda x: x, "stop_gradient": lambda x: x,
    "astype": lambda x, dtype, copy=True, device=None: x.graph.cast(x, np.dtype(dtype)),
    "sum": _reduced("ReduceSum"), "prod": _reduced("ReduceProd"), "mean": _reduced("ReduceMean", True),
    "max": _reduced("ReduceMax"), "min": _reduced("ReduceMin"), "logsumexp": _reduced("ReduceLogSumExp", True),
    "any": _truth("ReduceMax"), "all": _truth("ReduceMin"), "var": _variance,
    "std": lambda x, axis=None, correction=0, keepdims=False: x.graph.op(
        "Sqrt", _variance(x, axis, correction, keepdims)),
    "argmax": _position("ArgMax"), "argmin": _position("ArgMin"),
    "reshape": lambda x, shape, copy=None: x.graph.op("Reshape", x, _integers(x.graph, shape)),
    "permute_dims": _permuted, "squeeze": _squeezed, "get_item": _item, "take": _taken,
    "matrix_transpose": lambda x: _permuted(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)),
    "expand_dims": lambda x, axis=0: x.graph.op("Unsqueeze", x, x.graph.integers(*as_list(axis))),
    "broadcast_to": lambda x, shape: x.graph.op("Expand", x, _integers(x.graph, shape)),
    "tile": lambda x, repetitions: x.graph.op("Tile", x, _integers(x.graph, repetitions)),
    "concat": _joined, "stack": _stacked, "split": _split, "unstack": _unstacked,
    "pad": lambda x, pad_width, mode="constant", constant_values=0: spatial.padded(
        x, pad_width, constant_values, mode),
    "cumsum": _summed_so_far, "flip": _flipped, "top_k": _top_k, "one_hot": _one_hot, "tensordot": _tensordot,
    "sort": lambda x, axis=-1, descending=False, stable=True: _ordered(x, axis, descending)[0],
    "argsort": lambda x, axis=-1, descending=False, stable=True: _ordered(x, axis, descending)[1],
    "isfinite": lambda x: x.graph.op("Not", x.graph.op("IsNaN", floating(x) - floating(x), dtype="bool")),
    "einsum": _einsum, "dense": _dense, "conv": _conv, "max_pool": _pool("MaxPool"),
    "average_pool": _pool("AveragePool"),
}
