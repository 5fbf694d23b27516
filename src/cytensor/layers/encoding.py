"""CategoryEncoding: integers as rows of zeros and ones."""
from typing import Any

import numpy as np

from cytensor import ops
from cytensor.layers.base import Layer
from cytensor.layers.indices import as_indices
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike, Shape

MODES = ("one_hot", "multi_hot", "count")


def as_rows(op: str, numbers: Array, depth: int, mode: str, weights: Array | None) -> Tensor:
    """Numbers in [0, depth) as float32 vectors, in one of the modes of `CategoryEncoding`, or weighed ("tf_idf").

    numbers: a negative one counts for nothing. weights: (depth,), what each number counts for in mode "tf_idf".
    """
    if mode == "one_hot":
        numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
        return asarray((numbers[..., None] == np.arange(depth)).astype(np.float32))
    if numbers.ndim == 0:
        raise ValueError(f"{op}: output_mode {mode!r} needs an axis to count along; got shape ()")
    flat = numbers.reshape(-1, numbers.shape[-1])
    rows = np.zeros((len(flat), depth + 1), np.float32)
    np.add.at(rows, (np.arange(len(flat))[:, None], np.where(flat < 0, depth, flat)), 1)
    rows = rows[:, :depth].reshape(*numbers.shape[:-1], depth)
    if mode == "multi_hot":
        rows = np.minimum(rows, 1)
    elif mode == "tf_idf" and weights is not None:
        rows = rows * np.pad(weights, (0, depth - len(weights)))
    return asarray(np.ascontiguousarray(rows, np.float32))


def encoded_shape(mode: str, input_shape: Shape, depth: int | None) -> Shape:
    """What becomes of a shape in a mode; "int" leaves it."""
    if mode == "int":
        return input_shape
    if mode == "one_hot":
        return (*(input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape), depth)
    return (*input_shape[:-1], depth)


class CategoryEncoding(Layer):
    """Integers in [0, num_tokens) as vectors: "one_hot" for each, "multi_hot" (which occur) or "count" (how often).

    Called with count_weights (n, k), "count" adds these up in place of ones. sparse: False; there are no sparse
    tensors. Shapes: one_hot (n, ...) -> (n, ..., num_tokens), a last axis of 1 dropped; the others (n, k) ->
    (n, num_tokens). ValueError for an integer outside, and for a float that is none.

    >>> CategoryEncoding(4, "multi_hot")([[0, 3, 3]]).numpy()
    array([[1., 0., 0., 1.]], dtype=float32)
    """
    takes_several = False
    num_tokens: int

    def __init__(self, num_tokens: int, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if sparse:
            raise ValueError(f"CategoryEncoding: sparse must be False, for there are no sparse tensors; got {sparse!r}")
        if output_mode not in MODES:
            raise ValueError(f"CategoryEncoding: output_mode must be one_hot, multi_hot or count; got {output_mode!r}")
        self.num_tokens, self.output_mode = int(num_tokens), output_mode

    def call(self, x: Tensor, count_weights: ArrayLike | None = None) -> Tensor:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"CategoryEncoding: count_weights go with output_mode 'count'; got {self.output_mode!r}")
        x = as_indices("CategoryEncoding", asarray(x), self.num_tokens)
        if self.output_mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
            x = x.reshape(x.shape[:-1])
        rows = ops.one_hot(x, self.num_tokens, dtype=self.compute_dtype)
        if self.output_mode == "one_hot":
            return rows
        if self.output_mode == "count":
            if count_weights is not None:
                weights = asarray(count_weights).astype(self.compute_dtype)
                if weights.shape != x.shape:
                    raise ValueError(f"CategoryEncoding: count_weights must have the shape of the integers; "
                                     f"got {weights.shape}, integers {x.shape}")
                rows = rows * ops.expand_dims(weights, -1)
            return ops.sum(rows, axis=-2)
        return ops.max(rows, axis=-2)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return encoded_shape(self.output_mode, input_shape, self.num_tokens)
