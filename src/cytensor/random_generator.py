"""TensorFlow's `random.Generator` and `random.categorical`: part of `ct.random`. The numbers are NumPy's."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor import random as own
from cytensor.random import uniform
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import ArrayLike, DTypeLike

__all__ = ["Generator", "SeedGenerator", "categorical", "dropout", "get_global_generator"]


class SeedGenerator:
    """A row of seeds, each another: what Keras's random functions and layers take as `seed`.

    >>> seeds = SeedGenerator(3)
    >>> seeds.next() == seeds.next(), SeedGenerator(3).next() == SeedGenerator(3).next()
    (False, True)
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name: str = name or "seed_generator"
        self._source: np.random.Generator = own.stream("seeds")
        if seed is not None:
            self._source = own.generator(own._checked_seed("SeedGenerator", seed), "seeds", 0)
        self.initial_seed: int | None = seed

    def next(self, ordered: bool = True) -> int:
        """The next seed; its place in the row is all that it depends on, so `ordered` changes nothing."""
        return int(self._source.integers(2**31))

    def __repr__(self) -> str:
        return f"<SeedGenerator seed={self.initial_seed}>"


def dropout(inputs: ArrayLike, rate: float, noise_shape: Sequence[int] | None = None, seed: Any = None) -> Tensor:
    """`inputs` with a share `rate` of zeros, the others larger by 1 / (1 - rate).

    >>> dropout([1., 2.], 0.0).tolist()
    [1.0, 2.0]
    """
    from cytensor import nn
    return nn.dropout(inputs, rate, noise_shape, seed.next() if isinstance(seed, SeedGenerator) else seed)


class Generator:
    """A source of random numbers with a state of its own.

    >>> Generator.from_seed(1).normal([2]).tolist() == Generator.from_seed(1).normal([2]).tolist()
    True
    """

    def __init__(self, source: "np.random.Generator") -> None:
        if not isinstance(source, np.random.Generator):
            raise TypeError(f"Generator: made by Generator.from_seed or from_non_deterministic_state; got {source!r}")
        self._source = source

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> "Generator":
        """One that begins where `seed` says; alg changes nothing, the numbers are NumPy's PCG64."""
        return cls(np.random.default_rng(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> "Generator":
        """One that begins anywhere."""
        return cls(np.random.default_rng())

    def reset_from_seed(self, seed: int) -> None:
        """Begin again where `seed` says."""
        self._source = np.random.default_rng(seed)

    def normal(self, shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32",
               name: str | None = None) -> Tensor:
        """Values drawn from the normal distribution."""
        return asarray(own.draw_normal(self._source, own.checked_shape("normal", shape), mean, stddev, dtype))

    def truncated_normal(self, shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0,
                         dtype: DTypeLike = "float32", name: str | None = None) -> Tensor:
        """Normal values, drawn again while they lie more than two standard deviations from the mean."""
        lengths = own.checked_shape("truncated_normal", shape)
        return asarray(own.draw_truncated_normal(self._source, lengths, mean, stddev, dtype))

    def uniform(self, shape: int | Sequence[int], minval: float = 0, maxval: float | None = None,
                dtype: DTypeLike = "float32", name: str | None = None) -> Tensor:
        """Values drawn evenly from [minval, maxval), whole numbers for an integer dtype."""
        lengths = own.checked_shape("uniform", shape)
        if np.dtype(dtype).kind in "iu":
            if maxval is None or not minval < maxval:
                raise ValueError(f"uniform: maxval must be above minval for an integer dtype; got {minval}, {maxval}")
            return asarray(self._source.integers(int(minval), int(maxval), lengths, dtype=np.dtype(dtype)))
        return asarray(own.draw_uniform(self._source, lengths, minval, 1.0 if maxval is None else maxval, dtype))

    def split(self, count: int = 1) -> list["Generator"]:
        """Independent generators."""
        return [Generator(one) for one in self._source.spawn(count)]


_shared: list[Generator] = []


def get_global_generator() -> Generator:
    """One for the whole program."""
    if not _shared:
        _shared.append(Generator.from_non_deterministic_state())
    return _shared[0]


def categorical(logits: ArrayLike, num_samples: int, dtype: DTypeLike = "int64", seed: int | None = None,
                name: str | None = None) -> Tensor:
    """Classes drawn by their unnormalized log-probabilities: (n, classes) -> (n, num_samples).

    ValueError unless logits are a matrix with at least one class.

    >>> categorical([[0., -1e9]], 3).tolist()
    [[0, 0, 0]]
    """
    values = np.asarray(operand("categorical", logits), np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(f"categorical: logits must be (n, classes); got shape {values.shape}")
    noise = np.asarray(uniform((*values.shape[:1], num_samples, values.shape[1]), 1e-12, 1.0, "float64", seed))
    return asarray(np.argmax(values[:, None, :] - np.log(-np.log(noise)), axis=-1).astype(dtype))
