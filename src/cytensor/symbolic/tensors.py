"""KerasTensor: what stands for a tensor where a model is written as a graph. Only this room and layers import it.

Its operators and methods are set by functions.py, which knows the functions behind them.
"""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cytensor import registry
from cytensor.checks.shapes import as_shape
from cytensor.dtypes import as_dtype
from cytensor.types import DTypeLike, Shape

if TYPE_CHECKING:
    from cytensor.symbolic.nodes import Node


class KerasTensor:
    """A shape, a dtype and a name, and no memory: what `Input` gives, and layers and functions called on it.

    shape: with the axis of samples, None where a length is not known: (None, 784). Operators, functions of `ct.ops` and
    layers take it and give others; `Model(inputs, outputs)` makes a model of what was written with it. TypeError or
    ValueError where values are needed: there are none.

    >>> x = KerasTensor((None, 3), name="x")
    >>> (x * 2. + 1.).shape, x
    ((None, 3), <KerasTensor shape=(None, 3) dtype=float32 name=x>)
    """

    __slots__ = ("__weakref__", "dtype", "name", "node", "place", "shape")
    __array_ufunc__: None = None                 # NumPy's arrays and our tensors leave their operators to this class
    __array_priority__: int = 1000

    shape: Shape
    dtype: np.dtype[Any]
    name: str
    node: "Node | None"                    # the call that gives it; None for one made by hand
    place: int                             # among the outputs of that call

    def __init__(self, shape: int | Sequence[int | None], dtype: DTypeLike = "float32", *,
                 name: str | None = None) -> None:
        self.shape = as_shape("KerasTensor", shape)
        self.dtype = as_dtype("KerasTensor", dtype, with_bfloat16=True)
        self.name = name or registry.auto_name("keras_tensor")
        self.node, self.place = None, 0

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)


    if TYPE_CHECKING:                      # set by functions.py
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __rfloordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __rmod__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __getitem__(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def reshape(self, *shape: Any) -> Any: ...

        @property
        def T(self) -> Any: ...

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape} dtype={self.dtype} name={self.name}>"

    def _refusal(self, wanted: str) -> str:
        return (f"KerasTensor '{self.name}' of shape {self.shape} stands for values that come with the data: it has "
                f"none, and {wanted}; compute with functions of ct.ops and layers, and give the data to the model")

    # -- where values are needed ---------------------------------------------------------------------------------------
    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NoReturn:
        raise ValueError(self._refusal("cannot become an array"))

    def __float__(self) -> NoReturn:
        raise ValueError(self._refusal("cannot become a number"))

    def __int__(self) -> NoReturn:
        raise ValueError(self._refusal("cannot become a number"))

    def __index__(self) -> NoReturn:
        raise TypeError(self._refusal("cannot be an index or a length"))

    def __bool__(self) -> NoReturn:
        raise TypeError(self._refusal("is neither true nor false"))

    def __len__(self) -> NoReturn:
        raise TypeError(self._refusal("has no length; its shape is known"))

    def __iter__(self) -> NoReturn:
        raise TypeError(self._refusal("cannot be iterated over; take x[:, i] of an axis of known length"))

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError(self._refusal("cannot be searched"))

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("numpy", "item", "tolist", "assign"):
            raise AttributeError(self._refusal(f"so no {name}()"))
        raise AttributeError(f"'KerasTensor' object has no attribute {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self.shape, self.dtype, self.name)


def restored(shape: Shape, dtype: np.dtype[Any], name: str) -> KerasTensor:
    """A copy of a KerasTensor, out of its graph: what pickle and copy make."""
    return KerasTensor(shape, dtype, name=name)
