"""Layers that normalise: over the batch, over the features of a sample, or by statistics of the data."""
import warnings

import numpy as np

from cytensor import constraints, initializers, ops, regularizers
from cytensor.layers.base import Layer


class _Scaled(Layer):
    """What BatchNormalization and LayerNormalization share: axes, epsilon, a learned scale and offset."""
    casts_integers = True

    def __init__(self, axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                 gamma_regularizer, beta_constraint, gamma_constraint, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, float(epsilon), center, scale
        self.for_beta = (initializers.get(beta_initializer), regularizers.get(beta_regularizer),
                         constraints.get(beta_constraint))
        self.for_gamma = (initializers.get(gamma_initializer), regularizers.get(gamma_regularizer),
                          constraints.get(gamma_constraint))
        self.gamma = self.beta = None

    def add_scale(self, shape):
        """Make gamma and beta of `shape`, as far as they are wanted."""
        if self.scale:
            initializer, regularizer, constraint = self.for_gamma
            self.gamma = self.add_weight(shape, initializer, None, True, regularizer, constraint, "gamma")
        if self.center:
            initializer, regularizer, constraint = self.for_beta
            self.beta = self.add_weight(shape, initializer, None, True, regularizer, constraint, "beta")

    def normalized(self, x, mean, variance, shape):
        """(x - mean) / sqrt(variance + epsilon) * gamma + beta, all but x reshaped to `shape` to broadcast."""
        factor = 1.0 / ops.sqrt(variance.reshape(shape) + self.epsilon)
        if self.gamma is not None:
            factor = factor * self.gamma.reshape(shape)
        x = (x - mean.reshape(shape)) * factor
        return x if self.beta is None else x + self.beta.reshape(shape)

    def compute_output_shape(self, input_shape):
        return input_shape


class BatchNormalization(_Scaled):
    """Zero mean and unit variance for each feature: of the batch while training, of moving averages otherwise.

    axis: the axis of the features. moving averages: `old * momentum + batch * (1 - momentum)`. The layer infers also
    while training where its `trainable` is False. Source: Ioffe, Szegedy, "Batch normalization" (2015).
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.momentum = float(momentum)
        self.for_moving = (initializers.get(moving_mean_initializer), initializers.get(moving_variance_initializer))

    def build(self, input_shape):
        size = _feature_length("BatchNormalization", input_shape, self.axis)
        self.add_scale((size,))
        self.moving_mean = self.add_weight((size,), self.for_moving[0], trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight((size,), self.for_moving[1], trainable=False, name="moving_variance")

    def call(self, x, training=False):
        axis = self.axis % x.ndim
        shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
        if not training or not self.trainable:
            return self.normalized(x, self.moving_mean, self.moving_variance, shape)
        others = tuple(i for i in range(x.ndim) if i != axis)
        mean = ops.mean(x, axis=others)
        variance = ops.mean(ops.square(x - mean.reshape(shape)), axis=others)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving.numpy() * self.momentum + batch.numpy() * (1 - self.momentum))
        return self.normalized(x, mean, variance, shape)


class LayerNormalization(_Scaled):
    """Zero mean and unit variance over the features (`axis`) of each sample by itself.

    Source: Ba, Kiros, Hinton, "Layer normalization" (2016).
    """

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)

    def _axes(self, ndim):
        axes = self.axis if isinstance(self.axis, (list, tuple)) else (self.axis,)
        return tuple(sorted(axis % ndim for axis in axes))

    def build(self, input_shape):
        self.add_scale(tuple(_feature_length("LayerNormalization", input_shape, axis)
                             for axis in self._axes(len(input_shape))))

    def call(self, x):
        axes = self._axes(x.ndim)
        shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        centred = x - ops.mean(x, axis=axes, keepdims=True)
        x = centred / ops.sqrt(ops.mean(ops.square(centred), axis=axes, keepdims=True) + self.epsilon)
        if self.gamma is not None:
            x = x * self.gamma.reshape(shape)
        return x if self.beta is None else x + self.beta.reshape(shape)


class UnitNormalization(Layer):
    """x divided by its Euclidean length along `axis`; a length of 0 counts as 1e-6."""
    casts_integers = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x):
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))

    def compute_output_shape(self, input_shape):
        return input_shape


class Normalization(Layer):
    """(x - mean) / standard deviation for each feature, with statistics that `adapt` takes from data, or are given.

    axis: the axes that keep statistics of their own; None for one mean and variance of everything. invert: undo it.
    A feature that never varies gives 0.
    """
    casts_integers = True
    EPSILON = 1e-7

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization: give mean and variance both or neither; got mean {mean}, "
                             f"variance {variance}")
        self.axis = () if axis is None else tuple(np.atleast_1d(axis).tolist())
        self.given, self.invert = (mean, variance), invert

    def build(self, input_shape):
        kept = {axis % len(input_shape) for axis in self.axis}
        if 0 in kept:
            raise ValueError(f"Normalization: axis must not be that of the samples; got axis {self.axis}")
        shape = tuple(n if i in kept else 1 for i, n in enumerate(input_shape))
        if None in shape:
            raise ValueError(f"Normalization: the axes {self.axis} of the input must have known lengths; "
                             f"got {input_shape}")
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        if self.given[0] is not None:
            for variable, value in zip((self.mean, self.variance), self.given, strict=True):
                value = np.asarray(value, np.float32)
                if value.size not in (1, variable.size):
                    raise ValueError(f"Normalization: mean and variance must have one number, or one for each of the "
                                     f"axes kept, {shape}; got shape {value.shape}")
                variable.assign(value.reshape(shape) if value.size == variable.size else np.broadcast_to(value, shape))

    def adapt(self, data):
        """Take mean and variance from `data`, an array with samples along the first axis, read block by block."""
        values = np.asanyarray(data)
        if values.ndim == 0 or len(values) == 0:
            raise ValueError(f"adapt: data must have samples; got shape {values.shape}")
        if not self.built:
            self._build((None, *values.shape[1:]))
        mean, variance = _statistics(values, tuple(i for i in range(values.ndim) if i - values.ndim not in self.axis
                                                   and i not in self.axis))
        if not np.isfinite(variance).all():
            raise ValueError("adapt: data must be finite; got NaN or infinity")
        if (variance == 0).any():
            warnings.warn(f"adapt: {int((variance == 0).sum())} of {variance.size} features never vary; layer "
                          f"'{self.name}' maps them to 0", stacklevel=2)
        self.mean.assign(mean.astype(np.float32))
        self.variance.assign(variance.astype(np.float32))

    def call(self, x):
        deviation = ops.maximum(ops.sqrt(self.variance), self.EPSILON)
        return x * deviation + self.mean if self.invert else (x - self.mean) / deviation

    def compute_output_shape(self, input_shape):
        return input_shape


def _statistics(values, axes, rows=1024):
    """(mean, variance) over `axes` in float64, the others kept with their lengths; no large temporary array."""
    blocks = [values[start:start + rows] for start in range(0, len(values), rows)]
    total = sum(block.sum(axis=axes, keepdims=True, dtype=np.float64) for block in blocks)
    count = values.size // total.size
    mean = total / count
    squares = sum(np.square(block - mean).sum(axis=axes, keepdims=True) for block in blocks)
    return mean, squares / count


def _feature_length(name, input_shape, axis):
    if not -len(input_shape) <= axis < len(input_shape) or axis % len(input_shape) == 0 or input_shape[axis] is None:
        raise ValueError(f"{name}: axis must be one of features with a known length; got axis {axis}, "
                         f"input {input_shape}")
    return input_shape[axis]
