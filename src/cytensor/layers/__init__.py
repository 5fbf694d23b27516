"""Layers. base.py has the Layer class; the others one kind of layer each."""
from cytensor import registry
from cytensor.absent import explain
from cytensor.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from cytensor.layers.base import Layer
from cytensor.layers.convolution import Conv1D, Conv2D, Conv3D, Convolution1D, Convolution2D, Convolution3D
from cytensor.layers.convolution_separable import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from cytensor.layers.convolution_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
    Convolution1DTranspose,
    Convolution2DTranspose,
    Convolution3DTranspose,
)
from cytensor.layers.dense import Dense
from cytensor.layers.embedding import Embedding
from cytensor.layers.encoding import CategoryEncoding
from cytensor.layers.function import Lambda
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
from cytensor.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from cytensor.layers.normalization import BatchNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from cytensor.layers.penalty import ActivityRegularization
from cytensor.layers.product import Dot, dot
from cytensor.layers.scaling import Rescaling
from cytensor.layers.shaping import Flatten, Identity, Input, InputLayer, Permute, RepeatVector, Reshape
from cytensor.layers.standardising import Normalization

__all__ = ["Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "BatchNormalization",
           "CategoryEncoding", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
           "Conv3DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose",
           "Convolution3D", "Convolution3DTranspose", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "Dropout",
           "ELU", "Embedding", "Flatten", "GaussianDropout", "GaussianNoise", "Identity", "Input", "InputLayer",
           "Lambda", "Layer", "LayerNormalization", "LeakyReLU", "Maximum", "Minimum", "Multiply", "Normalization",
           "PReLU", "Permute", "RMSNormalization", "ReLU", "RepeatVector", "Rescaling", "Reshape", "SeparableConv1D",
           "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D", "Softmax", "Subtract",
           "UnitNormalization", "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"]


def __dir__() -> list[str]:
    return [*__all__]


registry.register("layers", *(entry for entry in map(globals().get, __all__) if isinstance(entry, type)))
explain(__name__)
