"""What may be given as x, y and sample_weight: arrays of numbers from NumPy, pandas, PyTorch and others, as tensors.

What cannot be is refused in the caller's terms: the columns of a table by their names, sparse matrices and text with
what to do instead. Only the files of this folder import it.
"""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor import nested
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, Nested

NUMBERS = (bool, int, float, np.number, np.bool_)
KINDS = {"O": "objects", "M": "dates", "m": "time spans", "U": "text", "S": "text", "T": "text", "c": "complex numbers",
         "V": "records"}


def is_sparse(value: object) -> bool:
    """Whether this is a sparse matrix, of SciPy or another library with its methods."""
    return hasattr(value, "toarray") and hasattr(value, "nnz")


def as_source(op: str, name: str, value: Any) -> Tensor:
    """`value` as a tensor with a first axis of samples; no copy where it has a buffer.

    TypeError or ValueError, naming `op` and `name`, for what is not numbers in one array.
    """
    try:
        tensor = value if type(value) is Tensor else asarray(_as_array(name, value))
    except (TypeError, ValueError, RuntimeError) as error:         # the last from PyTorch
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{op}: {name} must be numbers in one array; got {type(value).__name__}: {error}") from error
    if tensor.ndim == 0:
        raise ValueError(f"{op}: {name} must have a first axis of samples; got a scalar")
    if tensor.dtype.kind not in "fiub":
        raise TypeError(f"{op}: {name} must be numbers; got {_described(tensor.dtype)}{_hint(name)}")
    return tensor


def _hint(name: str) -> str:
    return "; number the classes from 0, as numpy.unique(y, return_inverse=True) does" if name == "y" else ""


def as_targets(op: str, value: Any, outputs: Sequence[str] | None = ()) -> Nested:
    """y as a tensor, or for several outputs as a structure of tensors.

    outputs: their names; none for a model that has one output, None where only the model's `call` knows them. A list,
    tuple or dictionary of one array is that array; of several it is refused where there is one output. A list of arrays
    of one axis is the rows of one array, unless there is one for each output.
    """
    given = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(given, (list, tuple)) or not given or not all(map(_holds_arrays, given)):
        return as_source(op, "y", value)
    if len(given) == 1 and (outputs is None or len(outputs) < 2):
        return as_targets(op, given[0], outputs)
    is_rows = isinstance(value, list) and getattr(given[0], "ndim", 0) == 1 and (
        outputs is None or len(outputs) < 2 or len(outputs) != len(given))
    if is_rows:
        return as_source(op, "y", given)
    if outputs is not None and len(outputs) < 2:
        shapes = ", ".join(str(tuple(getattr(part, "shape", ()))) for part in given)
        raise ValueError(f"{op}: y must be one array, for the model has one output; got {len(given)} arrays in a "
                         f"{type(value).__name__}, of shapes {shapes}")
    return _structured(op, "y", value)


def _holds_arrays(value: Any) -> bool:
    """Whether this is an array with an axis of samples, or a structure of such."""
    if isinstance(value, (list, tuple, dict)):
        return bool(value) and all(map(_holds_arrays, value.values() if isinstance(value, dict) else value))
    return bool(getattr(value, "shape", ()))


def _structured(op: str, name: str, value: Any) -> Nested:
    """A structure like `value` of tensors, each refused by its place where it is none."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple, dict)):
        return as_source(op, name, value)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return nested.rebuilt(value, [_structured(op, f"{name}[{key!r}]", part) for key, part in items])


def as_weights(op: str, value: Any, samples: int) -> Nested:
    """sample_weight as a tensor (samples, ...), or for several outputs a structure of such, with None for none.

    One number is the weight of every sample.
    """
    if (isinstance(value, dict) and value) or (isinstance(value, (list, tuple)) and any(
            isinstance(part, (list, tuple, dict)) or hasattr(part, "shape") for part in value)):
        return _structured(op, "sample_weight", value)
    if isinstance(value, NUMBERS) or getattr(value, "shape", None) == ():
        return asarray(np.full(samples, float(value), np.float32))
    return as_source(op, "sample_weight", value)


def _as_array(name: str, value: Any) -> Any:
    """What `asarray` takes: tables and columns with the numbers that NumPy would see as objects."""
    if is_sparse(value):
        raise TypeError(f"it is a sparse matrix of shape {value.shape}; give its toarray()")
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        return _of_table(value)
    if isinstance(value, np.ndarray) or (hasattr(value, "__array__") and not isinstance(value, Tensor)):
        array = _numbers_in(np.asarray(value))
        if array.dtype.kind == "O":
            raise TypeError(f"its dtype is object, and {_first_strange(array)!r} is no number{_hint(name)}")
        if array.dtype.kind not in "fiubSU":
            raise TypeError(f"it has {_described(array.dtype)}, of dtype {array.dtype}")
        return array
    return value


def _of_table(table: Any) -> Array:
    """The columns of a table side by side (samples, columns); TypeError with the names of those that are no numbers."""
    values = np.asarray(table)
    if values.dtype.kind in "fiub":
        return values
    pairs = table.items() if hasattr(table, "items") else ((name, table[name]) for name in table.columns)
    columns = [(name, _numbers_in(np.asarray(column))) for name, column in pairs]
    wrong = [f"{name!r} ({_described(column.dtype)}, such as {_first_strange(column)!r})"
             for name, column in columns if column.dtype.kind not in "fiub"]
    if wrong:
        raise TypeError(f"these columns are no numbers: {', '.join(wrong)}; leave them out or turn them into numbers, "
                        f"categories for instance by pandas.get_dummies")
    return np.column_stack([column for _, column in columns])


def _numbers_in(array: Array) -> Array:
    """An array of objects as one of numbers, where all of them are; any other as it is."""
    if array.dtype.kind != "O" or not array.size or not all(isinstance(item, NUMBERS) for item in array.flat):
        return array
    return np.array(array.tolist())


def _first_strange(array: Array) -> Any:
    """The first element that is no number; of an array of another dtype than object, the first."""
    strange = (item for item in array.flat if array.dtype.kind != "O" or not isinstance(item, NUMBERS))
    return next(strange, None)


def _described(dtype: np.dtype[Any]) -> str:
    return KINDS.get(dtype.kind, f"dtype {dtype}")
