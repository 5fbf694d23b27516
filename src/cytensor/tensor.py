"""Tensor and Variable: the compiled Strided with methods, conversion and printing. No maths, and no operator.

The operators are Strided's own, in compiled code; the methods are the functions of cyops, which give Tensors because
one of their operands is one. May be imported by everything in the package; imports cyops and types.py.
"""
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np

import cyops
from cyops import OPS, Strided, as_class
from cytensor import notebook
from cytensor.shapes import TensorShape
from cytensor.types import Array, ArrayLike, DTypeLike

# The ops that are methods too: those whose first operand is the tensor.
METHODS = tuple(
    name for name, op in OPS.items()
    if op.parameters[:1] in (("x",), ("a",)) and name not in {"one_hot"}
)


class Tensor(Strided):
    """A tensor: a view (offset, shape, strides) onto one-dimensional storage.

    `Tensor(data, dtype=None)` takes anything array-like and shares its memory where it can, as `asarray` does. Slices,
    transposes and reshapes share memory with the tensor they came from. Operators broadcast, accept NumPy arrays, lists
    and numbers on either side, and give Tensors.

    >>> import cytensor as ct
    >>> x = ct.Tensor([[1., 2., 3.], [4., 5., 6.]])
    >>> (x.T @ x).shape
    (3, 3)
    >>> x[:, 1:].sum(axis=0)
    <Tensor shape=(2,) dtype=float32: [7. 9.]>
    """

    __slots__ = ()

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: None = None) -> "Tensor":
        """The tensor itself, for the device "cpu", which is all there is; ValueError for another and for a stream."""
        if device != "cpu" or stream is not None:
            raise ValueError(f"to_device: there is one device, 'cpu', without streams; got {device!r}, stream "
                             f"{stream!r}")
        return self

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """The package: the Array API standard's namespace. ValueError for a version later than 2024.12."""
        import cytensor

        if api_version not in (None, "2021.12", "2022.12", "2023.12", cytensor.__array_api_version__):
            raise ValueError(f"__array_namespace__: api_version must be at most {cytensor.__array_api_version__!r}; "
                             f"got {api_version!r}")
        return cytensor

    def numpy(self) -> Array:
        """A NumPy array on the same memory, read-only while an active tape has recorded this tensor.

        bfloat16, which NumPy lacks, gives a float32 copy.

        >>> import cytensor as ct
        >>> ct.ones(2).numpy()
        array([1., 1.], dtype=float32)
        """
        return np.asarray(self)

    def get_shape(self) -> TensorShape:
        """The shape, as TensorFlow's method gives it."""
        return self.shape

    def __iter__(self) -> "Iterator[Tensor]":
        if self.ndim == 0:
            raise TypeError("iteration: a tensor of shape () has no axis to iterate over")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self.numpy() == value))

    def __format__(self, spec: str) -> str:
        if spec and self.ndim == 0:
            return format(self.item(), spec)
        if spec:
            raise TypeError(f"format: the spec {spec!r} is for tensors of shape (); got shape {self.shape}")
        return str(self)

    def __repr__(self) -> str:
        layout = "" if self.is_contiguous else f" offset={self.offset} strides={self.strides}"
        values = np.array2string(np.asarray(self), threshold=100, separator=" ")
        gap = "\n" if "\n" in values else " "
        return f"<{self._described()} shape={self.shape} dtype={self.dtype}{layout}:{gap}{values}>"

    def _repr_html_(self) -> str:
        layout = "" if self.is_contiguous else f" offset={self.offset} strides={self.strides}"
        title = f"{self._described()} shape={self.shape} dtype={self.dtype}{layout}"
        values = np.asarray(self)
        return notebook.values_table(values, title, np.array2string(values, threshold=100, separator=" "))

    def __str__(self) -> str:
        return str(np.asarray(self))

    def _described(self) -> str:
        return "Tensor"

    def __copy__(self) -> "Tensor":
        return cyops.copy(self)


for _name in set(METHODS) - set(vars(Tensor)):
    setattr(Tensor, _name, OPS[_name].kernel)
for _methods in (cyops.reduce.Methods, cyops.reshaping.Methods, cyops.views.Methods):
    for _name, _method in vars(_methods).items():
        if not _name.startswith("_"):
            _method.__module__, _method.__qualname__ = __name__, f"Tensor.{_name}"
            setattr(Tensor, _name, _method)
cyops.set_tensor_class(Tensor, TensorShape)


class _Assignable(Tensor):
    """What a Variable and the views indexed from it share: writing through to the variable's memory."""

    __slots__ = ()

    def assign(self, value: ArrayLike) -> Self:
        """Writes `value`, broadcast and cast, into this memory, also while a tape records; returns self.

        ValueError where the value does not broadcast to the shape.
        """
        cyops.assign(self, value)
        return self

    def assign_add(self, value: ArrayLike) -> Self:
        """Adds `value` to this memory in place; returns self."""
        return cyops.assign_add(self, value)

    def assign_sub(self, value: ArrayLike) -> Self:
        """Subtracts `value` from this memory in place; returns self."""
        return cyops.assign_sub(self, value)


class VariableView(_Assignable):
    """What `variable[key]` gives: a live view, whose `assign` methods write into the variable."""

    __slots__ = ()

    def _described(self) -> str:
        return "VariableView"


def _initialized(initial: Any, shape: Sequence[int], dtype: Any) -> Strided:
    """The first values of `keras.Variable(initializer, shape)`: from an initializer or its name, or an array's."""
    if not isinstance(initial, str) and not callable(initial):
        values = Strided(initial) if dtype is None else Strided(initial, dtype)
        if values.shape != tuple(shape):
            raise ValueError(f"Variable: values must have the given shape {tuple(shape)}; got {values.shape}")
        return values
    from cytensor import initializers  # knows layers' words; only variables that ask for them need it
    made: Strided = initializers.get(initial)(tuple(shape), dtype=dtype or "float32")
    return made


class Variable(_Assignable):
    """A tensor that a model learns: it owns its memory, `assign` writes it, and every tape watches it.

    Variable(initial_value, trainable=True, name=None, dtype=None, constraint=None): `initial_value` is anything
    array-like, or a function that returns it; its elements are copied. With `trainable=False` tapes watch it only when
    told to. As Keras 3's `Variable(initializer, shape, ...)`: with a `shape`, the values are an initializer's, or the
    array's, which must have it. `constraint` is a function of the values that optimizers apply after each of their
    steps. `variable[...]` is a live view: `v[0, 0].assign(3.)` changes `v`. ValueError where an assigned value does
    not broadcast to the shape, and where an array has not the `shape`.

    >>> import cytensor as ct
    >>> v = ct.Variable([[1., 2.], [3., 4.]], name="w")
    >>> _ = v[0, 0].assign(9.)
    >>> v
    <Variable 'w' shape=(2, 2) dtype=float32:
    [[9. 2.]
     [3. 4.]]>
    """

    __slots__ = ("constraint", "name", "path")

    def __new__(cls, initial_value: Any = None, trainable: Any = True, name: str | None = None,
                dtype: DTypeLike | None = None, constraint: Callable[[Tensor], ArrayLike] | None = None, *,
                shape: Sequence[int] | None = None, initializer: Any = None) -> Self:
        initial_value = initializer if initial_value is None else initial_value
        shape = trainable if isinstance(trainable, (tuple, list)) else shape
        if shape is not None:
            value: Any = _initialized(initial_value, shape, dtype)
        else:
            value = initial_value() if callable(initial_value) else initial_value
        value = Strided(value) if dtype is None else Strided(value, dtype)
        fresh = cyops.empty(value.shape, value.dtype)
        cyops.assign(fresh, value)
        return super().__new__(cls, fresh)

    def __init__(self, initial_value: Any = None, trainable: Any = True, name: str | None = None,
                 dtype: DTypeLike | None = None, constraint: Callable[[Tensor], ArrayLike] | None = None, *,
                 shape: Sequence[int] | None = None, initializer: Any = None) -> None:
        super().__init__(initial_value)      # refuses a second call; the values were set by `__new__`
        trainable = True if isinstance(trainable, (tuple, list)) else trainable
        self.name = self.path = name or "Variable"       # a layer writes its own name before the path
        self.constraint = constraint
        self.trainable = trainable

    @property
    def trainable(self) -> bool:
        """Whether every tape watches this variable."""
        return cyops.is_trainable(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        cyops.set_trainable(self, bool(value) and self.dtype.kind == "f")

    # -- TensorFlow's words for writing to some positions -------------------------------------------------------------
    def scatter_nd_update(self, indices: ArrayLike, updates: ArrayLike, name: str | None = None) -> Self:
        """Writes updates (*s, ...) at positions (*s, k) along the first k axes; of equal positions the last counts.

        Returns self. ValueError for a position outside, and for updates of another shape.

        >>> Variable([1., 2., 3.]).scatter_nd_update([[0], [2]], [7., 9.]).numpy()
        array([7., 2., 9.], dtype=float32)
        """
        from cytensor.tensorflow import positions  # its words are needed where they are used alone
        return self.assign(positions.tensor_scatter_nd_update(self.value(), indices, updates))

    def scatter_nd_add(self, indices: ArrayLike, updates: ArrayLike, name: str | None = None) -> Self:
        """Adds updates at positions, as `scatter_nd_update` writes them; those of equal positions add up."""
        from cytensor.tensorflow import positions
        return self.assign(positions.tensor_scatter_nd_add(self.value(), indices, updates))

    def scatter_nd_sub(self, indices: ArrayLike, updates: ArrayLike, name: str | None = None) -> Self:
        """Subtracts updates at positions."""
        return self.scatter_nd_add(indices, -Strided(updates))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Self:
        """Writes the rows of an `IndexedSlices`; returns self."""
        return self.scatter_nd_update(np.asarray(sparse_delta.indices)[..., None], sparse_delta.values)

    def numpy(self) -> Array:
        """A copy of the values as a NumPy array."""
        return np.array(self)

    def value(self) -> VariableView:
        """A Tensor that views the current values."""
        return self[...]

    def __getitem__(self, key: Any) -> VariableView:
        view = super().__getitem__(key)
        if cyops.shares_storage(view, self):
            view.__class__ = VariableView
        return view

    def __reduce__(self) -> tuple[Any, ...]:
        return Variable, (np.array(self), self.trainable, self.name, self.dtype, self.constraint), (
            None, {"path": self.path})

    def __copy__(self) -> "Variable":
        copied = Variable(self, self.trainable, self.name, constraint=self.constraint)
        copied.path = self.path
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> "Variable":
        return self.__copy__()

    def _described(self) -> str:
        return f"Variable {self.name!r}"


def as_tensor(x: Strided) -> Tensor:
    """A Strided as a Tensor on the same memory; a Tensor as it is."""
    return as_class(x, Tensor) if type(x) is Strided else x


def asarray(obj: ArrayLike, dtype: DTypeLike | None = None, copy: bool | None = None, *,
            device: str | None = None) -> Tensor:
    """Anything array-like as a Tensor.

    obj: a tensor, anything with the buffer protocol, a number or a nested list. Shares memory where it can; `copy=True`
    always copies, `copy=False` raises ValueError where a copy is needed (Array API standard, `asarray`). Python floats
    become float32 and ints int64; arrays keep their dtype.

    >>> import cytensor as ct
    >>> ct.asarray([1, 2]).dtype
    dtype('int64')
    """
    if device is not None and device != "cpu":
        raise ValueError(f"asarray: there is one device, 'cpu'; got {device!r}")
    if copy is not False and isinstance(obj, Tensor):    # by ops, so that a tape sees it
        if dtype is not None and obj.dtype != dtype:
            return cyops.astype(obj, dtype)
        return cyops.copy(obj) if copy else obj
    return as_tensor(cyops.asarray(obj, dtype, copy=copy))


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """Another library's array as a Tensor, by the DLPack protocol.

    x: an array with `__dlpack__` and `__dlpack_device__`, or a capsule, which may be used once. A view of the same
    memory, which it keeps alive; `copy=True` always copies, `copy=False` never. Read-only where the maker says so, and
    where its capsule has no version, which cannot say. device: "cpu" asks a maker on another device for a copy.

    TypeError for what does not take part in the protocol; BufferError for memory on another device and dtypes that have
    no place here; ValueError for another `device`, and for a capsule that was used before (Array API standard).

    >>> import cytensor as ct, numpy as np
    >>> array = np.zeros(2)
    >>> x = ct.from_dlpack(array)
    >>> array[0] = 5.
    >>> x.tolist()
    [5.0, 0.0]
    """
    if isinstance(x, Tensor) and device in (None, "cpu"):       # by ops, so that a tape sees it
        return asarray(x, copy=copy)
    return as_tensor(cyops.from_dlpack(x, device=device, copy=copy))


def operand(op: str, x: ArrayLike) -> Tensor:
    """`asarray(x)`; what no tensor can be made of is refused in the name of `op`, which the user called."""
    if isinstance(x, Tensor):
        return x
    try:
        return asarray(x)
    except (TypeError, ValueError, OverflowError) as error:
        if str(error).startswith("asarray: "):
            raise type(error)(op + str(error).removeprefix("asarray")) from None
        raise
