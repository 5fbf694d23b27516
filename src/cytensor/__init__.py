"""cytensor: tensors and neural-network training on the CPU.

>>> import cytensor as ct
>>> x = ct.asarray([[1., 2.], [3., 4.]])
>>> (x @ x.T).sum()
<Tensor shape=() dtype=float32: 52.>

Training words are Keras's (`Sequential`, `layers.Dense`, `fit`), tensor words are the Array API standard's (`asarray`,
`permute_dims`, `matmul`), and the low-level words of TensorFlow's textbooks exist as aliases (`constant`,
`reduce_mean`, `GradientTape`). Imports go one way:

    cyops  <-  tensor  <-  ops  <-  autodiff  <-  symbolic  <-  layers, losses  <-  models, training  <-  cli

Importing the package loads tensors, ops and tapes; the training modules are loaded when they are first named.
"""
import sys
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from cyops import (
    available_isas,
    empty_cache,
    get_num_threads,
    isa,
    memory_stats,
    set_cache_limit,
    set_num_threads,
    shares_memory,
)
from cytensor import (  # the bridge and the dispatch give Tensor __array_ufunc__ and __array_function__
    dtypes,
    einops_backend,
    inspection,
    numpy_bridge,
    numpy_dispatch,
    ops,
)
from cytensor.autodiff.tape import GradientTape
from cytensor.dtypes import *  # noqa: F403
from cytensor.dtypes import bool_ as bool  # the standard's name
from cytensor.inspection import API_VERSION as __array_api_version__
from cytensor.inspection import __array_namespace_info__, can_cast, finfo, iinfo, isdtype, result_type
from cytensor.ops import *  # noqa: F403
from cytensor.ops import constant as tensor  # PyTorch's word; the module of this name is reached by its full path
from cytensor.tensor import Tensor, Variable, asarray, from_dlpack

if TYPE_CHECKING:
    from cytensor import (
        activations as activations,
    )
    from cytensor import (
        callbacks as callbacks,
    )
    from cytensor import (
        constraints as constraints,
    )
    from cytensor import (
        datasets as datasets,
    )
    from cytensor import (
        distribution as distribution,
    )
    from cytensor import (
        dtype_policies as dtype_policies,
    )
    from cytensor import (
        fft as fft,
    )
    from cytensor import (
        initializers as initializers,
    )
    from cytensor import (
        keras as keras,
    )
    from cytensor import (
        layers as layers,
    )
    from cytensor import (
        linalg as linalg,
    )
    from cytensor import (
        losses as losses,
    )
    from cytensor import (
        metrics as metrics,
    )
    from cytensor import (
        mixed_precision as mixed_precision,
    )
    from cytensor import (
        models as models,
    )
    from cytensor import (
        nn as nn,
    )
    from cytensor import (
        optimizers as optimizers,
    )
    from cytensor import (
        plots as plots,
    )
    from cytensor import (
        random as random,
    )
    from cytensor import (
        regularizers as regularizers,
    )
    from cytensor import (
        saving as saving,
    )
    from cytensor import (
        sklearn as sklearn,
    )
    from cytensor import (
        utils as utils,
    )
    from cytensor.layers import Input as Input
    from cytensor.losses import cross_entropy as cross_entropy
    from cytensor.models import Model as Model
    from cytensor.models import Sequential as Sequential
    from cytensor.models import load_model as load_model
    from cytensor.random import set_seed as set_seed
    from cytensor.saving import load as load
    from cytensor.saving import save as save
    from cytensor.training.numerics import check_numerics as check_numerics
    from cytensor.training.numerics import gradcheck as gradcheck

newaxis = None                   # the Array API standard's name for an axis of length 1 in an index
__version__ = "0.1.0"

# Where each name that is loaded on first use lives: a module, or a module and a name in it.
_MODULES = (
    "activations", "callbacks", "constraints", "datasets", "distribution", "dtype_policies", "fft", "initializers",
    "keras", "layers", "losses", "metrics", "mixed_precision", "models", "nn", "optimizers", "plots", "random",
    "regularizers", "saving", "utils",
)
_MEMBERS = {
    "Input": "layers", "Model": "models", "Sequential": "models", "load_model": "models", "set_seed": "random",
    "cross_entropy": "losses", "load": "saving", "save": "saving",
    "check_numerics": "debugging", "gradcheck": "debugging",
}
# TensorFlow's names that are no one else's, and are asked of the module that has all of them.
TENSORFLOW = frozenset((
    "IndexedSlices", "Module", "TensorSpec", "bincount", "boolean_mask", "config", "custom_gradient", "device",
    "errors", "executing_eagerly", "fill", "gather", "gather_nd", "histogram_fixed_width", "map_fn", "math",
    "print", "reverse", "scatter_nd", "searchsorted", "slice", "squared_difference", "strided_slice", "strings",
    "tensor_scatter_nd_add", "tensor_scatter_nd_update", "tile", "truediv", "unique", "unstack", "version",
))
_EXTRAS = ("sklearn",)      # modules that need an extra: not in __all__, so that `import *` does without


def __getattr__(name: str) -> Any:
    import importlib

    if name in _MODULES or name in _EXTRAS or name == "linalg":
        return importlib.import_module(f"{__name__}.{name}")
    if name in TENSORFLOW:
        value = getattr(importlib.import_module(f"{__name__}.tensorflow"), name)
        globals()[name] = value
        return value
    if name in _MEMBERS:
        value = getattr(importlib.import_module(f"{__name__}.{_MEMBERS[name]}"), name)
        globals()[name] = value
        return value
    from cytensor.absent import error

    raise error(__name__, name, sys._getframe(1))


def __dir__() -> list[str]:
    """What the package offers, without its inner modules; the public modules do likewise."""
    return [*__all__, *_EXTRAS, "__version__"]


# Without linalg, which `from cytensor import *` would put in the place of TensorFlow's.
__all__ = [
    "GradientTape", "Tensor", "Variable", "asarray", "available_isas", "empty_cache", "from_dlpack",
    "get_num_threads", "isa", "memory_stats", "newaxis", "ops", "set_cache_limit", "set_num_threads", "shares_memory",
    "tensor", *_MODULES, "__array_api_version__", "__array_namespace_info__", "bool", "e", "inf",
    "nan", "pi", *_MEMBERS, *dtypes.__all__, *inspection.__all__, *ops.__all__,
]
