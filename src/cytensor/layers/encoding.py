"""CategoryEncoding: integers as rows of zeros and ones."""
from cytensor import ops
from cytensor.layers.base import Layer
from cytensor.tensor import asarray


class CategoryEncoding(Layer):
    """Integers in [0, num_tokens) as vectors: "one_hot" for each, "multi_hot" (which occur) or "count" (how often).

    Shapes: one_hot (n, ...) -> (n, ..., num_tokens), a last axis of 1 dropped; the others (n, k) -> (n, num_tokens).
    ValueError for an integer outside.

    >>> CategoryEncoding(4, "multi_hot")([[0, 3, 3]]).numpy()
    array([[1., 0., 0., 1.]], dtype=float32)
    """

    def __init__(self, num_tokens, output_mode="multi_hot", **kwargs):
        super().__init__(**kwargs)
        if output_mode not in ("one_hot", "multi_hot", "count"):
            raise ValueError(f"CategoryEncoding: output_mode must be one_hot, multi_hot or count; got {output_mode!r}")
        self.num_tokens, self.output_mode = int(num_tokens), output_mode

    def call(self, x):
        x = asarray(x).astype("int64")
        if self.output_mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
            x = x.reshape(x.shape[:-1])
        rows = ops.one_hot(x, self.num_tokens, dtype=self.dtype)
        if self.output_mode == "one_hot":
            return rows
        if self.output_mode == "count":
            return ops.sum(rows, axis=-2)
        return ops.max(rows, axis=-2)

    def compute_output_shape(self, input_shape):
        if self.output_mode == "one_hot":
            return (*(input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape),
                    self.num_tokens)
        return (*input_shape[:-1], self.num_tokens)
