"""The Array API standard's `linalg`: products and norms made of ops, decompositions that NumPy computes, as a table.

Those with a rule in autodiff/gradients/linalg.py (inv, solve, det, slogdet, cholesky) are differentiated; the others
refuse, in words, when a gradient through them is asked for. Dtypes: float32, float64, complex64, complex128; integers
are computed as float32.
"""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import as_operand, axis_of, operands
from cytensor.numpy_functions import of_class
from cytensor.ops import FUNCTIONS, derive
from cytensor.types import ArrayLike, Axis

# -- what NumPy computes ----------------------------------------------------------------------------------------------

class Row(NamedTuple):
    """One function: NumPy's, how many of its arguments are matrices, and its docstring."""

    function: Callable[..., Any]
    inputs: int
    doc: str


ROWS = {
    "cholesky": Row(lambda x, upper=False: np.linalg.cholesky(x, upper=upper), 1,
                    "L with L @ L.mT = x of symmetric positive definite (..., n, n); upper=True gives its transpose."),
    "det": Row(np.linalg.det, 1, "The determinants (...) of (..., n, n)."),
    "eigh": Row(np.linalg.eigh, 1, "(eigenvalues, eigenvectors), (..., n) ascending and (..., n, n) in columns, of "
                                   "symmetric (..., n, n)."),
    "eigvalsh": Row(np.linalg.eigvalsh, 1, "The eigenvalues (..., n), ascending, of symmetric (..., n, n)."),
    "inv": Row(np.linalg.inv, 1, "The inverses of (..., n, n)."),
    "matrix_power": Row(np.linalg.matrix_power, 1, "(..., n, n) to the integer power n, of the inverse for n < 0."),
    "matrix_rank": Row(lambda x, *, rtol=None: np.linalg.matrix_rank(x, rtol=rtol), 1,
                       "How many singular values are above rtol times the largest, int64."),
    "pinv": Row(lambda x, *, rtol=None: np.linalg.pinv(x, **({} if rtol is None else {"rtol": rtol})), 1,
                "The pseudo-inverses (..., n, m) of (..., m, n)."),
    "qr": Row(lambda x, *, mode="reduced": np.linalg.qr(x, mode=mode), 1,
              "(Q, R) with Q @ R = x; mode 'reduced' or 'complete'."),
    "slogdet": Row(np.linalg.slogdet, 1, "(sign, logabsdet) of the determinants of (..., n, n)."),
    "solve": Row(np.linalg.solve, 2, "x with x1 @ x = x2: (..., n, n) and (n,) or (..., n, k)."),
    "svd": Row(lambda x, *, full_matrices=True: np.linalg.svd(x, full_matrices=full_matrices), 1,
               "(U, S, Vh) with (U * S) @ Vh = x, singular values descending."),
    "svdvals": Row(np.linalg.svdvals, 1, "The singular values, descending."),
}


def _arrays(op: str, given: Sequence[ArrayLike]) -> list[Strided]:
    tensors = operands(op, *given)
    for x in tensors:
        if x.dtype.kind in "SU":
            raise TypeError(f"{op}: needs numbers; got dtype {x.dtype}")
        if x.ndim < 2 and not (op == "solve" and x is tensors[-1] and x.ndim == 1):
            raise ValueError(f"{op}: needs matrices, at least two axes; got shape {x.shape}")
    return [x if x.dtype.kind == "c" or str(x.dtype) in ("float32", "float64") else cyops.astype(x, "float32")
            for x in tensors]


def _apply(op: str, given: Sequence[ArrayLike], options: dict[str, Any]) -> Any:
    """NumPy's answer as tensors, each recorded under the function's name and its place among the results."""
    tensors = _arrays(op, given)
    arrays = [np.asarray(x) for x in tensors]
    if op == "solve" and arrays[1].ndim == 1:
        arrays[1] = arrays[1][:, None]
    try:
        found = ROWS[op].function(*arrays, **options)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"{op}: {error}; got shape {tensors[0].shape}") from None
    if op == "solve" and tensors[1].ndim == 1:
        found = found[..., 0]
    several = found if isinstance(found, tuple) else (found,)
    like = next((x for x in tensors if type(x) is not Strided), tensors[0])
    parts = [of_class(Strided(np.asarray(part)), like) for part in several]
    for place, part in enumerate(parts):
        cyops.record_op(f"linalg_{op}", tuple(tensors), part, {"place": place, "options": options})
    return type(found)(*parts) if hasattr(found, "_fields") else parts[0]


def _made(name: str, row: Row) -> Callable[..., Any]:
    if row.inputs == 2:
        def function(x1: ArrayLike, x2: ArrayLike, /) -> Any:
            return _apply(name, (x1, x2), {})
    elif name == "matrix_power":
        def function(x: ArrayLike, n: int, /) -> Any:  # type: ignore[misc]
            if not hasattr(n, "__index__"):
                raise TypeError(f"matrix_power: n must be an integer; got {n!r}")
            return _apply(name, (x,), {"n": n})
    elif name == "cholesky":
        def function(x: ArrayLike, /, *, upper: bool = False) -> Any:  # type: ignore[misc]
            return _apply(name, (x,), {"upper": upper})
    elif name == "qr":
        def function(x: ArrayLike, /, *, mode: str = "reduced") -> Any:  # type: ignore[misc]
            if mode not in ("reduced", "complete"):
                raise ValueError(f"qr: mode must be 'reduced' or 'complete'; got {mode!r}")
            return _apply(name, (x,), {"mode": mode})
    elif name == "svd":
        def function(x: ArrayLike, /, *, full_matrices: bool = True) -> Any:  # type: ignore[misc]
            return _apply(name, (x,), {"full_matrices": full_matrices})
    elif name in ("pinv", "matrix_rank"):
        def function(x: ArrayLike, /, *, rtol: Any = None) -> Any:  # type: ignore[misc]
            return _apply(name, (x,), {"rtol": rtol if rtol is None else np.asarray(rtol)})
    else:
        def function(x: ArrayLike, /) -> Any:  # type: ignore[misc]
            return _apply(name, (x,), {})
    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = (f"{row.doc}\n\n    ValueError for shapes that do not suit and for singular matrices, TypeError "
                        f"for strings. As the Array API standard's `linalg.{name}`; computed by NumPy.\n    ")
    return function


globals().update({name: derive(_made(name, row)) for name, row in ROWS.items()})


# -- what is made of ops ----------------------------------------------------------------------------------------------
matmul: Callable[..., Any] = FUNCTIONS["matmul"]
matrix_transpose: Callable[..., Any] = FUNCTIONS["matrix_transpose"]
tensordot: Callable[..., Any] = FUNCTIONS["tensordot"]
vecdot: Callable[..., Any] = FUNCTIONS["vecdot"]


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Strided:
    """The diagonals (..., k) of (..., m, n), `offset` above the main one, or below it where negative.

    >>> import cytensor as ct
    >>> ct.linalg.diagonal([[1., 2.], [3., 4.]]).tolist()
    [1.0, 4.0]
    """
    tensor = as_operand(x)
    if tensor.ndim < 2:
        raise ValueError(f"diagonal: needs matrices, at least two axes; got shape {tensor.shape}")
    m, n = tensor.shape[-2:]
    first = max(0, -offset) * n + max(0, offset)
    count = max(0, min(m - max(0, -offset), n - max(0, offset)))
    flat = cyops.reshape(tensor, (*tensor.shape[:-2], m * n))
    return cyops.take(flat, np.arange(count) * (n + 1) + first, axis=-1)


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Strided:
    """The sums (...) of the diagonals of (..., m, n), in the dtype of `sum`.

    >>> import cytensor as ct
    >>> float(ct.linalg.trace([[1., 2.], [3., 4.]]))
    5.0
    """
    return cyops.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def outer(x1: ArrayLike, x2: ArrayLike, /) -> Strided:
    """The products (m, n) of the elements of vectors (m,) and (n,).

    >>> import cytensor as ct
    >>> ct.linalg.outer([1, 2], [3, 4]).tolist()
    [[3, 4], [6, 8]]
    """
    a, b = operands("outer", x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: needs vectors; got shapes {a.shape} and {b.shape}")
    return cyops.multiply(cyops.expand_dims(a, 1), b)


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Strided:
    """The cross products of vectors of 3 along `axis`, of shapes that broadcast otherwise.

    >>> import cytensor as ct
    >>> ct.linalg.cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    a, b = operands("cross", x1, x2)
    places = [axis_of("cross", axis, x.ndim) for x in (a, b)]
    if a.shape[places[0]] != 3 or b.shape[places[1]] != 3:
        raise ValueError(f"cross: needs vectors of 3 along axis {axis}; got shapes {a.shape} and {b.shape}")
    rolled = [(cyops.roll(x, -1, axis), cyops.roll(x, -2, axis)) for x in (a, b)]
    (a1, a2), (b1, b2) = rolled
    return cyops.subtract(cyops.multiply(a1, b2), cyops.multiply(a2, b1))


def vector_norm(x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Strided:
    """The norms of the vectors along `axis`, all elements when None: ord 2, 1, 0, inf, -inf or another number.

    >>> import cytensor as ct
    >>> float(ct.linalg.vector_norm([3., 4.]))
    5.0
    """
    tensor, = operands("vector_norm", x)
    size = cyops.abs(tensor) if tensor.dtype.kind == "c" else tensor
    if axis is None:
        flat = FUNCTIONS["norm"](cyops.reshape(size, (-1,)), ord=ord, axis=0)
        return cyops.reshape(flat, (1,) * tensor.ndim) if keepdims else flat
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    places = [axis_of("vector_norm", one, tensor.ndim) for one in axes]
    kept = [i for i in range(tensor.ndim) if i not in places]
    last = cyops.permute_dims(size, (*kept, *places))
    last = cyops.reshape(last, (*(tensor.shape[i] for i in kept), int(np.prod([tensor.shape[i] for i in places]))))
    result = FUNCTIONS["norm"](last, ord=ord, axis=-1)
    return cyops.reshape(result, tuple(1 if i in places else n for i, n in enumerate(tensor.shape))) \
        if keepdims else result


def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Strided:
    """The norms (...) of matrices (..., m, n): ord "fro", "nuc", 1, -1, 2, -2, inf, -inf.

    >>> import cytensor as ct
    >>> float(ct.linalg.matrix_norm([[3., 0.], [0., 4.]], ord=2))
    4.0
    """
    tensor, = _arrays("matrix_norm", (x,))
    if ord in ("nuc", 2, -2):
        values = globals()["svdvals"](tensor)
        reduce = {"nuc": cyops.sum, 2: cyops.max, -2: cyops.min}[ord]
        result = reduce(values, axis=-1)
        return cyops.reshape(result, (*result.shape, 1, 1)) if keepdims else result
    size = cyops.abs(tensor) if tensor.dtype.kind == "c" else tensor
    return FUNCTIONS["norm"](size, ord=ord, axis=(-2, -1), keepdims=keepdims)


OF_OPS = ("cross", "diagonal", "matrix_norm", "outer", "trace", "vector_norm")
globals().update({name: derive(globals()[name]) for name in OF_OPS})
__all__ = sorted([*ROWS, *OF_OPS, "matmul", "matrix_transpose", "tensordot", "vecdot"])


def __dir__() -> list[str]:
    return [*__all__]


def __getattr__(name: str) -> Any:
    """What TensorFlow's linalg has beside: band_part, diag_part, logdet, ..."""
    import importlib

    theirs = importlib.import_module("cytensor.tensorflow.linalg")
    if name in theirs.__all__:
        return getattr(theirs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
