"""The public functions: one for each op of cyops, giving Tensors, and the names TensorFlow's textbooks use for them.

Nothing is written out here: names, signatures and docstrings come from cyops.OPS and composites.py. May
be imported by everything above tensor.py.
"""
from collections.abc import Callable, Sequence
from typing import Any

import cyops
import cytensor.arrays
import cytensor.products
import cytensor.sorting  # noqa: F401 - these three add to the composites
from cyops import OPS, Derived, Strided, as_class
from cytensor.composites import COMPOSITES
from cytensor.keywords import accepting, synonyms
from cytensor.manipulation import MADE_OF_OPS
from cytensor.numpy_functions import NUMPY_FUNCTIONS
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import ArrayLike, DTypeLike


def derive(kernel: Callable[..., Any], name: str | None = None) -> Derived:
    """The function of cyops `kernel` as a public function of this package: its results are Tensors."""
    doc = kernel.__doc__.replace("cyops.Strided", "ct.Tensor").replace("cyops", "ct")
    doc = doc.replace("import ct\n", "import cytensor as ct\n")
    function = Derived(kernel, Tensor, name or kernel.__name__, __name__, doc)
    function.accept(synonyms(function.__name__))
    return function


CREATION = ("empty", "full", "zeros", "ones", "arange", "linspace", "eye")
FUNCTIONS = {name: derive(op.kernel) for name, op in OPS.items()}
FUNCTIONS |= {name: derive(getattr(cyops.creation, name)) for name in CREATION}
FUNCTIONS |= {name: derive(function) for name, function in (COMPOSITES | NUMPY_FUNCTIONS | MADE_OF_OPS).items()}
globals().update(FUNCTIONS)

# TensorFlow's and NumPy's words for the same functions.
ALIASES = {
    "cast": "astype", "identity": "copy", "range": "arange", "concatenate": "concat", "power": "pow",
    "absolute": "abs",
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "max", "reduce_min": "min", "reduce_prod": "prod",
    "reduce_variance": "var", "reduce_std": "std", "reduce_any": "any", "reduce_all": "all",
    "reduce_logsumexp": "logsumexp", "clip_by_value": "clip",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh",
}
globals().update({alias: FUNCTIONS[name] for alias, name in ALIASES.items() if name in FUNCTIONS})


# NumPy's methods of arrays whose functions are no ops of cyops: tensor.py knows nothing of them.
TENSOR_METHODS = ("argsort", "conj", "cumprod", "cumsum", "nonzero", "repeat", "searchsorted")
TENSOR_PROPERTIES = ("imag", "real")
for _name in TENSOR_METHODS:
    setattr(Tensor, _name, FUNCTIONS[_name])
for _name in TENSOR_PROPERTIES:
    setattr(Tensor, _name, property(FUNCTIONS[_name], doc=FUNCTIONS[_name].__doc__))


@accepting({})
def constant(value: ArrayLike, dtype: DTypeLike | None = None, shape: Sequence[int] | None = None) -> Tensor:
    """A new Tensor with a copy of `value`, reshaped to or filled over `shape` where one is given.

    >>> import cytensor as ct
    >>> ct.constant(0., shape=(2, 2)).shape
    (2, 2)
    """
    tensor = asarray(value, dtype, copy=True)
    if shape is None or tensor.shape == tuple(shape):
        return tensor
    if tensor.size == 1:
        return FUNCTIONS["copy"](cyops.broadcast_to(cyops.reshape(tensor, ()), shape))
    return FUNCTIONS["reshape"](tensor, shape)


@accepting({"dtype_hint": None})
def convert_to_tensor(value: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """TensorFlow's and Keras's word for `asarray`; a tensor of that dtype as it is.

    >>> import cytensor as ct
    >>> ct.convert_to_tensor([1., 2.]).tolist()
    [1.0, 2.0]
    """
    return asarray(value, dtype)


@accepting({"input": "x"})
def zeros_like(x: ArrayLike, dtype: DTypeLike | None = None, *, device: str | None = None) -> Tensor:
    """Zeros in the shape of `x`, and its dtype when none is given.

    >>> import cytensor as ct
    >>> ct.zeros_like([1, 2]).dtype
    dtype('int64')
    """
    like = Strided(x) if not isinstance(x, Strided) else x
    return FUNCTIONS["zeros"](like.shape, like.dtype if dtype is None else dtype, device=device)


def empty_like(x: ArrayLike, dtype: DTypeLike | None = None, *, device: str | None = None) -> Tensor:
    """A tensor with undefined contents in the shape of `x`, and its dtype when none is given.

    >>> import cytensor as ct
    >>> ct.empty_like([1, 2]).shape
    (2,)
    """
    like = Strided(x) if not isinstance(x, Strided) else x
    return FUNCTIONS["empty"](like.shape, like.dtype if dtype is None else dtype, device=device)


@accepting({"input": "x"})
def ones_like(x: ArrayLike, dtype: DTypeLike | None = None, *, device: str | None = None) -> Tensor:
    """Ones in the shape of `x`, and its dtype when none is given.

    >>> import cytensor as ct
    >>> ct.ones_like([[2., 3.]]).tolist()
    [[1.0, 1.0]]
    """
    return full_like(x, 1, dtype, device=device)


@accepting({"input": "x"})
def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: DTypeLike | None = None, *,
              device: str | None = None) -> Tensor:
    """One value in the shape of `x`, and its dtype when none is given.

    >>> import cytensor as ct
    >>> ct.full_like([1., 2.], 5.).tolist()
    [5.0, 5.0]
    """
    like = Strided(x) if not isinstance(x, Strided) else x
    return FUNCTIONS["full"](like.shape, fill_value, like.dtype if dtype is None else dtype, device=device)


@accepting({"input": "x"})
def shape(x: ArrayLike) -> tuple[int, ...]:
    """The shape of anything array-like, a tuple.

    >>> import cytensor as ct
    >>> ct.shape([[1, 2, 3]])
    (1, 3)
    """
    return operand("shape", x).shape


@accepting({"a": "x", "axes": "perm"})
def transpose(x: ArrayLike, perm: Sequence[int] | None = None) -> Tensor:
    """TensorFlow's word for `permute_dims`: a view with the axes in the order `perm`, reversed when None.

    >>> import cytensor as ct
    >>> ct.transpose([[1., 2., 3.]]).shape
    (3, 1)
    """
    return FUNCTIONS["permute_dims"](x, perm)


@accepting({"input": "x"})
def rank(x: ArrayLike) -> Tensor:
    """The number of axes, as TensorFlow's: int32 of shape (). `x.ndim` is an int.

    >>> import cytensor as ct
    >>> ct.rank([[1., 2.]])
    <Tensor shape=() dtype=int32: 2>
    """
    return asarray(operand("rank", x).ndim, "int32")


@accepting({"input": "x"})
def size(x: ArrayLike, out_type: DTypeLike = "int32") -> Tensor:
    """The number of elements, as TensorFlow's: int32 of shape (). `x.size` is an int.

    >>> import cytensor as ct
    >>> ct.size([[1., 2.]])
    <Tensor shape=() dtype=int32: 2>
    """
    return asarray(operand("size", x).size, out_type)


def add_n(inputs: Sequence[ArrayLike]) -> Tensor:
    """The sum of a list of tensors of one shape: a loss and its penalties, say.

    ValueError for an empty list and for shapes that differ.

    >>> import cytensor as ct
    >>> ct.add_n([ct.ones(2), ct.ones(2), ct.ones(2)]).tolist()
    [3.0, 3.0]
    """
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"add_n: inputs must be a list of tensors; got {type(inputs).__name__}")
    tensors = [operand("add_n", x) for x in inputs]
    if len({x.shape for x in tensors}) != 1:
        raise ValueError(f"add_n: inputs must be tensors of one shape; got {[x.shape for x in tensors]}")
    result = tensors[0]
    for x in tensors[1:]:
        result = FUNCTIONS["add"](result, x)
    return result if len(tensors) > 1 else FUNCTIONS["copy"](result)


def is_tensor(x: object) -> bool:
    """Whether `x` is a Tensor or a Variable.

    >>> import cytensor as ct
    >>> ct.is_tensor(ct.ones(2)), ct.is_tensor([1, 1])
    (True, False)
    """
    return isinstance(x, Tensor)


def function(func: Callable[..., Any] | None = None, **options: Any) -> Callable[..., Any]:
    """TensorFlow's decorator that compiles a function: here it returns it as it is, because every op runs at once.

    >>> import cytensor as ct
    >>> @ct.function
    ... def double(x):
    ...     return x * 2
    >>> double(ct.ones(1)).tolist()
    [2.0]
    """
    if func is not None and not callable(func):
        raise TypeError(f"function: what is decorated must be a function; got {func!r}")
    return func if func is not None else function


def stop_gradient(x: ArrayLike) -> Tensor:
    """The same elements, as a constant for every tape: no gradient flows through. A view.

    >>> import cytensor as ct
    >>> v = ct.Variable(3.)
    >>> with ct.GradientTape() as tape:
    ...     y = v * ct.stop_gradient(v)
    >>> float(tape.gradient(y, v))
    3.0
    """
    result = cyops.detach(x)
    return as_class(result, Tensor) if type(result) is Strided else result


__all__ = [
    "add_n", "asarray", "constant", "convert_to_tensor", "empty_like", "full_like", "function", "is_tensor",
    "ones_like", "rank", "shape", "size", "stop_gradient", "transpose", "zeros_like", *FUNCTIONS,
    *(alias for alias, name in ALIASES.items() if name in FUNCTIONS),
]


def __dir__() -> list[str]:
    return [*__all__]
