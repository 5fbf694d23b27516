"""Rules of matrix products and of a dense layer."""
from collections.abc import Sequence
from typing import Any, TypeGuard

import cyops
from cyops import Strided, dense, expand_dims, matmul, permute_dims, relu_gradient, reshape
from cytensor.autodiff.gradients.views import inverse_permutation
from cytensor.autodiff.rules import define


def _rows(x: Strided) -> Strided:
    """(..., n) -> (rows, n)."""
    return reshape(x, (-1, x.shape[-1])) if x.ndim != 2 else x


def _matmul_gradient(d: Strided, a: Strided, b: Strided, wanted: int) -> Strided:
    """The gradient of matmul for `a` (wanted 0) or `b` (wanted 1), vectors as matrices of one row or column."""
    if a.ndim == 1 and b.ndim == 1:
        return d * (b, a)[wanted]
    if a.ndim >= 2 and b.ndim == 2 and wanted == 1:
        return matmul(_rows(a).mT, _rows(d))
    rows = expand_dims(a, 0) if a.ndim == 1 else a
    columns = expand_dims(b, -1) if b.ndim == 1 else b
    if a.ndim == 1:
        d = expand_dims(d, -2)
    if b.ndim == 1:
        d = expand_dims(d, -1)
    if wanted == 0:
        gradient = matmul(d, columns.mT)
        return gradient[..., 0, :] if a.ndim == 1 else gradient
    gradient = matmul(rows.mT, d)
    return gradient[..., 0] if b.ndim == 1 else gradient


def _tensordot_gradient(d: Strided, a: Strided, b: Strided, axes: tuple[Sequence[int], Sequence[int]],
                        wanted: int) -> Strided:
    """The gradient of tensordot for `a` (wanted 0) or `b` (wanted 1): contract d with the other one's free axes."""
    mine, other = (a, b) if wanted == 0 else (b, a)
    my_axes, other_axes = axes if wanted == 0 else axes[::-1]
    free = [axis for axis in range(other.ndim) if axis not in other_axes]
    kept = [axis for axis in range(mine.ndim) if axis not in my_axes]
    d_axes = list(range(d.ndim - len(free), d.ndim)) if wanted == 0 else list(range(len(free)))
    gradient = cyops.tensordot(d, other, axes=(d_axes, free))
    # gradient has mine's free axes, then the contracted ones in the order they have in `other`
    contracted = sorted(range(len(other_axes)), key=lambda i: other_axes[i])
    order = kept + [my_axes[i] for i in contracted]
    return permute_dims(gradient, inverse_permutation(order))


def _dot_axes(a: Strided, b: Strided) -> tuple[tuple[int], tuple[int]]:
    return (a.ndim - 1,), (max(b.ndim - 2, 0),)


def _dot_gradient(d: Strided, a: Strided, b: Strided, wanted: int) -> Strided:
    if a.ndim == 0 or b.ndim == 0:
        return d * (b, a)[wanted]
    return _tensordot_gradient(d, a, b, _dot_axes(a, b), wanted)


def _suits(known: Strided | None, *operands: Strided) -> TypeGuard[Strided]:
    """Whether a product of these can be added to `known` while it is computed."""
    if known is None or known.itemsize < 4 or known.strides != (known.shape[-1], 1):
        return False
    return all(x.dtype == known.dtype for x in operands)


def _matmul_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, a: Any = None,
                      b: Any = None) -> list[Strided]:
    """Those of `_matmul_gradient`; a matrix b that other products have used too is added to in place."""
    gradients = []
    for wanted, gradient in zip(positions, known, strict=True):
        if wanted == 1 and a.ndim > 1 and _suits(gradient, d, a):
            gradients.append(cyops.add_matmul(gradient, _rows(a).mT, _rows(d)))
        else:
            gradients.append(_matmul_gradient(d, a, b, wanted))
    return gradients


def _dense_gradients(positions: tuple[int, ...], known: Sequence[Strided | None], d: Strided, x: Any = None,
                     kernel: Any = None, out: Any = None, activation: str | None = None) -> list[Strided]:
    """One pass for the mask, the bias and the products; what is not named is not wanted."""
    add_to = known[positions.index(1)] if 1 in positions else None
    found: Any = cyops.dense_backward(
        d, x, kernel, out if activation == "relu" else None, bias=2 in positions,
        kernel_gradient=add_to if _suits(add_to, d, x) else None,
    )
    return [found[i] for i in positions]


define(
    "matmul",
    joint=_matmul_gradients,
    a=lambda d, a, b: _matmul_gradient(d, a, b, 0),
    b=lambda d, a, b: _matmul_gradient(d, a, b, 1),
)
define("dot", a=lambda d, a, b: _dot_gradient(d, a, b, 0), b=lambda d, a, b: _dot_gradient(d, a, b, 1))
define(
    "tensordot",
    a=lambda d, a, b, axes: _tensordot_gradient(d, a, b, axes, 0),
    b=lambda d, a, b, axes: _tensordot_gradient(d, a, b, axes, 1),
)
define(
    "contract",
    a=lambda d, b, axes_a, axes_b, axes_out: cyops.contract(d, axes_out, b, axes_b, axes_a),
    b=lambda d, a, axes_a, axes_b, axes_out: cyops.contract(a, axes_a, d, axes_out, axes_b),
)
define(
    "dense",
    joint=_dense_gradients,
    before=lambda d, out, activation: relu_gradient(d, out) if activation == "relu" else d,
    x=lambda d, kernel: dense(d, kernel.mT),
    kernel=lambda d, x: matmul(_rows(x).mT, _rows(d)),
    bias=lambda d: cyops.sum(_rows(d), axis=0),
)
define("relu_gradient", d=lambda d, y: relu_gradient(d, y), y=None)
