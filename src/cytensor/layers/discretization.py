"""Discretization: numbers as the number of the range that they lie in."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.layers.base import Layer
from cytensor.layers.encoding import MODES, as_rows, encoded_shape
from cytensor.layers.lookup import batches_of
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, Config, Shape


class Discretization(Layer):
    """Numbers as the ranges between boundaries: i for boundaries[i - 1] <= x < boundaries[i].

    bin_boundaries: ascending; or num_bins, of as many numbers each, which `adapt` finds in data to a share of epsilon.
    output_mode: "int", "one_hot", "multi_hot" or "count", as in `CategoryEncoding`. sparse: False. Shapes: (n, ...) ->
    (n, ...) int64 in mode "int". ValueError where both or neither are given, or before `adapt`.

    >>> Discretization([0., 1.])([[-2., 0., 0.5, 7.]]).tolist()
    [[0, 1, 1, 2]]
    """
    takes_several = False
    num_bins: int | None
    epsilon: float
    output_mode: str

    def __init__(self, bin_boundaries: Sequence[float] | None = None, num_bins: int | None = None,
                 epsilon: float = 0.01, output_mode: str = "int", sparse: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if sparse:
            raise ValueError(f"Discretization: sparse must be False, for there are no sparse tensors; got {sparse!r}")
        if output_mode not in ("int", *MODES):
            raise ValueError(f"Discretization: output_mode must be int, {', '.join(MODES)}; got {output_mode!r}")
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(f"Discretization: give bin_boundaries or num_bins; got {bin_boundaries!r}, {num_bins!r}")
        if num_bins is not None and num_bins < 1:
            raise ValueError(f"Discretization: num_bins must be at least 1; got {num_bins!r}")
        if not 0 < epsilon < 1:
            raise ValueError(f"Discretization: epsilon must lie between 0 and 1; got {epsilon!r}")
        boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries, np.float64).ravel()
        if boundaries is not None and not (np.diff(boundaries) > 0).all():
            raise ValueError(f"Discretization: bin_boundaries must ascend; got {boundaries.tolist()}")
        self.num_bins, self.epsilon, self.output_mode = num_bins, epsilon, output_mode
        self._is_given, self._boundaries = boundaries is not None, boundaries

    @property
    def bin_boundaries(self) -> list[float] | None:
        """The boundaries, given or found; None before `adapt`."""
        return None if self._boundaries is None else [float(n) for n in self._boundaries]

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the boundaries from data, an array or batches, so that all ranges have about as many numbers."""
        if self._is_given:
            raise ValueError(f"adapt: layer '{self.name}' was given its bin_boundaries, which data must not replace")
        summary = np.empty((2, 0))
        for batch in batches_of(data, steps):
            values = np.asarray(batch)
            if values.dtype.kind not in "biuf":
                raise TypeError(f"adapt: data must be numbers; got dtype {values.dtype}")
            if values.size:
                summary = _joined(summary, _summary(values.astype(np.float64).ravel(), self.epsilon), self.epsilon)
        if not summary.size:
            raise ValueError("adapt: data must have samples; got none")
        if not np.isfinite(summary).all():
            raise ValueError("adapt: data must be finite; got NaN or infinity")
        self._boundaries = _compressed(summary, 1.0 / int(self.num_bins or 1))[0, :-1]

    def _as_leaf(self, x: Any) -> Tensor:
        return asarray(x)

    def call(self, x: Tensor) -> Tensor:
        if self._boundaries is None:
            raise ValueError(f"Discretization: layer '{self.name}' has no boundaries yet; give them, or call adapt")
        values = np.asarray(x)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"Discretization: numbers are expected; got dtype {values.dtype}")
        numbers = np.searchsorted(self._boundaries.astype(np.float32 if values.itemsize <= 4 else np.float64), values,
                                  side="right").astype(np.int64)
        if self.output_mode == "int":
            return asarray(numbers)
        return as_rows("Discretization", numbers, len(self._boundaries) + 1, self.output_mode, None)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        depth = self.num_bins if self._boundaries is None else len(self._boundaries) + 1
        return encoded_shape(self.output_mode, input_shape, depth)

    def get_config(self) -> Config:
        """The constructor's arguments, with the boundaries that were found, so that files have them."""
        config = super().get_config()
        if not self._is_given and self._boundaries is not None:
            config.update(bin_boundaries=self.bin_boundaries, num_bins=None)
        return config


# -- quantiles of what comes in parts: sorted values, each with how many it stands for --------------------------------
def _summary(values: Array, epsilon: float) -> Array:
    """(2, k): every n-th of the sorted values, n being epsilon of them, and the weights."""
    values = np.sort(values)
    step = max(epsilon * len(values), 1.0)
    kept = values[int(step - 1)::int(step)]
    return np.stack([kept, np.full(len(kept), step)])


def _joined(a: Array, b: Array, epsilon: float) -> Array:
    """The summary of two parts' data."""
    both = np.concatenate([a, b], axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary: Array, epsilon: float) -> Array:
    """A summary at every epsilon of the weights; one that is short enough stays."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    at = weights / weights[-1]
    values = np.interp(shares, at, summary[0])
    taken = np.interp(shares, at, weights)
    return np.stack([values, np.diff(taken, prepend=0.0)])
