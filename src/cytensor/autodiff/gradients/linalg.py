"""Rules of the functions of matrices that NumPy computes: see linalg.py.

Source: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""
from typing import Any

import cyops
from cyops import Strided
from cytensor.autodiff.rules import define


def _outer_axes(d: Strided) -> Strided:
    return cyops.reshape(d, (*d.shape, 1, 1))


def _solved(a: Strided, b: Strided) -> Strided:
    from cytensor import linalg  # loaded when a program names it, not with the package
    found: Strided = linalg.solve(a, b)
    return found


def _inverse(x: Strided) -> Strided:
    from cytensor import linalg
    found: Strided = linalg.inv(x)
    return found


def _of_right_side(d: Strided, x1: Strided, x2: Strided) -> Strided:
    if x2.ndim == 1:
        return _solved(x1.mT, cyops.expand_dims(d, -1))[..., 0]
    return _solved(x1.mT, d)


def _of_matrix(d: Strided, x1: Strided, x2: Strided, out: Strided) -> Strided:
    solved = _of_right_side(d, x1, x2)
    if x2.ndim == 1:
        return -(cyops.expand_dims(solved, -1) * cyops.expand_dims(out, -2))
    return -cyops.matmul(solved, out.mT)


def _of_determinant(d: Strided, x: Strided, out: Strided) -> Strided:
    return _outer_axes(d * out) * _inverse(x).mT


def _of_logarithm(d: Strided, x: Strided, place: int) -> Strided:
    """The sign, at place 0, does not change."""
    return _outer_axes(d if place else d * 0) * _inverse(x).mT


def _of_factor(d: Strided, out: Strided, options: dict[str, Any]) -> Strided:
    """Symmetric; half of the diagonal is each triangle's."""
    lower, d = (out.mT, d.mT) if options["upper"] else (out, d)
    product = cyops.matmul(lower.mT, d)
    eye = cyops.eye(product.shape[-1], dtype=product.dtype)
    half = cyops.multiply(product, _lower_ones(product) - eye * 0.5)
    left = _solved(lower.mT, half)
    whole = _solved(lower.mT, left.mT).mT
    return (whole + whole.mT) * 0.5


def _lower_ones(x: Strided) -> Strided:
    rows = cyops.arange(x.shape[-1])
    return cyops.astype(cyops.greater_equal(cyops.expand_dims(rows, 1), rows), x.dtype)


def _refused(op: str) -> Any:
    def derivative(d: Strided) -> Strided:
        raise NotImplementedError(f"gradient: linalg.{op} has no gradient here; cut it off with stop_gradient, or use "
                                  "inv, solve, det, slogdet or cholesky")
    return derivative


define("linalg_inv", x=lambda d, out: -cyops.matmul(out.mT, cyops.matmul(d, out.mT)))
define("linalg_solve", x1=_of_matrix, x2=_of_right_side)
define("linalg_det", x=_of_determinant)
define("linalg_slogdet", x=_of_logarithm)
define("linalg_cholesky", x=_of_factor)
for _name in ("eigh", "eigvalsh", "matrix_power", "pinv", "qr", "svd", "svdvals"):
    define(f"linalg_{_name}", x=_refused(_name))
