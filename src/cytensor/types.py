"""What arguments may be, as names for annotations: `def f(x: ArrayLike, axis: Axis = None) -> Tensor`.

May be imported by everything in the package; imports nothing of it, and at run time nothing but Python's own.
"""
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    import numpy.typing

    from cyops import Strided

    ArrayLike: TypeAlias = Strided | numpy.typing.ArrayLike      # a tensor, an array, a buffer, nested lists, a number
    DTypeLike: TypeAlias = numpy.typing.DTypeLike
    Array: TypeAlias = numpy.typing.NDArray[Any]
else:
    ArrayLike = DTypeLike = Array = Any          # numpy.typing takes 0.8 ms to import

T = TypeVar("T")

Axis: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = tuple[int | None, ...]        # None where a length is not known: the batch axis
Shapes: TypeAlias = Any                          # a Shape, or lists and dictionaries of them
Nested: TypeAlias = Any                          # lists, tuples and dictionaries whose leaves are arrays or tensors
Path: TypeAlias = str | os.PathLike[str]
Config: TypeAlias = dict[str, Any]               # the arguments an object was made with
Logs: TypeAlias = dict[str, Any]                 # values of a batch or an epoch by name
ActivationFunction: TypeAlias = Callable[..., Any]               # tensor -> a tensor of its shape
WeightInitializer: TypeAlias = Callable[..., Any]                # shape, dtype=... -> the values to start from
WeightRegularizer: TypeAlias = Callable[[Any], Any] | None       # weight or output -> a scalar that the loss gains
WeightConstraint: TypeAlias = Callable[[Any], Any] | None        # weight -> the values nearest to it that are allowed
Identifier: TypeAlias = str | Mapping[str, Any] | type | Callable[..., Any] | None
"""A name, a configuration, a class, an instance or a function of a registered kind."""


def replaceable(method: Callable[..., T]) -> Callable[..., T]:
    """Decorator of a method that subclasses define with parameters of their own; it is returned as it is."""
    return method
