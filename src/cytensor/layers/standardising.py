"""Normalization: by statistics that are taken from data beforehand."""
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from cytensor import ops
from cytensor.halves import narrowed, wide_dtype, widened
from cytensor.layers.axes import within
from cytensor.layers.base import Layer
from cytensor.layers.inputs import in_known_rank, is_array
from cytensor.layers.settings import Setting
from cytensor.registry import fresh
from cytensor.tensor import Tensor, Variable
from cytensor.types import Array, Shape
from cytensor.user_warnings import warn


class Normalization(Layer):
    """(x - mean) / standard deviation for each feature, with statistics that `adapt` takes from data, or are given.

    axis: the axes that keep statistics of their own; None for one mean and variance of everything. invert: undo it.
    A feature that never varies, of variance 0, gives 0, whatever it is later, and inverted its mean.

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1., 5.], [3., 9.]], np.float32))
    >>> layer([[5., 7.]]).numpy()
    array([[3., 0.]], dtype=float32)
    """
    supports_masking: bool = True
    casts_integers = True
    takes_several = False
    EPSILON = 1e-7
    invert: Setting[bool] = Setting()

    axis: tuple[int, ...]
    given: tuple[float | Sequence[float] | Array | None, float | Sequence[float] | Array | None]
    mean: Variable
    variance: Variable

    def __init__(self, axis: int | Sequence[int] | None = -1, mean: float | Sequence[float] | Array | None = None,
                 variance: float | Sequence[float] | Array | None = None, invert: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization: give mean and variance both or neither; got mean {mean}, "
                             f"variance {variance}")
        self.axis = () if axis is None else tuple(np.atleast_1d(axis).tolist())
        self.given, self.invert = fresh((mean, variance)), invert

    def _kept(self, ndim: int) -> tuple[int, ...]:
        """The axes that keep statistics of their own, for an input of so many axes."""
        return within("Normalization", self.axis, ndim, lowest=1)

    def build(self, input_shape: Shape) -> None:
        kept = self._kept(len(input_shape))
        shape = tuple(n if i in kept else 1 for i, n in enumerate(input_shape))
        if None in shape:
            raise ValueError(f"Normalization: the axes {self.axis} of the input must have known lengths; "
                             f"got {input_shape}")
        dtype = wide_dtype(self.dtype)
        self.mean = self.add_weight(shape, "zeros", dtype, False, name="mean")
        self.variance = self.add_weight(shape, "ones", dtype, False, name="variance")
        if self.given[0] is not None:
            for variable, value in zip((self.mean, self.variance), self.given, strict=True):
                value = np.asarray(value, dtype)
                if value.size not in (1, variable.size):
                    raise ValueError(f"Normalization: mean and variance must have one number, or one for each of the "
                                     f"axes kept, {shape}; got shape {value.shape}")
                variable.assign(value.reshape(variable.shape) if value.size == variable.size
                                else np.broadcast_to(value, variable.shape))

    def adapt(self, data: Any) -> None:
        """Take mean and variance from `data`; what an earlier call took is forgotten.

        data: an array with samples along the first axis, which is read block by block; or batches: a generator, a
        dataset, or a list or tuple of arrays with two axes or more, of which each may have other samples. A batch
        (x, y) or (x, y, sample_weight) of a generator or dataset counts as x. ValueError where there is no sample, a
        number that is none, or a variance that the layer's dtype cannot hold.
        """
        statistics = _Statistics()
        for values in _blocks(data):
            values = self._as_known(values)
            if not values.size:
                continue
            if not self.built:
                self.build((None, *values.shape[1:]))
            kept = self._kept(values.ndim)
            statistics.add(values, tuple(i for i in range(values.ndim) if i not in kept))
        if not statistics.count:
            raise ValueError("adapt: data must have samples; got none")
        mean, variance = statistics.mean, statistics.squares / statistics.count
        if not (np.isfinite(mean) & np.isfinite(variance)).all():
            raise ValueError("adapt: data must be finite; got NaN or infinity")
        if variance.max() > np.finfo(self.variance.dtype).max:
            raise ValueError(f"adapt: the variance must be a number that {self.variance.dtype} can hold; "
                             f"got {variance.max():.3g}; scale the data first")
        self.mean.assign(mean.reshape(self.mean.shape))
        self.variance.assign(variance.reshape(self.mean.shape))
        constant = int((self.variance.numpy() == 0).sum())
        if constant:
            warn(f"adapt: {constant} of {variance.size} features never vary; layer '{self.name}' maps them to 0")

    def _as_known(self, values: Array) -> Array:
        """A block in the rank that the layer is for, where that is known."""
        if values.dtype.kind not in "biuf":
            raise TypeError(f"adapt: data must be numbers; got dtype {values.dtype}")
        if values.ndim == 0:
            raise ValueError(f"adapt: data must have samples; got shape {values.shape}")
        shape = self.build_shape or self.input_shape
        if shape is not None and values.ndim == len(shape) - 1 and shape[-1] == 1:
            return values[..., np.newaxis]
        return values

    def call(self, x: Tensor) -> Tensor:
        wide = widened(x if x.ndim > 1 else in_known_rank(x, self.build_shape))
        deviation = ops.maximum(ops.sqrt(self.variance), self.EPSILON)
        varies = ops.greater(self.variance, 0.0).astype(self.variance.dtype)
        result = wide * (deviation * varies) + self.mean if self.invert else (wide - self.mean) * (varies / deviation)
        return narrowed(result, x.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def _blocks(data: Any, rows: int = 1024) -> Iterator[Array]:
    """The arrays that make up what `adapt` was given; one array in pieces of so many rows."""
    batches: Iterable[Any]
    if hasattr(data, "toarray"):
        raise TypeError(f"adapt: data must be an array, or batches; got {type(data).__name__}; give its toarray()")
    if isinstance(data, (list, tuple)) and data and all(is_array(part) and part.ndim > 1 for part in data):
        batches = data
    elif isinstance(data, (list, tuple)) or is_array(data):
        values = np.asanyarray(data)
        if values.ndim == 0:
            raise ValueError(f"adapt: data must have samples; got shape {values.shape}")
        batches = (values[start:start + rows] for start in range(0, len(values), rows))
    elif hasattr(data, "__iter__"):
        batches = data
    elif hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        batches = (data[i] for i in range(len(data)))
    else:
        raise TypeError(f"adapt: data must be an array, or batches; got {type(data).__name__}")
    for batch in batches:
        yield np.asanyarray(batch[0] if isinstance(batch, tuple) and batch else batch)


class _Statistics:
    """Mean and sum of squared deviations in float64, over blocks that are seen once.

    Deviations are taken from the first value of each feature, so that those of one that never varies are 0 exactly.
    Blocks are joined as in Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979).
    """

    def __init__(self) -> None:
        self.count = 0
        self.origin: Array = np.zeros(())              # of the first block
        self.shift: Array = np.zeros(())
        self.squares: Array = np.zeros(())

    @property
    def mean(self) -> Array:
        return self.origin + self.shift

    def add(self, values: Array, axes: tuple[int, ...]) -> None:
        """Take in a block, over `axes`; the others are kept with their lengths."""
        if not self.count:
            first = tuple(slice(0, 1) if i in axes else slice(None) for i in range(values.ndim))
            self.origin = np.array(values[first], np.float64)
        elif self.origin.shape != tuple(1 if i in axes else n for i, n in enumerate(values.shape)):
            raise ValueError(f"adapt: all batches must have the same features; got shape {values.shape} behind "
                             f"features {self.origin.shape[1:]}")
        deviations = np.subtract(values, self.origin, dtype=np.float64)
        mean = deviations.mean(axis=axes, keepdims=True)
        squares = np.square(deviations - mean).sum(axis=axes, keepdims=True)
        before, count = self.count, values.size // mean.size
        self.count += count
        apart = mean - self.shift
        self.squares = self.squares + squares + np.square(apart) * (before * count / self.count)
        self.shift = self.shift + apart * (count / self.count)
