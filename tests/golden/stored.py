"""The values of keras.json, and how far apart float32 rounding may bring two evaluations of the same formula."""
import json
from pathlib import Path

import numpy as np

_GOLDEN = json.loads(Path(__file__).with_name("keras.json").read_text(encoding="utf-8"))
EPS = float(np.finfo(np.float32).eps)


def cases(kind):
    """[(name, arguments, expected)] of one kind."""
    return [(name, arguments, expected) for name, arguments, expected in _GOLDEN[kind]]


def close(actual, expected, roundings=16, scale=1.0):
    """Whether two results of about `roundings` float32 operations on values of size `scale` agree."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return actual.shape == expected.shape and bool(
        (np.abs(actual - expected) <= roundings * EPS * np.maximum(np.abs(expected), scale)).all())
