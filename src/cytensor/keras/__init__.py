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
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from cytensor.absent import explain
from cytensor.dtype_policies import DTypePolicy, FloatDTypePolicy
from cytensor.keras import backend, preprocessing
from cytensor.layers import Input, Layer
from cytensor.models import Model, Sequential
from cytensor.symbolic import KerasTensor
from cytensor.tensor import Variable

_MODULES = {
    "activations": activations, "backend": backend, "callbacks": callbacks, "constraints": constraints,
    "datasets": datasets, "dtype_policies": dtype_policies, "initializers": initializers, "layers": layers,
    "losses": losses, "metrics": metrics, "mixed_precision": mixed_precision, "models": models, "ops": ops,
    "optimizers": optimizers, "preprocessing": preprocessing, "random": random,
    "regularizers": regularizers, "saving": saving, "utils": utils,
}
for _name, _module in _MODULES.items():
    sys.modules[f"{__name__}.{_name}"] = _module
for _name in datasets.__all__:
    if _name != "load_idx":
        sys.modules[f"{__name__}.datasets.{_name}"] = getattr(datasets, _name)

__all__ = ["DTypePolicy", "FloatDTypePolicy", "Input", "KerasTensor", "Layer", "Model", "Sequential", "Variable",
           *_MODULES]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
