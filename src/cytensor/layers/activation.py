"""Layers that apply an activation function."""
from collections.abc import Sequence
from typing import Any

from cytensor import activations, initializers, ops
from cytensor.checks.shapes import broadcast
from cytensor.layers.axes import within
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import ActivationFunction, Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class Activation(Layer):
    """Applies a function of `activations`, by name or itself.

    >>> Activation("relu")([-1., 2.]).numpy()
    array([0., 2.], dtype=float32)
    """
    supports_masking: bool = True
    casts_integers = True
    takes_several = False
    activation: Setting[ActivationFunction] = Setting(activations.get, optional=True)

    def __init__(self, activation: Identifier, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation

    def call(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(x)
        return result

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class _Fixed(Layer):
    supports_masking: bool = True
    casts_integers = True
    takes_several = False

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class ReLU(_Fixed):
    """x above `threshold`, `negative_slope * (x - threshold)` below, at most `max_value`."""
    max_value: Setting[float | None] = Setting(optional=True)
    negative_slope: Setting[float] = Setting(lambda value: value or 0.0, optional=True)
    threshold: Setting[float] = Setting(lambda value: value or 0.0, optional=True)

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, x: Tensor) -> Tensor:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Fixed):
    """x above 0, `negative_slope * x` below."""
    negative_slope: Setting[float] = Setting()

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def call(self, x: Tensor) -> Tensor:
        return activations.leaky_relu(x, self.negative_slope)


class PReLU(_Fixed):
    """x above 0, `alpha * x` below, with a learned alpha for each feature, shared along the axes `shared_axes`.

    shared_axes: an integer or several, counted with the axis of samples, which is 0 and not one of them. At minus
    infinity an alpha of 0 gives NaN, the product of the two.
    Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015).
    """
    alpha_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    alpha_regularizer: Setting[WeightRegularizer] = regularizer_of("alpha")
    alpha_constraint: Setting[WeightConstraint] = constraint_of("alpha")
    shared_axes: Setting[tuple[int, ...]] = Setting(
        lambda axes: () if axes is None else initializers.as_axes(axes), fixed=True, optional=True)
    alpha: Variable

    def __init__(self, alpha_initializer: Identifier = "zeros", alpha_regularizer: Identifier = None,
                 alpha_constraint: Identifier = None, shared_axes: int | Sequence[int] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer, self.alpha_regularizer = alpha_initializer, alpha_regularizer
        self.alpha_constraint, self.shared_axes = alpha_constraint, shared_axes

    def build(self, input_shape: Shape) -> None:
        shared = within("PReLU", self.shared_axes, len(input_shape), "shared_axes", lowest=1)
        shape = tuple(1 if axis in shared else n for axis, n in enumerate(input_shape) if axis)
        self.alpha = self.add_weight(shape, self.alpha_initializer, None, True, self.alpha_regularizer,
                                     self.alpha_constraint, "alpha")

    def call(self, x: Tensor) -> Tensor:
        alpha: Tensor = self._computing(self.alpha)
        return ops.relu(x) + alpha * ops.minimum(x, 0.0)


class ELU(_Fixed):
    """x above 0, `alpha * (exp(x) - 1)` below."""
    alpha: Setting[float] = Setting()

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, x: Tensor) -> Tensor:
        return activations.elu(x, self.alpha)


class Softmax(_Fixed):
    """exp(x) over its sum along `axis`, an integer or several in a tuple.

    mask: of the call, a tensor that broadcasts to x, True (or above a half) where x counts; others get probability 0.

    >>> Softmax()([1., 2., 1.], mask=[True, False, True]).numpy()
    array([0.5, 0. , 0.5], dtype=float32)
    """
    axis: Setting[int | Sequence[int]] = Setting()

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x: Tensor, mask: Any = None) -> Tensor:
        if mask is not None:
            mask = asarray(mask)
            counted = mask if mask.dtype.kind == "b" else ops.greater(mask, 0.5)
            broadcast("Softmax, mask", [counted.shape, x.shape])
            x = ops.where(counted, x, -1e9)
        axes = within("Softmax", self.axis, x.ndim)
        return activations.softmax(x, axis=axes[0] if len(axes) == 1 else axes)
