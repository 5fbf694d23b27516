"""Layers that apply an activation function."""
from cytensor import activations, constraints, initializers, ops, regularizers
from cytensor.layers.base import Layer


class Activation(Layer):
    """Applies a function of `activations`, by name or itself.

    >>> Activation("relu")([-1., 2.]).numpy()
    array([0., 2.], dtype=float32)
    """
    casts_integers = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x):
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        return input_shape


class _Fixed(Layer):
    casts_integers = True

    def compute_output_shape(self, input_shape):
        return input_shape


class ReLU(_Fixed):
    """x above `threshold`, `negative_slope * (x - threshold)` below, at most `max_value`."""

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope or 0.0, threshold or 0.0

    def call(self, x):
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Fixed):
    """x above 0, `negative_slope * x` below."""

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def call(self, x):
        return activations.leaky_relu(x, self.negative_slope)


class PReLU(_Fixed):
    """x above 0, `alpha * x` below, with a learned alpha for each feature, shared along the axes `shared_axes`.

    Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015).
    """

    def __init__(self, alpha_initializer="zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None,
                 **kwargs):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = tuple(shared_axes or ())

    def build(self, input_shape):
        shape = tuple(1 if axis in self.shared_axes else n for axis, n in enumerate(input_shape) if axis)
        self.alpha = self.add_weight(shape, self.alpha_initializer, None, True, self.alpha_regularizer,
                                     self.alpha_constraint, "alpha")

    def call(self, x):
        return ops.relu(x) + self.alpha * ops.minimum(x, 0.0)


class ELU(_Fixed):
    """x above 0, `alpha * (exp(x) - 1)` below."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, x):
        return activations.elu(x, self.alpha)


class Softmax(_Fixed):
    """exp(x) over its sum along `axis`."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x):
        return activations.softmax(x, axis=self.axis)
