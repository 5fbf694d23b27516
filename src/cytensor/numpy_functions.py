"""Functions of the Array API standard that NumPy computes on the tensor's own memory: a table, no wrappers.

A row says NumPy's function, the dtypes it takes, and what its gradient is: `RECORDED`, a rule in
autodiff/gradients/numpy_functions.py; or `NONE`, where the result does not change smoothly. A floating result whose
row has neither does not exist. Functions that are made of ops, and whose gradients are therefore those of their parts,
stand in manipulation.py. Imports cyops and composites.py; ops.py derives the public functions.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import cyops
from cyops import Strided
from cytensor.composites import operands
from cytensor.types import ArrayLike

NONE, RECORDED = "none", "recorded"


class Row(NamedTuple):
    """One function: NumPy's, the kinds of dtype it takes, its gradient, and what its docstring says."""

    function: Callable[..., Any]
    inputs: int
    kinds: str
    gradient: str
    doc: str
    example: str


ROWS: dict[str, Row] = {
    "log2": Row(np.log2, 1, "fc", RECORDED, "The logarithm to base 2.", "ct.log2([1., 8.]).tolist() == [0.0, 3.0]"),
    "log10": Row(np.log10, 1, "fc", RECORDED, "The logarithm to base 10.",
                 "float(ct.log10(1.)) == 0"),
    "logaddexp": Row(np.logaddexp, 2, "f", RECORDED, "log(exp(x1) + exp(x2)) without overflow.",
                     "float(ct.logaddexp(1000., 0.)) == 1000"),
    "hypot": Row(np.hypot, 2, "f", RECORDED, "sqrt(x1 ** 2 + x2 ** 2) without overflow.",
                 "float(ct.hypot(3., 4.)) == 5"),
    "copysign": Row(np.copysign, 2, "f", RECORDED, "The magnitude of x1 with the sign of x2, zeros' signs included.",
                    "float(ct.copysign(3., -0.)) == -3"),
    "nextafter": Row(np.nextafter, 2, "f", NONE, "The next number after x1 in the direction of x2.",
                     "float(ct.nextafter(1., 2.)) > 1"),
    "signbit": Row(np.signbit, 1, "f", NONE, "Whether the sign bit is set, which it is for -0; the result is bool.",
                   "bool(ct.signbit(-0.))"),
    "trunc": Row(np.trunc, 1, "iuf", NONE, "Rounded towards zero, in the dtype of x.",
                 "ct.trunc([-1.5, 1.5]).tolist() == [-1.0, 1.0]"),
    "bitwise_and": Row(np.bitwise_and, 2, "biu", NONE, "The bits that are set in both.",
                       "int(ct.bitwise_and(6, 3)) == 2"),
    "bitwise_or": Row(np.bitwise_or, 2, "biu", NONE, "The bits that are set in either.",
                      "int(ct.bitwise_or(6, 3)) == 7"),
    "bitwise_xor": Row(np.bitwise_xor, 2, "biu", NONE, "The bits that are set in one of the two.",
                       "int(ct.bitwise_xor(6, 3)) == 5"),
    "bitwise_invert": Row(np.bitwise_invert, 1, "biu", NONE, "Each bit turned over.",
                          "int(ct.bitwise_invert(0)) == -1"),
    "bitwise_left_shift": Row(np.left_shift, 2, "iu", NONE, "The bits of x1 moved up by x2 places.",
                              "int(ct.bitwise_left_shift(1, 3)) == 8"),
    "bitwise_right_shift": Row(np.right_shift, 2, "iu", NONE, "The bits of x1 moved down by x2 places.",
                               "int(ct.bitwise_right_shift(8, 3)) == 1"),
    "logical_xor": Row(np.logical_xor, 2, "biufc", NONE, "Whether one of the two is nonzero; the result is bool.",
                       "bool(ct.logical_xor(True, False))"),
}
KIND_NAMES = {"b": "bool", "i": "signed integer", "u": "unsigned integer", "f": "floating", "c": "complex"}


def _views(op: str, row: Row, given: tuple[ArrayLike, ...]) -> tuple[list[Strided], list[Any]]:
    """The operands as tensors and as NumPy's arrays; Python's numbers stay weak beside a tensor."""
    is_weak = [type(x) in (bool, int, float, complex) for x in given]
    tensors = operands(op, *given)
    arrays: list[Any] = [x if weak and not all(is_weak) else np.asarray(tensor)
                         for x, weak, tensor in zip(given, is_weak, tensors, strict=True)]
    for x in tensors:
        if x.dtype.kind not in row.kinds + "biu" * ("f" in row.kinds):
            names = ", ".join(KIND_NAMES[kind] for kind in row.kinds)
            raise TypeError(f"{op}: needs dtypes of the kinds {names}; got dtype {x.dtype}")
    if "f" in row.kinds and "i" not in row.kinds:      # bools and integers compute as float32, as in every op
        arrays = [array.astype(np.float32) if isinstance(array, np.ndarray) and array.dtype.kind in "biu" else array
                  for array in arrays]
    return tensors, arrays


def of_class(result: Strided, like: Strided) -> Strided:
    """`result` as a tensor of the class that ops on `like` give."""
    cls = type(cyops.detach(like))
    return result if cls is Strided else cyops.as_class(result, cls)


def apply(op: str, *given: ArrayLike) -> Strided:
    """The function of a row on its operands, recorded where it has a gradient; the result is of the tensors' class."""
    row = ROWS[op]
    tensors, arrays = _views(op, row, given)
    try:
        np.broadcast_shapes(*(x.shape for x in tensors))
    except ValueError:
        raise ValueError(f"{op}: shapes must broadcast; got {' and '.join(str(x.shape) for x in tensors)}") from None
    with np.errstate(all="ignore"):
        result = Strided(np.asarray(row.function(*arrays)))
    like = next((x for x in tensors if type(x) is not Strided), tensors[0])
    half = next((x.dtype for x in tensors if str(x.dtype) == "bfloat16"), None)
    if half is not None and row.gradient is RECORDED and all(str(x.dtype) == "bfloat16" for x in tensors):
        result = cyops.astype(result, half)
    if row.gradient is RECORDED and result.dtype.kind == "f":
        recorded = tuple(x if x.dtype == result.dtype else cyops.astype(x, result.dtype) for x in tensors)
        result = of_class(result, like)      # before it is recorded: a tape knows a tensor by identity
        cyops.record_op(op, recorded, result, {})
    return result


def _made(name: str, row: Row) -> Callable[..., Strided]:
    if row.inputs == 1:
        def function(x: ArrayLike, /) -> Strided:
            return apply(name, x)
    else:
        def function(x1: ArrayLike, x2: ArrayLike, /) -> Strided:  # type: ignore[misc]
            return apply(name, x1, x2)
    kinds = ", ".join(KIND_NAMES[kind] for kind in row.kinds)
    gradient = "" if row.gradient is RECORDED else " It has no gradient."
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (f"{row.doc}\n\n    Element by element, broadcast; dtypes of the kinds {kinds}.{gradient} "
                        f"TypeError for other dtypes.\n    As the Array API standard's `{name}`; computed by NumPy.\n\n"
                        f"    >>> import cytensor as ct\n    >>> {row.example}\n    True\n    ")
    return function


NUMPY_FUNCTIONS = {name: _made(name, row) for name, row in ROWS.items()}
