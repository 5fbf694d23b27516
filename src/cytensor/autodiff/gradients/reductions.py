"""Rules of reductions."""

import cyops
from cyops import Strided, astype, permute_dims, reshape, where
from cytensor.autodiff.gradients.views import inverse_permutation
from cytensor.autodiff.rules import define, define_no_gradient


def _spread(d: Strided, x_shape: tuple[int, ...], axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """A reduction's `d` with its reduced axes back, as length 1: ready to broadcast against x."""
    if keepdims or axis is None:            # a scalar broadcasts as it is
        return d
    return reshape(d, tuple([1 if i in axis else n for i, n in enumerate(x_shape)]))


def _reduced_count(x_shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    count = 1
    for i in range(len(x_shape)) if axis is None else axis:
        count *= x_shape[i]
    return count


def _extreme_gradient(d: Strided, x: Strided, out: Strided, axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """Shared evenly between equal extremes."""
    hit = astype(x == _spread(out, x.shape, axis, keepdims), d.dtype)
    return hit * _spread(d, x.shape, axis, keepdims) / cyops.sum(hit, axis=axis, keepdims=True)


def _product_gradient(d: Strided, x: Strided, axis: tuple[int, ...] | None, keepdims: bool) -> Strided:
    """d times the product of the others, which no division finds: there may be zeros and infinities among them."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    order = (*[i for i in range(x.ndim) if i not in axes], *axes)
    moved = permute_dims(x, order)
    rows = reshape(moved, (*moved.shape[: x.ndim - len(axes)], _reduced_count(x.shape, axes)))
    if rows.itemsize < 4:                   # a half: each product would be rounded
        rows = astype(rows, "float32")
    others = _product_before(rows) * cyops.flip(_product_before(cyops.flip(rows, -1)), -1)
    return _spread(d, x.shape, axis, keepdims) * permute_dims(reshape(others, moved.shape), inverse_permutation(order))


def _product_before(rows: Strided) -> Strided:
    """(..., n) -> (..., n): at each place the product of what stands before it, by doubling the reach."""
    count = rows.shape[-1]
    if rows.size == 0:
        return rows
    products = cyops.concat([cyops.ones((*rows.shape[:-1], 1), rows.dtype), rows[..., :-1]], axis=-1)
    reach = 1
    while reach < count:
        products = cyops.concat([products[..., :reach], products[..., reach:] * products[..., :-reach]], axis=-1)
        reach *= 2
    return products


def _centred(x: Strided, axis: tuple[int, ...] | None) -> Strided:
    return x - cyops.mean(x, axis=axis, keepdims=True)


def _deviation_gradient(d: Strided, x: Strided, out: Strided, axis: tuple[int, ...] | None, correction: float,
                        keepdims: bool) -> Strided:
    """Of elements that are all equal, where the deviation has a corner, 0: the mean of its slopes."""
    share = where(out == 0, 0, d / where(out == 0, 1, out))
    return _spread(share, x.shape, axis, keepdims) * _centred(x, axis) / (
        _reduced_count(x.shape, axis) - correction)


define("sum", x=lambda d, x_shape, axis, keepdims: _spread(d, x_shape, axis, keepdims))       # the walk stretches it
define("mean", x=lambda d, x_shape, axis, keepdims: _spread(d / _reduced_count(x_shape, axis), x_shape, axis, keepdims))
define("max", x=_extreme_gradient)
define("min", x=_extreme_gradient)
define("prod", x=_product_gradient)
define(
    "var",
    x=lambda d, x, axis, correction, keepdims: _spread(d, x.shape, axis, keepdims)
    * _centred(x, axis) * 2 / (_reduced_count(x.shape, axis) - correction),
)
define("std", x=_deviation_gradient)
define_no_gradient("argmax", "argmin", "any", "all", "one_hot")
