"""CategoryEncoding: integers as rows of zeros and ones."""
from typing import Any

from cytensor import ops
from cytensor.layers.base import Layer
from cytensor.layers.indices import as_indices
from cytensor.tensor import Tensor, asarray
from cytensor.types import ArrayLike, Shape


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
        if output_mode not in ("one_hot", "multi_hot", "count"):
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
        if self.output_mode == "one_hot":
            return (*(input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape),
                    self.num_tokens)
        return (*input_shape[:-1], self.num_tokens)
