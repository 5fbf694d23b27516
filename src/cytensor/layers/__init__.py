"""Layers. base.py has the Layer class; the others one kind of layer each."""
from collections.abc import Callable
from typing import Any

from cytensor import registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
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
from cytensor.layers.discretization import Discretization
from cytensor.layers.embedding import Embedding
from cytensor.layers.encoding import CategoryEncoding
from cytensor.layers.function import Lambda
from cytensor.layers.group_normalization import GroupNormalization
from cytensor.layers.lookup import IntegerLookup, StringLookup
from cytensor.layers.masking import Masking
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
from cytensor.layers.padding import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from cytensor.layers.penalty import ActivityRegularization
from cytensor.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from cytensor.layers.product import Dot, dot
from cytensor.layers.scaling import Rescaling
from cytensor.layers.shaping import Flatten, Identity, Input, InputLayer, Permute, RepeatVector, Reshape
from cytensor.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from cytensor.layers.standardising import Normalization
from cytensor.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

__all__ = ["deserialize", "serialize",
           "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D",
           "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "BatchNormalization",
           "CategoryEncoding", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
           "Conv3DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose",
           "Convolution3D", "Convolution3DTranspose", "Cropping1D", "Cropping2D", "Cropping3D", "Dense",
           "DepthwiseConv1D", "DepthwiseConv2D", "Discretization", "Dot", "Dropout", "ELU", "Embedding", "Flatten",
           "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
           "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D",
           "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
           "GroupNormalization", "Identity", "Input", "InputLayer", "IntegerLookup", "Lambda", "Layer",
           "LayerNormalization", "LeakyReLU", "MaxPool1D", "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D",
           "MaxPooling3D", "Masking", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "Permute",
           "RMSNormalization", "ReLU", "RepeatVector", "Rescaling", "Reshape", "SeparableConv1D", "SeparableConv2D",
           "SeparableConvolution1D", "SeparableConvolution2D", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
           "SpatialDropout3D", "StringLookup", "Subtract", "UnitNormalization", "UpSampling1D", "UpSampling2D",
           "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "add", "average", "concatenate", "dot",
           "maximum", "minimum", "multiply", "subtract"]


def __dir__() -> list[str]:
    return [*__all__]


registry.register("layers", *(entry for entry in map(globals().get, __all__) if isinstance(entry, type)))
deserialize: Callable[..., Any] = deserializer("layers")
explain(__name__)
