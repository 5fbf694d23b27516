"""`keras.backend`: the few of its functions that listings still call, for what is set for the whole process."""
from typing import Any

import numpy as np

from cytensor import dtype_policies
from cytensor.absent import explain
from cytensor.dtypes import as_dtype
from cytensor.losses.functions import EPSILON
from cytensor.ops import maximum, zeros
from cytensor.symbolic import KerasTensor
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Array, ArrayLike
from cytensor.utils import clear_session

__all__ = ["backend", "clear_session", "epsilon", "floatx", "get_uid", "get_value", "image_data_format",
           "is_float_dtype", "is_int_dtype", "is_keras_tensor", "result_type", "set_epsilon", "set_floatx",
           "set_image_data_format", "set_value", "standardize_dtype"]

_uids: dict[str, int] = {}


def __dir__() -> list[str]:
    return [*__all__]


def floatx() -> str:
    """The dtype that layers have where none is given.

    >>> floatx()
    'float32'
    """
    return str(dtype_policies.global_policy().variable_dtype.name)


def set_floatx(value: str) -> None:
    """Let layers that are made from here on be of another dtype: "float16", "float32" or "float64"."""
    if value not in ("float16", "float32", "float64", "bfloat16"):
        raise ValueError(f"set_floatx: value must be 'bfloat16', 'float16', 'float32' or 'float64'; got {value!r}")
    dtype_policies.set_global_policy(value)


def epsilon() -> float:
    """How far from 0 and 1 losses keep probabilities: 1e-7."""
    return EPSILON


def set_epsilon(value: float) -> None:
    """Nothing for 1e-7; ValueError for another value, for it is fixed here."""
    if value != EPSILON:
        raise ValueError(f"set_epsilon: it is {EPSILON} here and cannot be set; got {value!r}")


def image_data_format() -> str:
    """Where images have their channels where a layer is not told: "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Nothing for "channels_last"; ValueError for another, which each layer takes as its `data_format`."""
    if data_format != "channels_last":
        raise ValueError(f"set_image_data_format: layers take data_format, which is 'channels_last' where they are "
                         f"not told; got {data_format!r}")


def backend() -> str:
    """The name of what computes: "cytensor"."""
    return "cytensor"


def get_uid(prefix: str = "") -> int:
    """How often this was asked for the prefix, from 1."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype; `floatx()` for None. TypeError for what is none."""
    return floatx() if dtype is None else str(as_dtype("standardize_dtype", dtype, with_bfloat16=True).name)


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is floating."""
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is of integers, signed or not."""
    return "int" in standardize_dtype(dtype)


def is_keras_tensor(x: object) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def result_type(*dtypes: Any) -> str:
    """The name of the dtype that an operation of these dtypes gives.

    >>> result_type("int32", "float32")
    'float32'
    """
    total = zeros((), standardize_dtype(dtypes[0] if dtypes else None))
    for dtype in dtypes[1:]:
        total = maximum(total, zeros((), standardize_dtype(dtype)))
    return str(total.dtype.name)


def get_value(x: ArrayLike) -> Array:
    """The values of a tensor or variable as a NumPy array of its own.

    >>> get_value(Variable([1., 2.]))
    array([1., 2.], dtype=float32)
    """
    return np.array(asarray(x).numpy())


def set_value(x: Variable, value: ArrayLike) -> None:
    """`x.assign(value)`; TypeError for what is no Variable."""
    if not isinstance(x, Variable):
        kind = "a Tensor, which has a fixed value" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"set_value: a Variable is expected; got {kind}")
    x.assign(value)


explain(__name__)
