"""Layers. base.py has the Layer class; the others one kind of layer each."""
from cytensor import registry
from cytensor.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from cytensor.layers.base import Layer
from cytensor.layers.dense import Dense
from cytensor.layers.noise import Dropout, GaussianNoise
from cytensor.layers.scaling import Rescaling
from cytensor.layers.shaping import Flatten, Input, InputLayer, Reshape

__all__ = [
           "ELU",
           "Activation",
           "Dense",
           "Dropout",
           "Flatten",
           "GaussianNoise",
           "Input",
           "InputLayer",
           "Layer",
           "LeakyReLU",
           "ReLU",
           "Rescaling",
           "Reshape",
           "Softmax",
]

registry.register("layers", *(entry for entry in map(globals().get, __all__) if isinstance(entry, type)))
