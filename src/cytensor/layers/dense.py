"""Dense: the fully connected layer."""
from typing import Any, NoReturn

from cytensor import activations, initializers, ops
from cytensor.layers.base import Layer
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor, Variable
from cytensor.types import ActivationFunction, Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class Dense(Layer):
    """activation(x @ kernel + bias): (..., k) -> (..., units), kernel (k, units), bias (units,).

    One fused operation computes contraction, bias and relu; any other activation follows as an operation of its own.

    >>> Dense(3)([[1., 2.]]).shape
    (1, 3)
    """
    supports_masking: bool = True
    casts_integers = True
    takes_several = False
    units: Setting[int] = Setting(int, fixed=True)
    use_bias: Setting[bool] = Setting(fixed=True)
    activation: Setting[ActivationFunction] = Setting(activations.get, optional=True)
    kernel_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    bias_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    kernel_regularizer: Setting[WeightRegularizer] = regularizer_of("kernel")
    bias_regularizer: Setting[WeightRegularizer] = regularizer_of("bias")
    kernel_constraint: Setting[WeightConstraint] = constraint_of("kernel")
    bias_constraint: Setting[WeightConstraint] = constraint_of("bias")

    kernel: Any                    # a Variable once it is built, and None before
    bias: Variable | None

    def __init__(self, units: int, activation: Identifier = None, use_bias: bool = True,
                 kernel_initializer: Identifier = "glorot_uniform", bias_initializer: Identifier = "zeros",
                 kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
                 kernel_constraint: Identifier = None, bias_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.activation, self.use_bias = units, activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.kernel = self.bias = None

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2:
            _refuse_axes(len(input_shape))
        if input_shape[-1] is None:
            raise ValueError(f"Dense: the last axis of the input must have a known length; got {input_shape}")
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def call(self, x: Tensor) -> Tensor:
        if x.ndim < 2:
            x = in_known_rank(x, self.input_shape)
            if x.ndim < 2:
                _refuse_axes(x.ndim)
        kernel, bias = self._computing(self.kernel), self._computing(self.bias)
        if self.activation is activations.relu:
            return ops.dense(x, kernel, bias, activation="relu")
        x = ops.dense(x, kernel, bias)
        return x if self.activation is activations.linear else self.activation(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)


def _refuse_axes(ndim: int) -> NoReturn:
    raise ValueError(f"Dense: the input must be (samples, ..., features), two axes or more; got {ndim}; "
                     f"n samples of one feature are (n, 1), one of n features is (1, n)")
