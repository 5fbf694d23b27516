"""DepthwiseConv1D and 2D, SeparableConv1D and 2D: convolutions that do not mix channels, or mix them afterwards."""
from collections.abc import Sequence
from typing import Any, TypeAlias

from cytensor import initializers, ops
from cytensor.layers.convolution import Convolution
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor
from cytensor.types import Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class DepthwiseConv(Convolution):
    """What DepthwiseConv1D and 2D share: `depth_multiplier` filters for each channel."""
    depth_multiplier: Setting[int] = Setting(int, fixed=True)
    depthwise_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    depthwise_regularizer: Setting[WeightRegularizer] = regularizer_of("kernel")
    depthwise_constraint: Setting[WeightConstraint] = constraint_of("kernel")
    kernel: Any                                  # a Variable once it is built, and None before

    def __init__(self, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
                 depth_multiplier: int = 1, data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
                 activation: Identifier = None, use_bias: bool = True,
                 depthwise_initializer: Identifier = "glorot_uniform", bias_initializer: Identifier = "zeros",
                 depthwise_regularizer: Identifier = None, bias_regularizer: Identifier = None,
                 activity_regularizer: Identifier = None, depthwise_constraint: Identifier = None,
                 bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer, self.depthwise_regularizer = depthwise_initializer, depthwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.kernel = None

    def build(self, input_shape: Shape) -> None:
        channels = self.channels_of(input_shape)
        self.compute_output_shape(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels, self.depth_multiplier), "depthwise", "kernel")
        self.add_bias(channels * self.depth_multiplier)

    def call(self, x: Tensor) -> Tensor:
        return self.convolved(ops.depthwise_conv, x, self.kernel)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.output_shape(input_shape, self.channels_of(input_shape) * self.depth_multiplier)


class DepthwiseConv1D(DepthwiseConv):
    """Convolution of each channel along time: (n, steps, c) -> (n, steps', c * depth_multiplier).

    kernel (k, c, depth_multiplier), bias (c * depth_multiplier,). Arguments as in Keras.

    >>> DepthwiseConv1D(3, padding="same")(ops.ones((2, 10, 4))).shape
    (2, 10, 4)
    """
    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolution of each channel over pictures: (n, height, width, c) -> (n, height', width', c * depth_multiplier).

    kernel (k, k, c, depth_multiplier), bias (c * depth_multiplier,). Arguments as in Keras.

    >>> DepthwiseConv2D(3, depth_multiplier=2)(ops.ones((2, 8, 8, 4))).shape
    (2, 6, 6, 8)
    """


class SeparableConv(Convolution):
    """What SeparableConv1D and 2D share: a depthwise convolution, then one over channels alone."""
    strides_and_dilation = True
    filters: Setting[int] = Setting(int, fixed=True)
    depth_multiplier: Setting[int] = Setting(int, fixed=True)
    depthwise_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    depthwise_regularizer: Setting[WeightRegularizer] = regularizer_of("depthwise_kernel")
    depthwise_constraint: Setting[WeightConstraint] = constraint_of("depthwise_kernel")
    pointwise_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    pointwise_regularizer: Setting[WeightRegularizer] = regularizer_of("pointwise_kernel")
    pointwise_constraint: Setting[WeightConstraint] = constraint_of("pointwise_kernel")
    depthwise_kernel: Any                        # Variables once it is built, and None before
    pointwise_kernel: Any

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1,
                 padding: str = "valid", data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
                 depth_multiplier: int = 1, activation: Identifier = None, use_bias: bool = True,
                 depthwise_initializer: Identifier = "glorot_uniform",
                 pointwise_initializer: Identifier = "glorot_uniform", bias_initializer: Identifier = "zeros",
                 depthwise_regularizer: Identifier = None, pointwise_regularizer: Identifier = None,
                 bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
                 depthwise_constraint: Identifier = None, pointwise_constraint: Identifier = None,
                 bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.depth_multiplier = filters, depth_multiplier
        self.depthwise_initializer, self.pointwise_initializer = depthwise_initializer, pointwise_initializer
        self.depthwise_regularizer, self.pointwise_regularizer = depthwise_regularizer, pointwise_regularizer
        self.depthwise_constraint, self.pointwise_constraint = depthwise_constraint, pointwise_constraint
        self.depthwise_kernel = self.pointwise_kernel = None

    def build(self, input_shape: Shape) -> None:
        channels = self.channels_of(input_shape)
        self.compute_output_shape(input_shape)
        self.depthwise_kernel = self.add_kernel((*self.kernel_size, channels, self.depth_multiplier), "depthwise",
                                                "depthwise_kernel")
        self.pointwise_kernel = self.add_kernel(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters), "pointwise", "pointwise_kernel")
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        return self.convolved(ops.separable_conv, x, self.depthwise_kernel, self.pointwise_kernel)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.output_shape(input_shape, self.filters)


class SeparableConv1D(SeparableConv):
    """A convolution of each channel along time, then one over channels alone: (n, steps, c) -> (n, steps', filters).

    depthwise_kernel (k, c, depth_multiplier), pointwise_kernel (1, c * depth_multiplier, filters), bias (filters,).
    Arguments as in Keras.

    >>> SeparableConv1D(8, 3)(ops.ones((2, 10, 4))).shape
    (2, 8, 8)
    """
    rank = 1


class SeparableConv2D(SeparableConv):
    """A convolution of each channel, then one over channels alone: (n, height, width, c) -> (..., filters).

    depthwise_kernel (k, k, c, depth_multiplier), pointwise_kernel (1, 1, c * depth_multiplier, filters), bias
    (filters,). Arguments as in Keras.

    >>> SeparableConv2D(8, 3, padding="same")(ops.ones((2, 8, 8, 4))).shape
    (2, 8, 8, 8)
    """


SeparableConvolution1D: TypeAlias = SeparableConv1D
SeparableConvolution2D: TypeAlias = SeparableConv2D
