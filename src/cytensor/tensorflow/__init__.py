"""`cytensor.tensorflow`: TensorFlow's low-level names, so that a listing runs after its import lines are changed.

`import cytensor.tensorflow as tf`, or `import cytensor as tf`, which has the same names; where TensorFlow and the Array
API standard give one name two meanings, `cytensor` has the standard's. `__version__` is the level of TensorFlow that
the names are of, for listings that ask for one.

    keywords (of the ops)  <-  arrays  <-  positions, linalg, math, strings, config, modules
"""
import types
from typing import Any

import cytensor
from cytensor import *  # noqa: F403
from cytensor import dtypes as _dtypes
from cytensor import initializers, losses, metrics, nn, ops, optimizers, random, registry
from cytensor.autodiff.custom import custom_gradient
from cytensor.tensorflow import arrays, config, errors, linalg, math, positions, strings
from cytensor.tensorflow.arrays import *  # noqa: F403
from cytensor.tensorflow.config import device
from cytensor.tensorflow.math import squared_difference, truediv
from cytensor.tensorflow.modules import Module
from cytensor.tensorflow.positions import *  # noqa: F403
from cytensor.tensorflow.specs import TensorSpec

__version__ = "2.16.0"
version: types.SimpleNamespace = types.SimpleNamespace(VERSION=__version__, GIT_VERSION="unknown")
dtypes: types.SimpleNamespace = types.SimpleNamespace(
    **{name: getattr(_dtypes, name) for name in _dtypes.__all__}, cast=ops.astype)
bool: Any = cytensor.bool_  # type: ignore[no-redef]
string: str = "str"

__all__ = [*sorted({*arrays.__all__, *positions.__all__, *cytensor.__all__, *cytensor.TENSORFLOW, "nn", "random"})]


registry.register_for_files("tensorflow", *(
    function for module in (arrays, linalg, math, positions) for function in vars(module).values()
    if getattr(function, "__module__", "").startswith("cytensor.tensorflow.") and callable(function)
    and not isinstance(function, type)))


def __getattr__(name: str) -> Any:
    return getattr(cytensor, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
