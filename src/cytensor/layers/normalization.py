"""Layers that normalise by statistics of the input: over the batch, or over the features of a sample.

What takes its statistics from data beforehand is in standardising.py. Statistics of float16 are float32.
"""
from collections.abc import Sequence
from typing import Any

import cyops
from cytensor import initializers, norms, ops, parallel
from cytensor.halves import narrowed, wide_dtype, widened
from cytensor.initializers import as_axes
from cytensor.layers.axes import within
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor, Variable, as_tensor, asarray
from cytensor.types import Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class Scaled(Layer):
    """What normalization by batch, layer and group shares: axes, epsilon, a learned scale and offset."""
    casts_integers = True
    takes_several = False
    axis: Setting[int | Sequence[int]] = Setting(fixed=True)
    center: Setting[bool] = Setting(fixed=True)
    scale: Setting[bool] = Setting(fixed=True)
    epsilon: Setting[float] = Setting(float)
    beta_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    gamma_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    beta_regularizer: Setting[WeightRegularizer] = regularizer_of("beta")
    gamma_regularizer: Setting[WeightRegularizer] = regularizer_of("gamma")
    beta_constraint: Setting[WeightConstraint] = constraint_of("beta")
    gamma_constraint: Setting[WeightConstraint] = constraint_of("gamma")

    gamma: Variable | None
    beta: Variable | None

    def __init__(self, axis: int | Sequence[int], epsilon: float, center: bool, scale: bool,
                 beta_initializer: Identifier, gamma_initializer: Identifier, beta_regularizer: Identifier,
                 gamma_regularizer: Identifier, beta_constraint: Identifier, gamma_constraint: Identifier,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint
        self.gamma = self.beta = None

    def add_scale(self, shape: Sequence[int]) -> None:
        """Make gamma and beta of `shape`, as far as they are wanted."""
        if self.scale:
            self.gamma = self.add_weight(shape, self.gamma_initializer, None, True, self.gamma_regularizer,
                                         self.gamma_constraint, "gamma")
        if self.center:
            self.beta = self.add_weight(shape, self.beta_initializer, None, True, self.beta_regularizer,
                                        self.beta_constraint, "beta")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def _single(axis: int | Sequence[int]) -> int:
    axes = as_axes(axis)
    if len(axes) != 1:
        raise ValueError(f"BatchNormalization: axis must be one axis; got {axis}")
    return axes[0]


def _moments(x: Tensor, axes: tuple[int, ...], mask: Any) -> tuple[Tensor, Tensor]:
    """(mean, variance) over `axes` of what the mask, of one axis less than x, counts as data."""
    if mask is None:
        return ops.mean(x, axis=axes), ops.var(x, axis=axes)
    counted = _counted(x, mask)
    count = ops.sum(counted.astype(x.dtype), axis=axes, keepdims=True) + 1e-7                # as Keras
    mean = ops.sum(ops.where(counted, x, 0), axis=axes, keepdims=True) / count
    variance = ops.sum(ops.square(ops.where(counted, x - mean, 0)), axis=axes, keepdims=True) / count
    return mean.reshape(-1), variance.reshape(-1)


def _counted(x: Tensor, mask: Any) -> Tensor:
    """The mask in the shape of x; ValueError unless it has one axis less."""
    mask = asarray(mask)
    if mask.ndim != x.ndim - 1:
        raise ValueError(f"BatchNormalization: a mask has one axis less than the input; got mask {mask.shape}, input "
                         f"{x.shape}")
    return ops.broadcast_to(ops.expand_dims(mask, -1), x.shape)


class BatchNormalization(Scaled):
    """Zero mean and unit variance for each feature: of the batch while training, of moving averages otherwise.

    axis: the axis of the features. moving averages: `old * momentum + batch * (1 - momentum)`. The layer infers also
    while training where its `trainable` is False. synchronized: whether, under a `distribution`, the statistics are of
    the whole batch on all processes; else each normalises its own rows, and the moving averages are averaged. mask: of
    the call, (n, ...) of one axis less than the input; what it leaves out does not count in the batch's mean and
    variance. Source: Ioffe, Szegedy, "Batch normalization" (2015).
    """
    supports_masking: bool = True
    axis: Setting[int] = Setting(_single, fixed=True)
    momentum: Setting[float] = Setting(float)
    synchronized: Setting[bool] = Setting(bool)
    moving_mean_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    moving_variance_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)

    moving_mean: Variable
    moving_variance: Variable

    def __init__(self, axis: int | Sequence[int] = -1, momentum: float = 0.99, epsilon: float = 1e-3,
                 center: bool = True, scale: bool = True, beta_initializer: Identifier = "zeros",
                 gamma_initializer: Identifier = "ones", moving_mean_initializer: Identifier = "zeros",
                 moving_variance_initializer: Identifier = "ones", beta_regularizer: Identifier = None,
                 gamma_regularizer: Identifier = None, beta_constraint: Identifier = None,
                 gamma_constraint: Identifier = None, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)
        self.momentum, self.synchronized = momentum, synchronized
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer

    def build(self, input_shape: Shape) -> None:
        size, = _feature_lengths("BatchNormalization", input_shape, self.axis)
        self.add_scale((size,))
        dtype = wide_dtype(self.dtype)
        self.moving_mean = self.add_weight((size,), self.moving_mean_initializer, dtype, False, name="moving_mean")
        self.moving_variance = self.add_weight((size,), self.moving_variance_initializer, dtype, False,
                                               name="moving_variance")

    def call(self, x: Tensor, training: bool | None = False, mask: Any = None) -> Tensor:
        axis, = within("BatchNormalization", self.axis, x.ndim, lowest=1)
        shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
        wide = widened(x)
        if not training or not self.trainable:
            return narrowed(self.normalized(wide, self.moving_mean, self.moving_variance, shape), x.dtype)
        if self.synchronized and parallel.current.part is not None:
            result, mean, variance = self._over_all_shards(wide, axis, shape, mask)
        elif x.size == 0 or mask is not None:
            others = tuple(i for i in range(x.ndim) if i != axis)
            mean, variance = _moments(wide, others, mask)
            result = self.normalized(wide, mean, variance, shape)
        else:
            result, mean, variance = map(as_tensor, cyops.batch_normalize(wide, self.gamma, self.beta, axis,
                                                                          self.epsilon))
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving.numpy() * self.momentum + batch.numpy() * (1 - self.momentum))
        return narrowed(result, x.dtype)

    def _over_all_shards(self, x: Tensor, axis: int, shape: tuple[int, ...],
                         mask: Any) -> tuple[Tensor, Tensor, Tensor]:
        """(the result, mean, variance) by statistics of all rows of the batch, on whichever process they are."""
        others = tuple(i for i in range(x.ndim) if i != axis)

        def over_all(values: Tensor) -> Tensor:
            total: Tensor = parallel.distribution.sum_over_shards(ops.mean(values, axis=others))
            return total
        if mask is None:
            mean = over_all(x)
            variance = over_all(ops.square(x - mean.reshape(shape)))
        else:
            counted = _counted(x, mask)
            share = over_all(counted.astype(x.dtype)) + 1e-7               # of the entries that are data
            mean = over_all(ops.where(counted, x, 0)) / share
            variance = over_all(ops.square(ops.where(counted, x - mean.reshape(shape), 0))) / share
        return self.normalized(x, mean, variance, shape), mean, variance

    def normalized(self, x: Tensor, mean: Tensor, variance: Tensor, shape: Sequence[int]) -> Tensor:
        """(x - mean) / sqrt(variance + epsilon) * gamma + beta, all but x reshaped to `shape` to broadcast."""
        factor = 1.0 / ops.sqrt(variance.reshape(shape) + self.epsilon)
        if self.gamma is not None:
            factor = factor * self.gamma.reshape(shape)
        x = (x - mean.reshape(shape)) * factor
        return x if self.beta is None else x + self.beta.reshape(shape)


class LayerNormalization(Scaled):
    """Zero mean and unit variance over the features (`axis`) of each sample by itself.

    axis: an axis of features or several. Source: Ba, Kiros, Hinton, "Layer normalization" (2016).
    """
    supports_masking: bool = True

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: Identifier = "zeros", gamma_initializer: Identifier = "ones",
                 beta_regularizer: Identifier = None, gamma_regularizer: Identifier = None,
                 beta_constraint: Identifier = None, gamma_constraint: Identifier = None, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                         gamma_regularizer, beta_constraint, gamma_constraint, **kwargs)

    def build(self, input_shape: Shape) -> None:
        axes = sorted(within("LayerNormalization", self.axis, len(input_shape), lowest=1))
        self.add_scale(_feature_lengths("LayerNormalization", input_shape, axes))

    def call(self, x: Tensor) -> Tensor:
        axes = tuple(sorted(within("LayerNormalization", self.axis, x.ndim, lowest=1)))
        shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        wide = widened(x)
        centred = wide - ops.mean(wide, axis=axes, keepdims=True)
        result = centred / ops.sqrt(ops.mean(ops.square(centred), axis=axes, keepdims=True) + self.epsilon)
        if self.gamma is not None:
            result = result * self.gamma.reshape(shape)
        return narrowed(result if self.beta is None else result + self.beta.reshape(shape), x.dtype)


class RMSNormalization(Layer):
    """x divided by the root of its mean square over the features (`axis`), times a learned scale.

    axis: an axis of features or several. Source: Zhang, Sennrich, "Root mean square layer normalization" (2019).

    >>> RMSNormalization()([[3., 4.]]).numpy().round(4)
    array([[0.8485, 1.1314]], dtype=float32)
    """
    casts_integers = True
    takes_several = False
    axis: Setting[int | Sequence[int]] = Setting(fixed=True)
    epsilon: Setting[float] = Setting(float)
    scale: Variable

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Shape) -> None:
        axes = sorted(within("RMSNormalization", self.axis, len(input_shape), lowest=1))
        self.scale = self.add_weight(_feature_lengths("RMSNormalization", input_shape, axes), "ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        axes = tuple(sorted(within("RMSNormalization", self.axis, x.ndim, lowest=1)))
        shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        wide = widened(x)
        root = ops.sqrt(ops.mean(ops.square(wide), axis=axes, keepdims=True) + self.epsilon)
        return narrowed(wide / root * self.scale.reshape(shape), x.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        within("RMSNormalization", self.axis, len(input_shape), lowest=1)
        return input_shape


class UnitNormalization(Layer):
    """x divided by its Euclidean length along `axis`, one or several; a length of 0 counts as 1e-6."""
    supports_masking: bool = True
    casts_integers = True
    takes_several = False
    axis: Setting[int | Sequence[int]] = Setting()

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x: Tensor) -> Tensor:
        axes = within("UnitNormalization", self.axis, x.ndim)
        return narrowed(norms.unit(widened(x), axes), x.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def _feature_lengths(name: str, input_shape: Shape, axis: int | Sequence[int]) -> tuple[int, ...]:
    """The lengths of axes that must be features: not the samples, and known."""
    axes = within(name, axis, len(input_shape), lowest=1)
    lengths = tuple(n for n in (input_shape[one] for one in axes) if n is not None)
    if len(lengths) < len(axes):
        raise ValueError(f"{name}: axis must be one of features with a known length; got axis {axis}, "
                         f"input {input_shape}")
    return lengths
