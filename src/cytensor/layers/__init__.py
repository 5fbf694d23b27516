"""Layers. base.py has the Layer class; the others one kind of layer each."""
from cytensor import registry
from cytensor.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from cytensor.layers.base import Layer
from cytensor.layers.dense import Dense
from cytensor.layers.embedding import Embedding
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
from cytensor.layers.noise import Dropout, GaussianNoise
from cytensor.layers.normalization import BatchNormalization, LayerNormalization, Normalization
from cytensor.layers.scaling import Rescaling
from cytensor.layers.shaping import Flatten, Input, InputLayer, Reshape

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

registry.register("layers", *(entry for entry in map(globals().get, __all__) if isinstance(entry, type)))
