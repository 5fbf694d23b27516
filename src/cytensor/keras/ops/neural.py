"""`keras.ops` of neural networks and matrices: the package's own functions with Keras's order of arguments."""
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor import activations, losses, nn, ops
from cytensor.keras.ops.formulas import made
from cytensor.tensor import Tensor, asarray, operand
from cytensor.tensorflow import math as _math
from cytensor.tensorflow.linalg import cholesky, det, eigh, inv, logdet, matrix_rank, pinv, qr, slogdet, solve, svd

ACTIVATIONS = ("celu", "elu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
               "log_sigmoid", "mish", "relu6", "selu", "silu", "soft_shrink", "softplus", "softsign", "squareplus",
               "swish", "tanh_shrink", "threshold")


def _windows(name: str, parameters: int) -> Callable[..., Tensor]:
    """A convolution whose arguments after the kernels stand in Keras's order."""
    function = ops.FUNCTIONS[name]

    def convolution(inputs: Any, *kernels: Any, **options: Any) -> Any:
        given, rest = kernels[:parameters], kernels[parameters:]
        words = ["strides", "padding", "data_format", "dilation_rate"]
        if name == "conv_transpose":
            words.insert(2, "output_padding")
        if len(rest) > len(words):
            raise TypeError(f"{name}: at most {1 + parameters + len(words)} arguments are expected; "
                            f"got {1 + len(kernels)}")
        options |= dict(zip(words, rest, strict=False))
        if options.get("data_format", "") is None:
            del options["data_format"]
        options.pop("name", None)
        return function(inputs, *given, **options)
    convolution.__name__ = convolution.__qualname__ = name
    convolution.__doc__ = f"`ct.{name}` without a bias, with Keras's order of arguments."
    return convolution


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """Rows that are 1 at the place of the class, 0 elsewhere; the new axis stands at `axis`."""
    if sparse:
        raise ValueError("one_hot: sparse must be False; there are no sparse tensors")
    rows = ops.one_hot(x, num_classes, dtype or "float32")
    if axis in (-1, rows.ndim - 1):
        return rows
    axes = list(range(rows.ndim - 1))
    axes.insert(axis % rows.ndim, rows.ndim - 1)
    return ops.permute_dims(rows, axes)


def _multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    x = operand("multi_hot", inputs)
    return ops.max(one_hot(x, num_classes, -1, dtype, sparse), axis=-2 if x.ndim else ())


def _normalize(x: Any, axis: int = -1, order: float = 2, epsilon: float | None = None) -> Any:
    x = operand("normalize", x)
    x = x if x.dtype.kind == "f" else ops.astype(x, "float32")
    length = ops.norm(x, order, axis=axis, keepdims=True)
    return x / ops.maximum(length, ops.full((), 1e-7 if epsilon is None else epsilon, x.dtype))


def _batch_normalization(x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
                         epsilon: float = 1e-3) -> Tensor:
    x = operand("batch_normalization", x)
    shape = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    mean, variance, offset, scale = (None if part is None else ops.reshape(part, shape)
                                     for part in (mean, variance, offset, scale))
    return nn.batch_normalization(x, mean, variance, offset, scale, epsilon)


def _layer_normalization(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1,
                         epsilon: float | None = None) -> Any:
    x = operand("layer_normalization", x)
    centered = x - ops.mean(x, axis=axis, keepdims=True)
    result = centered / ops.sqrt(ops.mean(ops.square(centered), axis=axis, keepdims=True) + (epsilon or 1e-7))
    result = result if gamma is None else result * gamma
    return result if beta is None else result + beta


def _rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    x = operand("rms_normalization", x)
    result = x / ops.sqrt(ops.mean(ops.square(x), axis=axis, keepdims=True) + (epsilon or 1e-7))
    return result if scale is None else result * scale


def _glu(x: Any, axis: int = -1) -> Tensor:
    value, gate = ops.split(x, 2, axis=axis)
    return value * ops.sigmoid(gate)


def _attention(query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: float | None = None,
               is_causal: bool = False) -> Tensor:
    """softmax(query @ key^T * scale) @ value of (batch, length, heads, size), at most where `mask` is true."""
    query = operand("dot_product_attention", query)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = ops.einsum("btnh,bsnh->bnts", query, key) * scale
    scores = scores if bias is None else scores + bias
    if is_causal:
        causal = np.tril(np.ones(scores.shape[-2:], bool))
        mask = causal if mask is None else ops.logical_and(mask, causal)
    if mask is not None:
        scores = ops.where(mask, scores, ops.full((), float(np.finfo(np.float32).min) / 2, scores.dtype))
    return ops.einsum("bnts,bsnh->btnh", ops.softmax(scores), value)


def _svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    found = svd(x, full_matrices, compute_uv)
    if not compute_uv:
        return found
    s, u, v = found
    return u, s, v.mT


def _qr(x: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'; got {mode!r}")
    return qr(x, mode == "complete")


def _solve(a: Any, b: Any) -> Tensor:
    b = operand("solve", b)
    if b.ndim == operand("solve", a).ndim - 1:
        return ops.squeeze(solve(a, ops.expand_dims(b, -1)), -1)
    return solve(a, b)


def _categorical(sparse: bool) -> Callable[..., Tensor]:
    def formula(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
        if sparse:
            return losses.sparse_categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)
        return losses.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)
    return formula


def _binary(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """The cross-entropy of each element, without a mean."""
    target, output = operand("binary_crossentropy", target), operand("binary_crossentropy", output)
    return losses.binary_crossentropy(ops.expand_dims(target, -1), ops.expand_dims(output, -1), from_logits=from_logits)


def _in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    return _math.in_top_k(targets, predictions, k)


NEURAL: dict[str, Callable[..., Any]] = {
    "gelu": lambda x, approximate=True: activations.gelu(x, approximate),
    "multi_hot": _multi_hot, "normalize": _normalize, "batch_normalization": _batch_normalization,
    "layer_normalization": _layer_normalization, "rms_normalization": _rms_normalization, "glu": _glu,
    "dot_product_attention": _attention, "qr": _qr, "svd": _svd, "solve": _solve,
    "categorical_crossentropy": _categorical(sparse=False),
    "sparse_categorical_crossentropy": _categorical(sparse=True), "binary_crossentropy": _binary,
    "in_top_k": _in_top_k, "divide_no_nan": lambda x1, x2: _math.divide_no_nan(x1, x2),
    "moments": lambda x, axes, keepdims=False, synchronized=False: nn.moments(x, axes, keepdims),
    "inv": lambda x: inv(x), "det": lambda x: det(x), "logdet": lambda x: logdet(x),
    "slogdet": lambda x: tuple(slogdet(x)), "pinv": lambda x: pinv(x),
    "eigh": lambda x: eigh(x), "matrix_rank": lambda x: matrix_rank(x),
    "cholesky": lambda x, upper=False: cholesky(x).mT if upper else cholesky(x),
}


def _reduction(name: str) -> Callable[..., Tensor]:
    """A reduction whose `keepdims` may stand in the third place."""
    def reduction(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return ops.FUNCTIONS[name](x, axis=axis, keepdims=keepdims)
    reduction.__name__ = reduction.__qualname__ = name
    reduction.__doc__ = f"`ct.{name}` with Keras's order of arguments."
    return reduction


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition is true, else x2; without both, where it is true: an index tensor for each axis."""
    if (x1 is None) != (x2 is None):
        raise ValueError("where: x1 and x2 must both be given, or neither")
    if x1 is None:
        return tuple(asarray(part) for part in np.nonzero(np.asarray(condition)))
    return ops.FUNCTIONS["where"](condition, x1, x2)


def round(x: Any, decimals: int = 0) -> Any:
    """To that many decimals."""
    if decimals == 0:
        return ops.FUNCTIONS["round"](x)
    return ops.divide(ops.FUNCTIONS["round"](ops.multiply(x, 10.0**decimals)), 10.0**decimals)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None) -> Tensor:
    """`num` numbers that lie evenly from start to stop."""
    return ops.FUNCTIONS["linspace"](start, stop, num, dtype or "float32", endpoint=endpoint)


REDUCTIONS = ("sum", "mean", "max", "min", "prod", "var", "std", "any", "all")
REORDERED: dict[str, Any] = {"conv": _windows("conv", 1), "depthwise_conv": _windows("depthwise_conv", 1),
             "separable_conv": _windows("separable_conv", 2), "conv_transpose": _windows("conv_transpose", 1),
             "one_hot": one_hot, "where": where, "round": round, "linspace": linspace,
             **{name: _reduction(name) for name in REDUCTIONS},
             "amax": _reduction("max"), "amin": _reduction("min")}
FUNCTIONS: dict[str, Any] = {**{name: getattr(activations, name) for name in ACTIVATIONS},
             **{name: made(name, formula) for name, formula in NEURAL.items()}, **REORDERED}


# -- creation and what is asked of tensors ----------------------------------------------------------------------------
def array(x: Any, dtype: Any = None) -> Tensor:
    """A tensor with a copy of `x`."""
    return asarray(x, dtype, copy=True)


def empty_like(x: Any, dtype: Any = None) -> Tensor:
    """A tensor of the shape and dtype of `x`; its elements are 0."""
    return ops.zeros_like(x, dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """(N, M) with 1 at and below the k-th diagonal, 0 above."""
    return asarray(np.tri(N, M, k, np.float32), dtype or "float32")


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None,
             axis: int = 0) -> Tensor:
    """Numbers whose logarithms lie evenly."""
    return asarray(np.logspace(np.asarray(start), np.asarray(stop), num, endpoint, base, axis=axis),
                   dtype or "float32")


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """Numbers each of which is the one before times the same."""
    return asarray(np.geomspace(np.asarray(start), np.asarray(stop), num, endpoint, axis=axis), dtype or "float32")


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid, one tensor an axis."""
    from cytensor.tensorflow.arrays import meshgrid as grid
    return grid(*x, indexing=indexing)


def dtype(x: Any) -> str:
    """The name of a tensor's dtype, as a string."""
    return str(x.dtype.name) if hasattr(x, "dtype") else str(operand("dtype", x).dtype.name)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape) if hasattr(x, "shape") else operand("ndim", x).ndim


def convert_to_numpy(x: Any) -> Any:
    """The values as a NumPy array of its own."""
    return np.array(operand("convert_to_numpy", x))


def get_item(x: Any, key: Any) -> Tensor:
    """x[key]."""
    return x[key] if hasattr(x, "shape") else operand("get_item", x)[key]


def max_pool(inputs: Any, pool_size: int | Sequence[int], strides: Any = None, padding: str = "valid",
             data_format: str | None = None) -> Tensor:
    """`ct.max_pool` with Keras's names."""
    return ops.FUNCTIONS["max_pool"](inputs, pool_size, strides, padding, data_format or "channels_last")


def average_pool(inputs: Any, pool_size: int | Sequence[int], strides: Any = None, padding: str = "valid",
                 data_format: str | None = None) -> Tensor:
    """`ct.average_pool` with Keras's names."""
    return ops.FUNCTIONS["average_pool"](inputs, pool_size, strides, padding, data_format or "channels_last")


ASKED: dict[str, Any] = {function.__name__: function for function in (
    array, empty_like, tri, logspace, geomspace, meshgrid, dtype, ndim, convert_to_numpy, get_item, max_pool,
    average_pool)}
