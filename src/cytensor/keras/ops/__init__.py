"""`keras.ops`: the ops under all names of Keras 3 that can be computed here, on tensors and on symbolic ones.

What Keras and the ops call the same is the same function. The rest is made from tables: formulas (elementwise,
statistics, NumPy's for whole numbers), shaping (views, parts, loops), neural (windows, losses, matrices). What is not
there says why (`cytensor/absent.py`).
"""
import types
from typing import Any

from cytensor import ops as _ops
from cytensor.absent import explain
from cytensor.autodiff.custom import custom_gradient
from cytensor.keras.ops import formulas as _formulas
from cytensor.keras.ops import neural as _neural
from cytensor.keras.ops import shaping as _shaping
from cytensor.keras.ops.shaping import cond, fori_loop, map, scan, switch, vectorized_map, while_loop
from cytensor.ops import *  # noqa: F403

# Keras's other names of the same functions.
_SAME = {"true_divide": "divide", "mod": "remainder"}
_FUNCTIONS: dict[str, Any] = {
    **{name: _ops.FUNCTIONS[ours] for name, ours in _SAME.items()},
    **_formulas.FUNCTIONS, **_shaping.FUNCTIONS, **_neural.FUNCTIONS, **_neural.ASKED,
}
globals().update(_FUNCTIONS)


def _module(name: str, names: str) -> types.SimpleNamespace:
    return types.SimpleNamespace(**{word: globals()[word] for word in names.split()})


linalg: types.SimpleNamespace = _module(
    "linalg", "cholesky det eigh inv logdet matrix_rank norm pinv qr slogdet solve svd")
nn: types.SimpleNamespace = _module(
    "nn", " ".join((*_neural.FUNCTIONS, "relu sigmoid softmax log_softmax max_pool average_pool psnr")))
numpy: types.SimpleNamespace = _module("numpy", " ".join((*_FUNCTIONS, *_ops.__all__)))

_WORDS = ("cond", "custom_gradient", "fori_loop", "linalg", "map", "nn", "numpy", "scan", "switch", "vectorized_map",
          "while_loop")
__all__: list[str] = sorted({*_ops.__all__, *_FUNCTIONS, *_WORDS})


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
