"""Layers. base.py has the Layer class; the others one kind of layer each."""
from cytensor import registry
from cytensor.absent import explain
from cytensor.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from cytensor.layers.base import Layer
from cytensor.layers.dense import Dense
from cytensor.layers.embedding import Embedding
from cytensor.layers.encoding import CategoryEncoding
from cytensor.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from cytensor.layers.noise import Dropout, GaussianDropout, GaussianNoise
from cytensor.layers.normalization import BatchNormalization, LayerNormalization, UnitNormalization
from cytensor.layers.scaling import Rescaling
from cytensor.layers.shaping import Flatten, Identity, Input, InputLayer, Permute, RepeatVector, Reshape
from cytensor.layers.standardising import Normalization

__all__ = ["Activation", "Add", "Average", "BatchNormalization", "CategoryEncoding", "Concatenate", "Dense",
           "Dropout", "ELU", "Embedding", "Flatten", "GaussianDropout", "GaussianNoise", "Identity", "Input",
           "InputLayer", "Layer", "LayerNormalization", "LeakyReLU", "Maximum", "Minimum", "Multiply",
           "Normalization", "PReLU", "Permute", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Softmax", "Subtract",
           "UnitNormalization", "add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract"]


def __dir__() -> list[str]:
    return [*__all__]


registry.register("layers", *(entry for entry in map(globals().get, __all__) if isinstance(entry, type)))
explain(__name__)
