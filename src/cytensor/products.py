"""Products written from multiply and einsum: inner, outer, vecdot, kron. Composites, as those in composites.py."""
import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import axis_of, composite, operands
from cytensor.types import ArrayLike

MAX_NDIM = 16


def _rank_checked(op: str, ndim: int) -> None:
    if ndim > MAX_NDIM:
        raise ValueError(f"{op}: the result has {ndim} axes; at most {MAX_NDIM} are possible")


@composite
def inner(a: ArrayLike, b: ArrayLike) -> Strided:
    """Sums of products over the last axes of both: out[i..., j...] = sum over k of a[i..., k] * b[j..., k].

    a: (i..., k); b: (j..., k); the result is (i..., j...), a fresh tensor. A scalar multiplies the other. Dtypes and
    strides as in `matmul`. ValueError where the last axes differ in length. As `numpy.inner`.

    >>> import cytensor as ct
    >>> ct.inner([1., 2., 3.], [4., 5., 6.]).item()
    32.0
    >>> ct.inner(ct.ones((2, 3)), ct.ones((4, 5, 3))).shape
    (2, 4, 5)
    """
    x, y = operands("inner", a, b)
    if x.ndim == 0 or y.ndim == 0:
        return cyops.multiply(x, y)
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"inner: the last axes of a and b must have equal lengths; got a {x.shape}, b {y.shape}")
    _rank_checked("inner", x.ndim + y.ndim - 2)
    return cyops.tensordot(x, y, axes=(x.ndim - 1, y.ndim - 1))


@composite
def outer(a: ArrayLike, b: ArrayLike) -> Strided:
    """Every product of an element of a and one of b: out[i, j] = a[i] * b[j].

    a: (m,); b: (n,); with more axes they are read in C order, as vectors. Result: (m, n), a fresh tensor in the
    promoted dtype. As `numpy.outer` and, for vectors, the Array API's `linalg.outer`.

    >>> import cytensor as ct
    >>> ct.outer([1., 2.], [10., 20., 30.]).tolist()
    [[10.0, 20.0, 30.0], [20.0, 40.0, 60.0]]
    """
    x, y = operands("outer", a, b)
    return cyops.multiply(cyops.reshape(x, (-1, 1)), cyops.reshape(y, (1, -1)))


@composite
def vecdot(x1: ArrayLike, x2: ArrayLike, *, axis: int = -1) -> Strided:
    """The dot product of vectors along one axis of each operand, the others broadcast.

    x1, x2: (n..., k), numeric, x1 conjugated where complex; axis: where each has its k, counted in each by itself.
    Result: (n...), fresh, in the dtype `matmul` gives. ValueError where the lengths along the axis differ or the others
    do not broadcast, or an operand is a scalar; IndexError for an axis out of range. As the Array API's `vecdot` and
    `numpy.vecdot`.

    >>> import cytensor as ct
    >>> ct.vecdot([[1., 2.], [3., 4.]], [10., 1.]).tolist()
    [12.0, 34.0]
    """
    x, y = operands("vecdot", x1, x2)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError(f"vecdot: both operands need at least one axis; got x1 {x.shape}, x2 {y.shape}")
    lengths = [one.shape[axis_of("vecdot", axis, one.ndim)] for one in (x, y)]
    if lengths[0] != lengths[1]:
        raise ValueError(f"vecdot: x1 and x2 must have equal lengths along the axis; got x1 {x.shape}, x2 {y.shape}, "
                         f"axis {axis}")
    if x.dtype.kind == "c":         # no tape records it
        x = Strided(np.conj(np.asarray(x)))
    x, y = _axis_last(x, axis), _axis_last(y, axis)
    for n, m in zip(x.shape[-2::-1], y.shape[-2::-1], strict=False):
        if n != m and 1 not in (n, m):
            raise ValueError(f"vecdot: the other axes must broadcast; got x1 {x.shape[:-1]}, x2 {y.shape[:-1]}")
    return cyops.einsum("...i,...i->...", x, y)


def _axis_last(x: Strided, axis: int) -> Strided:
    if axis in (-1, x.ndim - 1):
        return x
    axis %= x.ndim
    return cyops.permute_dims(x, (*range(axis), *range(axis + 1, x.ndim), axis))


@composite
def kron(a: ArrayLike, b: ArrayLike) -> Strided:
    """The Kronecker product: a block b * a[i, j] for each element of a.

    a: (m0, ..., mk); b: (n0, ..., nk), the one with fewer axes as if it had ones before; at most 8 axes. Result:
    (m0 n0, ..., mk nk), a fresh tensor in the promoted dtype. As `numpy.kron`.

    >>> import cytensor as ct
    >>> ct.kron([[1., 2.]], [[1.], [10.]]).tolist()
    [[1.0, 2.0], [10.0, 20.0]]
    """
    x, y = operands("kron", a, b)
    ndim = max(x.ndim, y.ndim)
    _rank_checked("kron", 2 * ndim)
    of_x, of_y = ((1,) * (ndim - one.ndim) + one.shape for one in (x, y))
    blocks = cyops.multiply(
        cyops.reshape(x, tuple(length for n in of_x for length in (n, 1))),
        cyops.reshape(y, tuple(length for n in of_y for length in (1, n))),
    )
    return cyops.reshape(blocks, tuple(n * m for n, m in zip(of_x, of_y, strict=True)))
