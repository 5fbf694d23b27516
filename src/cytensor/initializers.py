"""Initializers: the values that weights start from.

An initializer is called with a shape and returns a new tensor. With a `seed` it returns the same values for the same
shape every time; without one it draws from the stream of the weight it is for (see random.py). Generators are named
in quotes, for NumPy loads `numpy.random` where it is first asked for, and an import of this package need not.
"""
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor import random, registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.dtypes import as_dtype
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike, DTypeLike, Identifier

__all__ = ["deserialize", "serialize",
           "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "get",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def __dir__() -> list[str]:
    return [*__all__]


class Initializer(registry.Configurable):
    """Base class: subclasses define `sample(generator, shape, dtype)` -> NumPy array of that shape."""
    seed: int | None = None

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        raise NotImplementedError(f"{type(self).__name__}: define sample(generator, shape, dtype) or __call__")

    def __call__(self, shape: int | Sequence[int], dtype: DTypeLike | None = None, stream: str | None = None) -> Tensor:
        """A new tensor of `shape`; `stream` names the random stream used when the initializer has no seed."""
        if self.seed is None:
            generator = random.stream(stream or type(self).__name__)
        else:
            generator = random.generator(int(self.seed), "initializer", 0)
        dtype = as_dtype(type(self).__name__, dtype or np.float32)
        return asarray(self.sample(generator, random.checked_shape(type(self).__name__, shape), dtype))


class Zeros(Initializer):
    """All zeros.

    >>> Zeros()((2,)).numpy()
    array([0., 0.], dtype=float32)
    """

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All ones."""

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.ones(shape, dtype)


class Constant(Initializer):
    """One value everywhere, or an array-like that broadcasts to the shape."""
    value: ArrayLike

    def __init__(self, value: ArrayLike = 0.0) -> None:
        self.value = registry.fresh(value)

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        value = np.asarray(self.value, dtype)
        try:
            return np.array(np.broadcast_to(value, shape))
        except ValueError:
            raise ValueError(f"Constant: value must broadcast to the shape; got value of shape {value.shape}, "
                             f"shape {shape}") from None


class Identity(Initializer):
    """`gain` times the identity matrix; for shapes of rank 2."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        _require_matrix("Identity", shape, len(shape) == 2)
        values: Array = np.eye(*shape, dtype=dtype) * dtype.type(self.gain)
        return values


class RandomUniform(Initializer):
    """Drawn evenly from [minval, maxval)."""
    minval: float
    maxval: float
    seed: int | None

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return random.draw_uniform(generator, shape, self.minval, self.maxval, dtype)


class RandomNormal(Initializer):
    """Drawn from the normal distribution."""
    mean: float
    stddev: float
    seed: int | None

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return random.draw_normal(generator, shape, self.mean, self.stddev, dtype)


class TruncatedNormal(RandomNormal):
    """As RandomNormal, values beyond two standard deviations drawn again."""

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return random.draw_truncated_normal(generator, shape, self.mean, self.stddev, dtype)


class Orthogonal(Initializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer.

    The last axis is one side of the matrix, all others together the other. Source: Saxe, McClelland, Ganguli,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2014).
    """
    gain: float
    seed: int | None

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        _require_matrix("Orthogonal", shape, len(shape) >= 2)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        values = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(values)
        q = q * np.sign(np.diag(r))          # makes the factorisation unique, so the draw is uniform
        q = q if rows >= columns else q.T
        return np.ascontiguousarray(self.gain * q.reshape(shape), dtype)


class VarianceScaling(Initializer):
    """Zero mean and variance `scale / n`, with n the fan in, the fan out or their average.

    mode: "fan_in", "fan_out" or "fan_avg". distribution: "uniform", "truncated_normal" or "untruncated_normal".
    The truncated form is widened so that its variance is exact after truncation. input_axes, output_axes: the axes of
    the weight whose lengths multiply to the fans, where they are not the last two; both or neither.
    """
    TRUNCATED_STDDEV = 0.87962566103423978     # of the standard normal distribution cut off at +-2
    scale: float
    seed: int | None
    axes: tuple[tuple[int, ...], tuple[int, ...]] | None
    mode: str
    distribution: str

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
                 seed: int | None = None, input_axes: int | Sequence[int] | None = None,
                 output_axes: int | Sequence[int] | None = None) -> None:
        self.scale, self.seed = scale, seed
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"{type(self).__name__}: input_axes and output_axes must be given together; "
                             f"got {input_axes} and {output_axes}")
        self.axes = None if input_axes is None or output_axes is None else (as_axes(input_axes), as_axes(output_axes))
        self.mode = _one_of("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        distribution = "truncated_normal" if distribution == "normal" else distribution
        self.distribution = _one_of("distribution", distribution, ("uniform", "truncated_normal", "untruncated_normal"))

    def sample(self, generator: "np.random.Generator", shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        fan_in, fan_out = fans(shape) if self.axes is None else (self._length(shape, axes) for axes in self.axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.draw_uniform(generator, shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return random.draw_normal(generator, shape, 0.0, math.sqrt(variance), dtype)
        stddev = math.sqrt(variance) / self.TRUNCATED_STDDEV
        return random.draw_truncated_normal(generator, shape, 0.0, stddev, dtype)

    def _length(self, shape: tuple[int, ...], axes: Sequence[int]) -> int:
        if any(not -len(shape) <= axis < len(shape) for axis in axes):
            raise ValueError(f"{type(self).__name__}: input_axes and output_axes must be axes of the weight; "
                             f"got {' and '.join(map(str, self.axes or ()))}, shape {shape}")
        return math.prod(shape[axis] for axis in axes)


def as_axes(value: int | Sequence[int]) -> tuple[int, ...]:
    """A tuple of the axes that an int or a sequence of ints names."""
    return (value,) if isinstance(value, (int, np.integer)) else tuple(value)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(inputs, outputs) of a kernel of `shape` (..., inputs, outputs); leading axes are its receptive field."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise registry.unknown(name, value, known)
    return value


def _require_matrix(name: str, shape: tuple[int, ...], is_fine: bool) -> None:
    if not is_fine:
        raise ValueError(f"{name}: the weight must be a matrix; got shape {shape}")


class _Scaled(VarianceScaling):
    """A VarianceScaling whose class fixes everything but the seed and the axes."""
    settings: tuple[float, str, str]

    def __init__(self, seed: int | None = None, input_axes: int | Sequence[int] | None = None,
                 output_axes: int | Sequence[int] | None = None) -> None:
        super().__init__(*self.settings, seed, input_axes, output_axes)


class GlorotUniform(_Scaled):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)). Source: Glorot, Bengio (2010)."""
    settings: tuple[float, str, str] = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out). Source: Glorot, Bengio (2010)."""
    settings: tuple[float, str, str] = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in +-sqrt(6 / fan_in). Source: He, Zhang, Ren, Sun (2015)."""
    settings: tuple[float, str, str] = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in. Source: He, Zhang, Ren, Sun (2015)."""
    settings: tuple[float, str, str] = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in +-sqrt(3 / fan_in). Source: LeCun, Bottou, Orr, Mueller (1998)."""
    settings: tuple[float, str, str] = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in. Source: LeCun, Bottou, Orr, Mueller (1998)."""
    settings: tuple[float, str, str] = (1.0, "fan_in", "truncated_normal")


registry.register("initializers", Zeros, Ones, Constant, Identity, RandomUniform, RandomNormal, TruncatedNormal,
                  Orthogonal, VarianceScaling, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform,
                  LecunNormal)
registry.register_alias("initializers", RandomUniform, "uniform")
registry.register_alias("initializers", RandomNormal, "normal")

zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = Orthogonal
variance_scaling = VarianceScaling


def get(identifier: Identifier) -> Any:
    """The initializer that a name, configuration, class, instance or function (shape, dtype) means."""
    return registry.lookup("initializers", identifier, Initializer)
deserialize: Callable[..., Any] = deserializer("initializers")
explain(__name__)
