"""`__array_function__`: NumPy's functions of tensors give tensors, with a gradient where the function is here too.

`np.concatenate([tensor, array])` calls the function of this package where one has the same meaning and takes the same
arguments; else NumPy computes on the tensors' memory, and the result is a tensor without a history. That is refused
with TypeError for a tensor which an active tape follows: no gradient is lost in silence. `out=` cannot be a tensor.
"""
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import cyops
from cyops import Strided
from cytensor.ops import FUNCTIONS
from cytensor.tensor import Tensor, asarray

# NumPy's name -> ours, where they differ; a function of the same name needs no entry.
RENAMED = {"concatenate": "concat", "transpose": "permute_dims", "amax": "max", "amin": "min"}
# Parameters that NumPy names otherwise.
PARAMETERS = {"ddof": "correction", "a": "x", "arr": "x", "arrays": "tensors", "m": "x", "a_min": "min", "a_max": "max",
              "newshape": "shape"}
# Whose arguments mean something else here; NumPy computes them.
NUMPYS_OWN = {"pad", "resize"}


def _functions(module: str) -> dict[str, Any]:
    """Ours in the place of a module of NumPy's; linalg is imported when it is first asked for."""
    if module != "numpy.linalg":
        return FUNCTIONS if module == "numpy" else {}
    from cytensor import linalg
    return {**vars(linalg), "norm": FUNCTIONS["norm"]}


def _ours(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of the function of this package, NotImplemented where there is none that takes the arguments."""
    name = RENAMED.get(func.__name__, func.__name__)
    functions = _functions(func.__module__)
    if name not in functions or name in NUMPYS_OWN:
        return NotImplemented
    if any(x.dtype.kind == "c" for x in (*_leaves(args), *_leaves(kwargs))):    # which no tape records
        return NotImplemented
    given = {key: value for key, value in kwargs.items() if value is not None and value is not np._NoValue}
    names = inspect.signature(functions[name]).parameters
    if any(one.kind is one.VAR_POSITIONAL for one in names.values()) and any(value is None for value in args):
        return NotImplemented               # np.broadcast_arrays(x, None), as matplotlib calls it
    translated = {key if key in names else PARAMETERS.get(key, key): value for key, value in given.items()}
    try:
        inspect.signature(functions[name]).bind(*args, **translated)
    except TypeError:
        return NotImplemented
    result = functions[name](*args, **translated)
    return translated["out"] if isinstance(translated.get("out"), Strided) else result


def _leaves(value: Any) -> Iterable[Strided]:
    if isinstance(value, Strided):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))


def _as_arrays(value: Any) -> Any:
    if isinstance(value, Strided):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        parts = [_as_arrays(one) for one in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return {key: _as_arrays(one) for key, one in value.items()} if type(value) is dict else value


def _as_tensors(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        if isinstance(value, np.ndarray) and 0 in value.strides:
            value.flags.writeable = False   # NumPy warns where memory that broadcast_arrays repeats may be written
        return asarray(value) if value.dtype.kind in "biufc" and value.dtype.itemsize <= 16 else value
    if isinstance(value, tuple):
        parts = [_as_tensors(one) for one in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return [_as_tensors(one) for one in value] if isinstance(value, list) else value


def apply_function(_: Any, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`Tensor.__array_function__`: see the module."""
    result = _ours(func, args, kwargs)
    if result is not NotImplemented:
        return result
    if any(True for _ in _leaves(kwargs.get("out"))):
        raise TypeError(f"{func.__name__}: NumPy cannot write into a tensor; assign the result with x[...] = result")
    followed = [x for x in (*_leaves(args), *_leaves(kwargs)) if x.dtype.kind == "f" and cyops.is_recorded(x)]
    result = _as_tensors(func(*_as_arrays(args), **_as_arrays(kwargs)))
    if followed and any(x.dtype.kind == "f" for x in _leaves(result)):
        raise TypeError(f"{func.__name__}: a tape follows this tensor, and numpy.{func.__name__} has no gradient here; "
                        "use the functions of cytensor, or x.numpy() for a constant")
    return result


Tensor.__array_function__ = apply_function
