"""`tf.TensorSpec`: a shape and a dtype, for `tf.function(input_signature=...)`; no call is checked against it here."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.checks.shapes import as_shape
from cytensor.dtypes import as_dtype
from cytensor.shapes import TensorShape
from cytensor.types import DTypeLike

__all__ = ["TensorSpec"]


class TensorSpec:
    """The shape (None for a length that is not known) and dtype of a tensor, and a name.

    >>> TensorSpec([None, 3]), TensorSpec([2], "int32", "labels").dtype
    (TensorSpec(shape=(None, 3), dtype=float32, name=None), dtype('int32'))
    """

    shape: TensorShape
    dtype: np.dtype[Any]
    name: str | None

    def __init__(self, shape: int | Sequence[int | None], dtype: DTypeLike = "float32",
                 name: str | None = None) -> None:
        self.shape = TensorShape(as_shape("TensorSpec", shape))          # type: ignore[arg-type]  # None, too
        self.dtype, self.name = as_dtype("TensorSpec", dtype, with_bfloat16=True), name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((tuple(self.shape), self.dtype, self.name))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={tuple(self.shape)}, dtype={self.dtype}, name={self.name})"
