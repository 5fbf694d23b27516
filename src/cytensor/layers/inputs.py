"""What a layer is called with: tensors, and structures of tensors, made of whatever array-like there is."""
from collections.abc import Callable
from typing import Any

import numpy as np

from cytensor import nested, ops
from cytensor.tensor import Tensor, asarray
from cytensor.types import ArrayLike, Nested, Shape

_NUMBERS = (bool, int, float, complex, str, bytes, type(None), np.generic)


def is_array(x: Any) -> bool:
    """Whether x is an array of whatever library: a leaf, where a list of numbers may be one too."""
    return not isinstance(x, _NUMBERS) and (hasattr(x, "shape") or hasattr(x, "__array__"))


def is_container(x: Any) -> bool:
    """Whether x holds several inputs: a dictionary, or a list or tuple with an array somewhere inside.

    >>> is_container([[1., 2.], [3., 4.]]), is_container([np.ones(2), [3., 4.]]), is_container({"a": 1.})
    (False, True, True)
    """
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(
        type(item) is not float and type(item) is not int and (is_array(item) or is_container(item)) for item in x)


def converted(x: Any, leaf: Callable[[Any], Any]) -> Nested:
    """x with `leaf` of each array and each list of numbers in it; in a structure, numbers and None stay."""
    if not is_container(x):
        return x if isinstance(x, tuple) and not x else leaf(x)
    if isinstance(x, dict):
        return nested.rebuilt(x, [_part(value, leaf) for value in x.values()])
    return nested.rebuilt(x, [_part(item, leaf) for item in x])


def _part(x: Any, leaf: Callable[[Any], Any]) -> Nested:
    return x if isinstance(x, _NUMBERS) else converted(x, leaf)


def with_arrays_converted(x: Any, leaf: Callable[[Any], Any]) -> Nested:
    """x with `leaf` of each array in it, and everything else as it is: for what is not the input itself."""
    if is_container(x):
        parts = x.values() if isinstance(x, dict) else x
        return nested.rebuilt(x, [with_arrays_converted(part, leaf) for part in parts])
    return leaf(x) if is_array(x) and getattr(getattr(x, "dtype", None), "kind", "f") in "biuf" else x


def cast(x: ArrayLike, dtype: np.dtype[Any], casts_integers: bool) -> Tensor:
    """Anything array-like as a tensor; floats in `dtype`, and integers too where casts_integers."""
    x = asarray(x)
    if x.dtype != dtype and (x.dtype.kind == "f" or (casts_integers and x.dtype.kind in "iub")):
        x = x.astype(dtype)
    return x


def in_known_rank(x: Tensor, shape: Shape | None) -> Tensor:
    """x (n,) as (n, 1) where `shape` says so, and (n, k, 1) as (n, k), as Keras's models take them; a view."""
    if shape is not None and x.ndim != len(shape):
        if x.ndim == len(shape) - 1 and shape[-1] == 1:
            return ops.expand_dims(x, -1)
        if x.ndim == len(shape) + 1 and x.shape[-1] == 1:
            return ops.squeeze(x, -1)
    return x
