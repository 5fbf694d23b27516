"""The border to NumPy's functions: `np.exp(tensor)`, `array + tensor`, and ufuncs that have no op here.

Gives Tensor its `__array_ufunc__`, so that tensor.py needs to know nothing of this file.
"""
from typing import Any

import numpy as np

from cyops import OPS, Strided
from cytensor.tensor import Tensor

# NumPy's names for our ops; a ufunc of the same name needs no entry.
OP_OF_UFUNC = {
    "power": "pow", "true_divide": "divide", "absolute": "abs", "rint": "round", "conjugate": "copy", "fabs": "abs",
}


def apply_ufunc(_: Any, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """`Tensor.__array_ufunc__`: the op of the same meaning, else NumPy on zero-copy views.

    Through the op, a tape records the call. Through NumPy the result is a Tensor without a history. Writing into a
    Tensor with `out=` is refused with TypeError, because NumPy cannot tell a tape about it.
    """
    written = inputs[:1] if method == "at" else options.get("out", ())
    if any(isinstance(out, Strided) for out in written):
        raise TypeError(f"{ufunc.__name__}: NumPy cannot write into a tensor; use the function of cytensor with out=")
    name = OP_OF_UFUNC.get(ufunc.__name__, ufunc.__name__)
    if method == "__call__" and not options and name in OPS:
        return _as_tensor(OPS[name].kernel(*inputs))
    arrays = [_as_array(x) if isinstance(x, Strided) else x for x in inputs]
    result = getattr(ufunc, method)(*arrays, **options)
    if isinstance(result, tuple):
        return tuple(_as_tensor(part) for part in result)
    return result if "out" in options or result is None else _as_tensor(result)


def _as_array(x: Strided) -> Any:
    """A view of the memory; of bfloat16, which NumPy lacks, a float32 copy."""
    return np.asarray(memoryview(x)) if isinstance(x.dtype, np.dtype) else np.asarray(x)


def _as_tensor(result: Any) -> Tensor:
    return result if isinstance(result, Tensor) else Tensor(result)


Tensor.__array_ufunc__ = apply_ufunc
