"""Embedding: a learned vector for each of a number of things."""
from typing import Any

from cytensor import initializers, ops
from cytensor.layers.base import Layer
from cytensor.layers.indices import as_indices
from cytensor.layers.settings import Setting, constraint_of, regularizer_of
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import Identifier, Shape, WeightConstraint, WeightInitializer, WeightRegularizer


class Embedding(Layer):
    """Rows of a table: integers (n, ...) in [0, input_dim) -> (n, ..., output_dim).

    mask_zero: whether 0 stands for padding: the output then has a mask, True for other integers, that the layers behind
    it, losses and metrics heed. Floats must be whole numbers. ValueError for one that is not, and for an integer
    outside the table; TypeError for bools and what else is no number.

    >>> Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """
    takes_several = False
    input_dim: Setting[int] = Setting(int, fixed=True)
    output_dim: Setting[int] = Setting(int, fixed=True)
    embeddings_initializer: Setting[WeightInitializer] = Setting(initializers.get, fixed=True)
    embeddings_regularizer: Setting[WeightRegularizer] = regularizer_of("embeddings")
    embeddings_constraint: Setting[WeightConstraint] = constraint_of("embeddings")
    mask_zero: Setting[bool] = Setting(bool, fixed=True)
    supports_masking: bool
    makes_masks: bool
    embeddings: Variable

    def __init__(self, input_dim: int, output_dim: int, embeddings_initializer: Identifier = "uniform",
                 embeddings_regularizer: Identifier = None, embeddings_constraint: Identifier = None,
                 mask_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer, self.embeddings_regularizer = embeddings_initializer, embeddings_regularizer
        self.embeddings_constraint = embeddings_constraint
        self.mask_zero = mask_zero
        self.supports_masking = self.makes_masks = bool(mask_zero)

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), self.embeddings_initializer,
                                          regularizer=self.embeddings_regularizer,
                                          constraint=self.embeddings_constraint, name="embeddings")

    def call(self, x: Tensor) -> Tensor:
        rows: Tensor = self._computing(ops.take(self.embeddings, as_indices("Embedding", x, self.input_dim), axis=0))
        return rows

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Tensor | None:
        """True for integers that are not 0, with mask_zero."""
        return ops.not_equal(asarray(inputs), 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)
