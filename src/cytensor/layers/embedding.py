"""Embedding: a learned vector for each of a number of things."""
from cytensor import constraints, initializers, ops, regularizers
from cytensor.layers.base import Layer


class Embedding(Layer):
    """Rows of a table: integers (n, ...) in [0, input_dim) -> (n, ..., output_dim).

    ValueError or IndexError for an integer outside the table.

    >>> Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
                 embeddings_constraint=None, mask_zero=False, **kwargs):
        super().__init__(**kwargs)
        if mask_zero:
            raise ValueError(f"Embedding: masks do not exist here, mask_zero must be False; got {mask_zero!r}")
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)

    def build(self, input_shape):
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), self.embeddings_initializer,
                                          regularizer=self.embeddings_regularizer,
                                          constraint=self.embeddings_constraint, name="embeddings")

    def call(self, x):
        if x.dtype.kind == "f":
            x = x.astype("int64")
        if x.size and int(ops.min(x)) < 0:
            raise ValueError(f"Embedding: integers must be in [0, {self.input_dim}); got {int(ops.min(x))}")
        return ops.take(self.embeddings, x, axis=0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)
