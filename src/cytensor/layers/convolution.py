"""Conv1D, Conv2D, Conv3D, and what all layers of convolution share."""
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cytensor import activations, initializers, ops
from cytensor.layers import spatial
from cytensor.layers.base import Layer
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor, Variable
from cytensor.types import (
    ActivationFunction,
    Identifier,
    Shape,
    WeightConstraint,
    WeightInitializer,
    WeightRegularizer,
)


def of_window(name: str, **options: Any) -> Setting[Any]:
    """A Setting of an integer, or one for each spatial axis; None stays None where `optional`."""
    def convert(layer: "Convolution", value: Any) -> Any:
        if value is None and options.get("optional"):
            return None
        found = spatial.as_spatial(type(layer).__name__, value, layer.rank, name, options.get("low", 1))
        layer._check_window(**{name: found})
        return found
    return Setting(convert, of_layer=True, fixed=options.get("fixed", False), optional=options.get("optional", False))


class Convolution(Layer):
    """What all layers of convolution share: the window, the data format, bias and activation."""
    casts_integers = True
    takes_several = False
    rank: int = 2                                # the number of spatial axes
    paddings: tuple[str, ...] = ("valid", "same")
    strides_and_dilation: bool = False           # whether both may be more than 1
    kernel_size: Setting[tuple[int, ...]] = of_window("kernel_size", fixed=True)
    strides: Setting[tuple[int, ...]] = of_window("strides")
    dilation_rate: Setting[tuple[int, ...]] = of_window("dilation_rate")
    padding: Setting[str] = Setting(
        lambda layer, value: spatial.as_padding(type(layer).__name__, value, layer.paddings), of_layer=True)
    data_format: Setting[str] = Setting(
        lambda layer, value: spatial.as_data_format(type(layer).__name__, value), of_layer=True, fixed=True,
        optional=True)
    use_bias: Setting[bool] = Setting(fixed=True)
    activation: Setting[ActivationFunction] = Setting(activations.get, optional=True)
    bias_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    bias_regularizer: Setting[WeightRegularizer] = regularizer_of("bias")
    bias_constraint: Setting[WeightConstraint] = constraint_of("bias")

    bias: Variable | None

    def __init__(self, kernel_size: int | Sequence[int], strides: int | Sequence[int], padding: str,
                 data_format: str | None, dilation_rate: int | Sequence[int], activation: Identifier, use_bias: bool,
                 bias_initializer: Identifier, bias_regularizer: Identifier, bias_constraint: Identifier,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_size, self.strides, self.dilation_rate = kernel_size, strides, dilation_rate
        self.padding, self.data_format = padding, data_format
        self.activation, self.use_bias = activation, use_bias
        self.bias_initializer, self.bias_regularizer = bias_initializer, bias_regularizer
        self.bias_constraint = bias_constraint
        self.bias = None

    def _check_window(self, **changed: Any) -> None:
        """ValueError where what is to be set does not go with what is."""
        strides, dilation = (changed.get(name, vars(self).get(name)) for name in ("strides", "dilation_rate"))
        if not self.strides_and_dilation and strides and dilation and max(strides) > 1 and max(dilation) > 1:
            raise ValueError(f"{type(self).__name__}: strides and dilation_rate must not both be more than 1; got "
                             f"strides {strides}, dilation_rate {dilation}")

    def channels_of(self, input_shape: Shape) -> int:
        """The number of channels of the input; ValueError where it is not known or there are other axes."""
        channels, _ = spatial.split_shape(type(self).__name__, input_shape, self.rank, self.data_format)
        if channels is None:
            raise ValueError(f"{type(self).__name__}: the axis of the channels must have a known length; got "
                             f"{input_shape}, data_format {self.data_format!r}")
        return channels

    def add_kernel(self, shape: Sequence[int], weight: str = "kernel", name: str | None = None) -> Variable:
        """The variable of the weight that the Settings call `weight`."""
        settings = (getattr(self, f"{weight}_{kind}") for kind in ("initializer", "regularizer", "constraint"))
        initializer, regularizer, constraint = settings
        return self.add_weight(shape, initializer, name=name or weight, regularizer=regularizer, constraint=constraint)

    def add_bias(self, filters: int) -> None:
        if self.use_bias:
            self.bias = self.add_kernel((filters,), "bias")

    def convolved(self, op: Callable[..., Tensor], x: Tensor, *kernels: Any, **options: Any) -> Tensor:
        """activation(op(x, *kernels, bias)), relu being part of the op."""
        if x.ndim != self.rank + 2:
            x = in_known_rank(x, self.input_shape)
            spatial.split_shape(type(self).__name__, x.shape, self.rank, self.data_format)
        relu = self.activation is activations.relu
        weights = [self._computing(weight) for weight in (*kernels, self.bias)]
        x = op(x, *weights, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate,
               data_format=self.data_format, activation="relu" if relu else None, **options)
        return x if relu or self.activation is activations.linear else self.activation(x)

    def output_shape(self, input_shape: Shape, filters: int | None) -> Shape:
        """The shape for an input of that shape; ValueError where the kernel has no room in it."""
        what = type(self).__name__
        _, lengths = spatial.split_shape(what, input_shape, self.rank, self.data_format)
        windows = zip(lengths, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        outputs = [spatial.named_output_length(*one, self.padding) for one in windows]
        spatial.require_room(what, lengths, outputs, f"kernel_size {self.kernel_size}")
        return spatial.join_shape(input_shape[0], filters, outputs, self.data_format)


class Conv(Convolution):
    """What Conv1D, Conv2D and Conv3D share."""
    filters: Setting[int] = Setting(int, fixed=True)
    groups: Setting[int] = Setting(int, fixed=True)
    kernel_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    kernel_regularizer: Setting[WeightRegularizer] = regularizer_of("kernel")
    kernel_constraint: Setting[WeightConstraint] = constraint_of("kernel")
    kernel: Any                                  # a Variable once it is built, and None before

    def __init__(self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1,
                 padding: str = "valid", data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
                 groups: int = 1, activation: Identifier = None, use_bias: bool = True,
                 kernel_initializer: Identifier = "glorot_uniform", bias_initializer: Identifier = "zeros",
                 kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
                 activity_regularizer: Identifier = None, kernel_constraint: Identifier = None,
                 bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.groups = filters, groups
        self.kernel_initializer, self.kernel_regularizer = kernel_initializer, kernel_regularizer
        self.kernel_constraint = kernel_constraint
        self.kernel = None
        if self.filters % self.groups:
            raise ValueError(f"{type(self).__name__}: filters must divide into groups; got filters {filters}, groups "
                             f"{groups}")

    def build(self, input_shape: Shape) -> None:
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(f"{type(self).__name__}: the channels of the input must divide into groups; got groups "
                             f"{self.groups}, {channels} channels of input {input_shape}")
        self.compute_output_shape(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        return self.convolved(ops.conv, x, self.kernel, groups=self.groups)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.output_shape(input_shape, self.filters)


class Conv1D(Conv):
    """Convolution along time: (n, steps, c) -> (n, steps', filters), kernel (k, c / groups, filters), bias (filters,).

    Arguments as in Keras: padding "valid", "same", or "causal", with which no step sees a later one; data_format
    "channels_first" for (n, c, steps). One operation computes convolution, bias and relu.

    >>> Conv1D(8, 3, padding="causal")(ops.ones((2, 10, 4))).shape
    (2, 10, 8)
    """
    rank = 1
    paddings: tuple[str, ...] = ("valid", "same", "causal")


class Conv2D(Conv):
    """Convolution over pictures: (n, height, width, c) -> (n, height', width', filters).

    kernel (k, k, c / groups, filters), bias (filters,). Arguments as in Keras: padding "valid" or "same"; data_format
    "channels_first" for (n, c, height, width). One operation computes convolution, bias and relu.

    >>> Conv2D(8, 3, strides=2, padding="same", activation="relu")(ops.ones((2, 28, 28, 1))).shape
    (2, 14, 14, 8)
    """


class Conv3D(Conv):
    """Convolution over volumes: (n, depth, height, width, c) -> (n, depth', height', width', filters).

    kernel (k, k, k, c / groups, filters), bias (filters,). Arguments as in Keras: padding "valid" or "same";
    data_format "channels_first" for (n, c, depth, height, width).

    >>> Conv3D(4, (1, 3, 3))(ops.ones((2, 5, 8, 8, 1))).shape
    (2, 5, 6, 6, 4)
    """
    rank = 3


Convolution1D: TypeAlias = Conv1D
Convolution2D: TypeAlias = Conv2D
Convolution3D: TypeAlias = Conv3D
