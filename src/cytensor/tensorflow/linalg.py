"""`tf.linalg`: matrices, stacks of them (..., n, n) included. What no kernel computes, NumPy's LAPACK does.

inv, det, slogdet, logdet, solve and cholesky have gradients of every order; of svd, qr, eigh and eigvalsh a tape says
that they have none.
"""
from typing import Any, Literal

import numpy as np

import cyops
from cytensor import ops
from cytensor.autodiff.custom import custom_gradient
from cytensor.keywords import accepting
from cytensor.ops import einsum, eye, matmul, norm, tensordot
from cytensor.symbolic import deferrable
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import Array, ArrayLike, Axis

__all__ = ["adjoint", "band_part", "cholesky", "det", "diag", "diag_part", "eigh", "eigvalsh", "einsum", "eye", "inv",
           "l2_normalize", "logdet", "matmul", "matrix_rank", "matrix_transpose", "matvec", "norm", "normalize", "pinv",
           "qr", "slogdet", "solve", "svd", "tensordot", "trace"]


def _matrices(op: str, x: ArrayLike, square: bool = True) -> Tensor:
    matrices = operand(op, x)
    if matrices.ndim < 2 or (square and matrices.shape[-1] != matrices.shape[-2]):
        wanted = "square matrices (..., n, n)" if square else "matrices (..., m, n)"
        raise ValueError(f"{op}: {wanted} are expected; got shape {matrices.shape}")
    if matrices.dtype.kind != "f":
        raise TypeError(f"{op}: floating matrices are expected; got dtype {matrices.dtype}")
    return matrices


def _by_numpy(op: str, function: Any, *given: Tensor) -> Any:
    """NumPy's result, halves computed in float32; LinAlgError becomes a ValueError in the name of `op`."""
    is_half = given[0].itemsize < 4
    arrays = [np.asarray(ops.astype(x, "float32") if is_half else x) for x in given]
    try:
        return function(*arrays)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{op}: {str(error)[0].lower()}{str(error)[1:]}") from None


def _tensor(values: Array, like: Tensor) -> Tensor:
    return asarray(values, like.dtype)


# -- with gradients ---------------------------------------------------------------------------------------------------
@custom_gradient
def _inverse(x: Tensor) -> Any:
    y = _tensor(_by_numpy("inv", np.linalg.inv, x), x)
    return y, lambda d: -matmul(matmul(inv(x).mT, d), inv(x).mT)


@deferrable
@accepting({})
def inv(input: ArrayLike, adjoint: bool = False) -> Tensor:
    """The inverses of matrices (..., n, n), of their transposes where `adjoint`; ValueError for a singular one.

    >>> inv([[2., 0.], [0., 4.]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    x = _matrices("inv", input)
    result: Tensor = _inverse(x.mT if adjoint else x)
    return result


@custom_gradient
def _determinant(x: Tensor) -> Any:
    def gradient(d: Tensor) -> Tensor:
        return (d * det(x))[..., None, None] * inv(x).mT
    return _tensor(np.asarray(_by_numpy("det", np.linalg.det, x)), x), gradient


@deferrable
@accepting({})
def det(input: ArrayLike) -> Tensor:
    """The determinants of matrices (..., n, n): shape (...). Its gradient needs the inverse.

    >>> float(det([[2., 0.], [0., 4.]]))
    8.0
    """
    result: Tensor = _determinant(_matrices("det", input))
    return result


@custom_gradient
def _log_determinant(x: Tensor) -> Any:
    sign, logarithm = _by_numpy("slogdet", np.linalg.slogdet, x)
    found = [_tensor(np.asarray(part), x) for part in (sign, logarithm)]
    return found, lambda _, d: d[..., None, None] * inv(x).mT


@deferrable
@accepting({})
def slogdet(input: ArrayLike) -> list[Tensor]:
    """[the signs, the logarithms of the absolute values] of the determinants of (..., n, n).

    >>> [round(float(x), 4) for x in slogdet([[2., 0.], [0., 4.]])]
    [1.0, 2.0794]
    """
    result: list[Tensor] = _log_determinant(_matrices("slogdet", input))
    return result


@deferrable
@accepting({})
def logdet(matrix: ArrayLike) -> Tensor:
    """The logarithms of the determinants of positive definite matrices (..., n, n): shape (...)."""
    return 2.0 * ops.sum(ops.log(diag_part(cholesky(matrix))), axis=-1)


@custom_gradient
def _solution(a: Tensor, b: Tensor) -> Any:
    def gradient(d: Tensor) -> list[Tensor]:
        of_b = solve(a.mT, d)
        return [-matmul(of_b, solve(a, b).mT), of_b]
    return _tensor(_by_numpy("solve", np.linalg.solve, a, b), a), gradient


@deferrable
@accepting({})
def solve(matrix: ArrayLike, rhs: ArrayLike, adjoint: bool = False) -> Tensor:
    """x with matrix @ x = rhs: (..., n, n), (..., n, k) -> (..., n, k). ValueError for a singular matrix.

    >>> solve([[2., 0.], [0., 4.]], [[2.], [8.]]).tolist()
    [[1.0], [2.0]]
    """
    a = _matrices("solve", matrix)
    b = operand("solve", rhs).astype(a.dtype)
    if b.ndim != a.ndim or b.shape[:-1] != a.shape[:-1]:
        raise ValueError(f"solve: rhs must have the shape {a.shape[:-1]} and columns; got {b.shape}")
    result: Tensor = _solution(a.mT if adjoint else a, b)
    return result


@custom_gradient
def _factor(x: Tensor) -> Any:
    y = _tensor(_by_numpy("cholesky", np.linalg.cholesky, x), x)

    def gradient(d: Tensor) -> Tensor:
        lower = cholesky(x)
        inverse = inv(lower)
        inner = band_part(matmul(lower.mT, d), -1, 0)
        inner = inner - 0.5 * diag(diag_part(inner))
        whole = matmul(matmul(inverse.mT, inner), inverse)
        return 0.5 * (whole + whole.mT)
    return y, gradient


@deferrable
@accepting({})
def cholesky(input: ArrayLike) -> Tensor:
    """The lower triangular L with L L^T = x, for symmetric positive definite matrices (..., n, n).

    >>> cholesky([[4., 0.], [0., 9.]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    result: Tensor = _factor(_matrices("cholesky", input))
    return result


# -- without ----------------------------------------------------------------------------------------------------------
def _recorded(op: str, x: Tensor, *found: Array) -> list[Tensor]:
    """NumPy's results as tensors that a tape knows of: their gradient is an error, not zero."""
    tensors = [_tensor(np.ascontiguousarray(values), x) for values in found]
    for tensor in tensors:
        cyops.record_op(op, (x,), tensor)
    return tensors


@accepting({})
def svd(tensor: ArrayLike, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """(s, u, v) with x = u diag(s) v^T: x (..., m, n), s (..., k) descending, u (..., m, k), v (..., n, k), k the
    smaller of m and n; or s alone. TensorFlow's order, and v is not transposed.

    >>> s, u, v = svd([[3., 0.], [0., 4.]])
    >>> s.tolist()
    [4.0, 3.0]
    """
    x = _matrices("svd", tensor, square=False)
    if not compute_uv:
        return _recorded("svd", x, _by_numpy("svd", lambda a: np.linalg.svd(a, compute_uv=False), x))[0]
    u, s, vt = _by_numpy("svd", lambda a: np.linalg.svd(a, full_matrices), x)
    return tuple(_recorded("svd", x, s, u, np.swapaxes(vt, -1, -2)))


@accepting({})
def qr(input: ArrayLike, full_matrices: bool = False) -> tuple[Tensor, Tensor]:
    """(q, r) with x = q r, q with orthonormal columns and r upper triangular, for (..., m, n)."""
    x = _matrices("qr", input, square=False)
    mode: Literal["complete", "reduced"] = "complete" if full_matrices else "reduced"
    q, r = _recorded("qr", x, *_by_numpy("qr", lambda a: np.linalg.qr(a, mode), x))
    return q, r


@accepting({})
def eigh(tensor: ArrayLike) -> tuple[Tensor, Tensor]:
    """(eigenvalues ascending (..., n), eigenvectors in the columns of (..., n, n)) of symmetric matrices."""
    x = _matrices("eigh", tensor)
    values, vectors = _recorded("eigh", x, *_by_numpy("eigh", np.linalg.eigh, x))
    return values, vectors


@accepting({})
def eigvalsh(tensor: ArrayLike) -> Tensor:
    """The eigenvalues of symmetric matrices (..., n, n), ascending: (..., n)."""
    x = _matrices("eigvalsh", tensor)
    return _recorded("eigvalsh", x, _by_numpy("eigvalsh", np.linalg.eigvalsh, x))[0]


@accepting({})
def pinv(a: ArrayLike) -> Tensor:
    """The pseudo-inverses of matrices (..., m, n): (..., n, m)."""
    x = _matrices("pinv", a, square=False)
    return _recorded("pinv", x, _by_numpy("pinv", np.linalg.pinv, x))[0]


@accepting({})
def matrix_rank(a: ArrayLike) -> Tensor:
    """How many rows of each of the matrices (..., m, n) are independent: int32 (...)."""
    x = _matrices("matrix_rank", a, square=False)
    return asarray(np.asarray(_by_numpy("matrix_rank", np.linalg.matrix_rank, x), np.int32))


# -- diagonals and vectors --------------------------------------------------------------------------------------------
@deferrable
@accepting({})
def diag(diagonal: ArrayLike) -> Tensor:
    """Matrices (..., n, n) that have (..., n) in their diagonals and zeros elsewhere.

    >>> diag([1., 2.]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    x = operand("diag", diagonal)
    if x.ndim == 0:
        raise ValueError("diag: the diagonal must have at least one axis; got shape ()")
    return x[..., None] * eye(x.shape[-1], dtype=x.dtype)


@deferrable
@accepting({})
def diag_part(input: ArrayLike) -> Tensor:
    """The diagonals of matrices (..., m, n): (..., min(m, n)), a view.

    >>> diag_part([[1., 2.], [3., 4.]]).tolist()
    [1.0, 4.0]
    """
    return ops.diagonal(input, axis1=-2, axis2=-1)


@deferrable
@accepting({})
def trace(x: ArrayLike) -> Tensor:
    """The sums of the diagonals of matrices (..., m, n): (...)."""
    return ops.sum(diag_part(x), axis=-1)


@deferrable
@accepting({})
def band_part(input: ArrayLike, num_lower: int, num_upper: int) -> Tensor:
    """Matrices (..., m, n) with zeros below the num_lower-th diagonal under the main one and above the num_upper-th
    over it; a negative number keeps that whole side.

    >>> band_part([[1., 2.], [3., 4.]], -1, 0).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    x = operand("band_part", input)
    if x.ndim < 2:
        raise ValueError(f"band_part: matrices (..., m, n) are expected; got shape {x.shape}")
    over = np.arange(x.shape[-1]) - np.arange(x.shape[-2])[:, None]
    kept = ((num_lower < 0) | (-over <= num_lower)) & ((num_upper < 0) | (over <= num_upper))
    return ops.where(kept, x, ops.zeros((), x.dtype))


@deferrable
@accepting({})
def matrix_transpose(a: ArrayLike) -> Tensor:
    """The last two axes swapped: a view."""
    return ops.matrix_transpose(a)


adjoint = matrix_transpose


@deferrable
@accepting({})
def matvec(a: ArrayLike, b: ArrayLike, transpose_a: bool = False) -> Tensor:
    """a @ b for matrices (..., m, n) and vectors (..., n): (..., m)."""
    x = operand("matvec", a)
    return ops.squeeze(matmul(x.mT if transpose_a else x, operand("matvec", b)[..., None]), axis=-1)


@deferrable
@accepting({})
def normalize(tensor: ArrayLike, ord: Any = "euclidean", axis: Axis = None) -> tuple[Tensor, Tensor]:
    """(the tensor divided by its norm, the norm, with the axes kept), over all elements or along axes."""
    x = operand("normalize", tensor)
    length = norm(x, None if ord == "euclidean" else ord, axis=axis, keepdims=True)
    return x / length, length


@deferrable
@accepting({"dim": "axis"})
def l2_normalize(x: ArrayLike, axis: Axis = None, epsilon: float = 1e-12) -> Tensor:
    """x / sqrt(max(sum(x^2), epsilon)) along an axis.

    >>> l2_normalize([3., 4.], axis=0)
    <Tensor shape=(2,) dtype=float32: [0.6 0.8]>
    """
    x = operand("l2_normalize", x)
    return x / ops.sqrt(ops.maximum(ops.sum(x * x, axis=axis, keepdims=True), epsilon))
