"""The parts of a batch: x, y and sample_weight, and the inputs that x may be made of.

    x, (x,), (x, y) or (x, y, sample_weight); x a tensor, or a structure of several: tuples, lists, dictionaries
"""
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from cytensor import nested
from cytensor.data.sources import as_source, is_sparse
from cytensor.tensor import Tensor
from cytensor.types import Array, Nested

Rows: TypeAlias = Sequence[int] | Array            # numbers of samples in the caller's data


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) from a batch: x, (x,), (x, y) or (x, y, sample_weight); None for what is missing."""
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if 1 <= len(data) <= 3:
        return (*data, *(None,) * (3 - len(data)))
    raise ValueError(f"a batch must be x, (x, y) or (x, y, sample_weight); got {len(data)} parts")


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The shortest batch that `unpack_x_y_sample_weight` reads back."""
    if y is None:
        return x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def is_iterator(x: Any) -> bool:
    """Whether x yields batches (a generator, an iterator, a dataset) and is not data itself."""
    if x is None or isinstance(x, (np.ndarray, Tensor, list, tuple, dict, str, bytes)) or hasattr(x, "__array__"):
        return False
    if is_sparse(x):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def as_inputs(op: str, x: Any, several: bool, name: str = "x") -> Nested:
    """x as a tensor, or where there may be several inputs and x is such, a structure like x of tensors."""
    if not several or not _is_structure(x):
        return as_source(op, name, x)
    parts = x.items() if isinstance(x, dict) else enumerate(x)
    return nested.rebuilt(x, [as_inputs(op, value, True, f"{name}[{key!r}]") for key, value in parts])


def _is_structure(x: Any) -> bool:
    """Whether x is several inputs. A list of numbers or of lists of them is one, and so is a tuple of numbers."""
    if isinstance(x, Tensor) or not isinstance(x, (tuple, dict, list)) or not x:
        return False
    if isinstance(x, list):
        return all(_is_structure(item) or (np.ndim(item) > 0 and hasattr(item, "shape")) for item in x)
    return isinstance(x, dict) or any(isinstance(item, (list, tuple, dict)) or hasattr(item, "shape") for item in x)


def named_inputs(x: Any, name: str = "x") -> list[tuple[str, Any]]:
    """(name, tensor) of each input, in the order in which `nested` packs them."""
    if isinstance(x, dict):
        return [one for key in sorted(x) for one in named_inputs(x[key], f"{name}[{key!r}]")]
    if isinstance(x, (tuple, list)):
        return [one for i, value in enumerate(x) for one in named_inputs(value, f"{name}[{i}]")]
    return [(name, x)]


def count_samples(x: Any) -> int:
    """The length of the first axis of an input, or of the first of several."""
    return x.shape[0] if hasattr(x, "shape") else len(named_inputs(x)[0][1])


def find_not_finite(data: Any, rows: Rows | None = None) -> str:
    """`y is nan for sample 3` where a batch has a number that is none; an empty string where it has not.

    rows: the numbers of the batch's samples in the caller's data, where they are known.
    """
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    for name, part in (*named_inputs(x), *named_inputs(y, "y"), *named_inputs(sample_weight, "sample_weight")):
        if isinstance(part, Tensor) and part.dtype.kind == "f" and not np.isfinite(part.numpy()).all():
            return f"{name} is {first_not_finite(part, rows)}"
    return ""


def first_not_finite(tensor: Tensor, rows: Rows | None = None) -> str:
    """`nan for sample 3`."""
    values = tensor.numpy()
    at = np.argwhere(~np.isfinite(values))[0]
    return f"{values[tuple(at)]} for sample {at[0] if rows is None else rows[at[0]]}"
