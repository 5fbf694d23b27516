"""Layers that disturb their input while training and do nothing otherwise."""
from cytensor import random
from cytensor.layers.base import Layer
from cytensor.tensor import asarray


class _Noise(Layer):
    """A layer with a random stream of its own, made on first use."""
    casts_integers = True

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = None

    def source(self):
        if self.generator is None:
            own = random.stream_key(f"{self.name}/noise") if self.seed is None else (int(self.seed), "noise", 0)
            self.generator = random.generator(*own)
        return self.generator

    def compute_output_shape(self, input_shape):
        return input_shape


class Dropout(_Noise):
    """While training, zeroes each element with probability `rate` and scales the others by 1 / (1 - rate).

    noise_shape: the shape of the mask, which broadcasts to the input's; None for one draw an element.
    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate, self.noise_shape = float(rate), noise_shape

    def call(self, x, training=False):
        if not training or self.rate == 0:
            return x
        if self.rate == 1:
            return x * 0.0
        kept = self.source().random(self._mask_shape(x.shape), dtype="float32") >= self.rate
        return x * asarray(kept.astype(x.dtype) / x.dtype.type(1 - self.rate))

    def _mask_shape(self, shape):
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise ValueError(f"Dropout: noise_shape must have one entry for each axis of the input; got "
                             f"{tuple(self.noise_shape)} for an input of shape {shape}")
        return tuple(n if m is None else m for m, n in zip(self.noise_shape, shape, strict=True))


class GaussianDropout(_Noise):
    """While training, multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate))."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = float(rate)

    def call(self, x, training=False):
        if not training or self.rate == 0:
            return x
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        return x * asarray(random.draw_normal(self.source(), x.shape, 1.0, stddev, x.dtype))


class GaussianNoise(_Noise):
    """While training, adds normal noise of zero mean and the given `stddev`."""

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = float(stddev)

    def call(self, x, training=False):
        if not training or self.stddev == 0:
            return x
        return x + asarray(random.draw_normal(self.source(), x.shape, 0.0, self.stddev, x.dtype))
