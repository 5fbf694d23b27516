"""`cytensor.keras`: the names of `tensorflow.keras`, so that a listing runs after its import lines are changed.

Every module here is the module of cytensor itself under a second name: `from cytensor.keras.layers import Dense` gives
`cytensor.layers.Dense`.
"""
import sys

from cytensor import (
    activations,
    callbacks,
    constraints,
    datasets,
    distribution,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from cytensor.absent import explain
from cytensor.dtype_policies import DTypePolicy, FloatDTypePolicy
from cytensor.initializers import Initializer
from cytensor.keras import backend, config, ops, preprocessing
from cytensor.layers import Input, Layer
from cytensor.losses import Loss
from cytensor.metrics import Metric
from cytensor.models import Model, Sequential
from cytensor.optimizers import Optimizer
from cytensor.regularizers import Regularizer
from cytensor.symbolic import KerasTensor
from cytensor.tensor import Variable
from cytensor.tensorflow.config import device

_MODULES = {
    "activations": activations, "backend": backend, "callbacks": callbacks, "config": config,
    "constraints": constraints, "datasets": datasets, "distribution": distribution,
    "dtype_policies": dtype_policies,
    "initializers": initializers, "layers": layers,
    "losses": losses, "metrics": metrics, "mixed_precision": mixed_precision, "models": models, "ops": ops,
    "optimizers": optimizers, "preprocessing": preprocessing, "random": random,
    "regularizers": regularizers, "saving": saving, "utils": utils,
}
for _name, _module in _MODULES.items():
    sys.modules[f"{__name__}.{_name}"] = _module
for _name in datasets.__all__:
    if _name != "load_idx":
        sys.modules[f"{__name__}.datasets.{_name}"] = getattr(datasets, _name)

__version__ = "3.15.0"       # the level of Keras that the names are of
__all__ = ["DTypePolicy", "FloatDTypePolicy", "Initializer", "Input", "KerasTensor", "Layer", "Loss", "Metric", "Model",
           "Optimizer", "Regularizer", "Sequential", "Variable", "device", "version", *_MODULES]


def version() -> str:
    """The level of Keras that the names are of."""
    return __version__


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
