"""Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: layers that make the spatial axes longer."""
from collections.abc import Sequence
from typing import Any, TypeAlias

from cytensor import initializers, ops
from cytensor.layers import spatial
from cytensor.layers.convolution import Convolution, of_window
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor
from cytensor.types import Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class ConvTranspose(Convolution):
    """What the three share: the gradient of a convolution by its input, as a layer."""
    filters: Setting[int] = Setting(int, fixed=True)
    output_padding: Setting[tuple[int, ...] | None] = of_window("output_padding", low=0, optional=True)
    kernel_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    kernel_regularizer: Setting[WeightRegularizer] = regularizer_of("kernel")
    kernel_constraint: Setting[WeightConstraint] = constraint_of("kernel")
    kernel: Any                                  # a Variable once it is built, and None before

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1,
                 padding: str = "valid", output_padding: int | Sequence[int] | None = None,
                 data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, activation: Identifier = None,
                 use_bias: bool = True, kernel_initializer: Identifier = "glorot_uniform",
                 bias_initializer: Identifier = "zeros", kernel_regularizer: Identifier = None,
                 bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
                 kernel_constraint: Identifier = None, bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.output_padding = filters, output_padding
        self.kernel_initializer, self.kernel_regularizer = kernel_initializer, kernel_regularizer
        self.kernel_constraint = kernel_constraint
        self.kernel = None

    def _check_window(self, **changed: Any) -> None:
        super()._check_window(**changed)
        strides, more = (changed.get(name, vars(self).get(name)) for name in ("strides", "output_padding"))
        if strides and more and any(one >= stride for one, stride in zip(more, strides, strict=True)):
            raise ValueError(f"{type(self).__name__}: output_padding must be less than strides; got output_padding "
                             f"{more}, strides {strides}")

    def build(self, input_shape: Shape) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, channels))
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        return self.convolved(ops.conv_transpose, x, self.kernel, output_padding=self.output_padding)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _, lengths = spatial.split_shape(type(self).__name__, input_shape, self.rank, self.data_format)
        more = self.output_padding or (None,) * self.rank
        windows = zip(lengths, self.kernel_size, self.strides, self.dilation_rate, more, strict=True)
        return spatial.join_shape(input_shape[0], self.filters,
                                  [spatial.transposed_length(*one, self.padding) for one in windows], self.data_format)


class Conv1DTranspose(ConvTranspose):
    """Transposed convolution along time: (n, steps, c) -> (n, steps', filters), kernel (k, filters, c).

    steps' is steps * strides for padding "same" and (steps - 1) * strides + max(k, strides) for "valid", or what
    `output_padding` makes of it: see `ct.conv_transpose`. Arguments as in Keras.

    >>> Conv1DTranspose(8, 3, strides=2, padding="same")(ops.ones((2, 10, 4))).shape
    (2, 20, 8)
    """
    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over pictures: (n, height, width, c) -> (n, height', width', filters).

    kernel (k, k, filters, c), bias (filters,). height' is height * strides for padding "same" and (height - 1) *
    strides + max(k, strides) for "valid", or what `output_padding` makes of it: see `ct.conv_transpose`. Arguments as
    in Keras.

    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(ops.ones((2, 7, 7, 4))).shape
    (2, 14, 14, 8)
    """


class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over volumes: (n, depth, height, width, c) -> (n, depth', height', width', filters).

    kernel (k, k, k, filters, c), bias (filters,); lengths as in `Conv2DTranspose`. Arguments as in Keras, whose order
    here puts data_format before output_padding.

    >>> Conv3DTranspose(4, 2, strides=2)(ops.ones((2, 3, 4, 4, 1))).shape
    (2, 6, 8, 8, 4)
    """
    rank = 3

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1,
                 padding: str = "valid", data_format: str | None = None,
                 output_padding: int | Sequence[int] | None = None, dilation_rate: int | Sequence[int] = 1,
                 activation: Identifier = None, use_bias: bool = True,
                 kernel_initializer: Identifier = "glorot_uniform", bias_initializer: Identifier = "zeros",
                 kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
                 activity_regularizer: Identifier = None, kernel_constraint: Identifier = None,
                 bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation,
                         use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                         activity_regularizer, kernel_constraint, bias_constraint, **kwargs)


Convolution1DTranspose: TypeAlias = Conv1DTranspose
Convolution2DTranspose: TypeAlias = Conv2DTranspose
Convolution3DTranspose: TypeAlias = Conv3DTranspose
