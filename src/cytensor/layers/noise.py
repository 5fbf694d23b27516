"""Layers that disturb their input while training and do nothing otherwise."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor import ops, parallel, random
from cytensor.activations import SELU_ALPHA, SELU_SCALE
from cytensor.halves import in_numpy
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, Shape


class Noise(Layer):
    """A layer with a random stream of its own, which copies and files carry along.

    Without `seed` it is the process's next of the layer's name when the layer is built, and starts anew where
    `set_seed` was called since.
    """
    supports_masking: bool = True
    casts_integers = True
    takes_several = False

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator: np.random.Generator | None = None
        self._seedings: int | None = None      # how often the process's seed had been set when the stream was taken

    def build(self, input_shape: Shape) -> None:
        self.source()

    def source(self) -> "np.random.Generator":
        """The generator of the stream."""
        if self.generator is None or self._is_stale():
            own = random.stream_key(f"{self.name}/noise") if self.seed is None else (int(self.seed), "noise", 0)
            return self.go_on(random.generator(*own))
        return self.generator

    def _is_stale(self) -> bool:
        return self.seed is None and self._seedings != random.seeding()[0]

    def follow_seed(self, path: str) -> None:
        """Start anew where `set_seed` was called, as the layer of this path does in any model of that seed."""
        if self.generator is not None and self._is_stale():
            self.go_on(random.generator(random.seeding()[-1], f"{path}/noise", 0))

    def go_on(self, generator: "np.random.Generator") -> "np.random.Generator":
        """Take the numbers of `generator` from here on; returns it."""
        self.generator, self._seedings = generator, random.seeding()[0]
        return generator

    def _drawn(self, x: Tensor, mean: float, stddev: float) -> Tensor:
        """Normal noise of x's shape and dtype."""
        source = self.source()

        def draw(shape: tuple[int, ...]) -> Array:
            return random.draw_normal(source, shape, mean, stddev, in_numpy(x.dtype))
        return asarray(parallel.drawn(source, x.shape, draw), x.dtype)

    def __getstate__(self) -> dict[str, Any]:
        if self.generator is not None:
            self.source()
        return super().__getstate__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self.generator is not None:
            self.go_on(self.generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def dropped(layer: Any, x: Tensor, mask_shape: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Tensor:
    """x with zeros where a mask of `mask_shape(x.shape)` says so, with the layer's rate, from its random numbers."""
    if layer.rate == 0:
        return x
    if layer.rate == 1:
        return ops.where(ops.zeros((), "bool"), x, 0.0)
    scaled = x * float(x.dtype.type(1) / x.dtype.type(1 - layer.rate))
    return ops.where(kept(layer, mask_shape(x.shape)), scaled, 0.0)       # 0 * inf is no 0


def kept(layer: Any, shape: tuple[int, ...]) -> Tensor:
    """The mask of what a layer with a `rate` keeps: each of its elements with probability 1 - rate."""
    noise_shape, source = getattr(layer, "noise_shape", None), layer.source()
    has_rows = noise_shape is None or noise_shape[0] != 1
    draws = parallel.drawn(source, shape, lambda shape: source.random(shape, dtype="float32"), has_rows)
    return ops.greater_equal(asarray(draws), layer.rate)


class Dropout(Noise):
    """While training, zeroes each element with probability `rate` and scales the others by 1 / (1 - rate).

    noise_shape: the shape of the mask, which broadcasts to the input's; None for one draw an element.
    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
    """
    rate: Setting[float] = Setting(float)
    noise_shape: Setting[Sequence[int | None] | None] = Setting(optional=True)

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate, self.noise_shape = rate, noise_shape

    def call(self, x: Tensor, training: bool | None = False) -> Tensor:
        return dropped(self, x, self._mask_shape) if training else x

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise ValueError(f"Dropout: noise_shape must have one entry for each axis of the input; got "
                             f"{tuple(self.noise_shape)} for an input of shape {shape}")
        mask = tuple(n if m is None else m for m, n in zip(self.noise_shape, shape, strict=True))
        if any(m not in (1, n) for m, n in zip(mask, shape, strict=True)):
            raise ValueError(f"Dropout: noise_shape must broadcast to the input; got {tuple(self.noise_shape)} for an "
                             f"input of shape {shape}")
        return mask


class AlphaDropout(Dropout):
    """Dropout for `selu`: what is dropped takes the value that `selu` tends to, and mean and variance stay.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017).
    """

    def call(self, x: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        if self.rate == 1:
            return x * 0.0
        low = -SELU_ALPHA * SELU_SCALE
        factor = ((1 - self.rate) * (1 + self.rate * low ** 2)) ** -0.5
        result: Tensor = ops.where(kept(self, self._mask_shape(x.shape)), x, low) * factor - factor * low * self.rate
        return result


class GaussianDropout(Noise):
    """While training, multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate))."""
    rate: Setting[float] = Setting(float)

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = rate

    def call(self, x: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        return x * self._drawn(x, 1.0, stddev)


class GaussianNoise(Noise):
    """While training, adds normal noise of zero mean and the given `stddev`."""
    stddev: Setting[float] = Setting(float)

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.stddev = stddev

    def call(self, x: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.stddev == 0:
            return x
        return x + self._drawn(x, 0.0, self.stddev)
