"""What steps give, as callers of `fit`, `evaluate` and `predict` get it: Python numbers and NumPy arrays.

Imported by trainer.py, evaluation.py and fitting.py.
"""
from typing import Any, TypeAlias

import numpy as np

from cytensor import nested
from cytensor.types import Logs, Nested

Returned: TypeAlias = Any              # logs in a dictionary, a list of their values, or the only value there is


def as_floats(step: str, logs: Any) -> Logs:
    """The logs of `step`, its name, with every value a Python number; a step may return tensors."""
    if not isinstance(logs, dict):
        raise TypeError(f"{step}: must return a dictionary of logs; got {type(logs).__name__}")
    return {name: value if type(value) is float or isinstance(value, list) else _as_float(value)
            for name, value in logs.items()}


def _as_float(value: Any) -> float | list[Any]:
    return float(value) if np.ndim(value) == 0 else np.asarray(value).tolist()


def as_returned(logs: Logs, return_dict: bool) -> Returned:
    """Logs as `evaluate` returns them: a dictionary, or a list of their values, or the only value there is."""
    if return_dict:
        return logs
    return list(logs.values()) if len(logs) > 1 else next(iter(logs.values()))


def as_arrays(output: Nested) -> Nested:
    """A tensor, or tensors in a tuple, list or dictionary, as NumPy arrays with memory of their own.

    A model may give back its input, a weight or what it keeps, and a batch's memory may serve for the next one.
    """
    if isinstance(output, dict):
        return nested.rebuilt(output, [as_arrays(value) for value in output.values()])
    if isinstance(output, (tuple, list)):
        return nested.rebuilt(output, [as_arrays(value) for value in output])
    return np.array(output)


def joined(outputs: list[Nested]) -> Nested:
    """The arrays of all batches, joined along the axis of samples; those of one batch as they are."""
    if len(outputs) == 1:
        return outputs[0]
    parts = zip(*map(nested.flatten, outputs), strict=True)
    return nested.pack_like(outputs[0], [np.concatenate(part) for part in parts])
