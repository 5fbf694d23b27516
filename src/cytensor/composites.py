"""Ops written from other ops, in Python: the cheapest kind of op. One function each, listed in COMPOSITES.

A tape records the parts, so a composite needs no gradient rule; what must not have a gradient goes through `detach`.
It takes anything array-like as its first argument (`as_operand`) and is written with functions of cyops, whose results
are of the operand's class. products.py has more of them. ops.py derives the public functions, as it does for the
compiled ones. May be imported by ops.py; imports cyops and types.py.
"""
from collections.abc import Callable

import cyops
from cyops import Strided
from cytensor.types import ArrayLike, Axis

COMPOSITES: dict[str, Callable[..., Strided]] = {}


def composite(function: Callable[..., Strided]) -> Callable[..., Strided]:
    """Decorator: the function is an op. It wants a sample (tests/samples.py) and a benchmark (benchmarks/cases.py)."""
    COMPOSITES[function.__name__] = function
    return function


def as_operand(x: ArrayLike) -> Strided:
    """Anything array-like as a tensor; a tensor as it is."""
    return x if isinstance(x, Strided) else Strided(x)


def operands(op: str, *given: ArrayLike) -> list[Strided]:
    """The operands of `op` as tensors: lists of numbers keep their digits beside float64; refusals are in its name."""
    is_double = any(str(getattr(x, "dtype", "")) == "float64" for x in given)
    try:
        return [x if isinstance(x, Strided) else
                Strided(x, "float64") if is_double and not hasattr(x, "dtype") and _has_fractions(x) else Strided(x)
                for x in given]
    except (TypeError, ValueError, OverflowError) as error:
        if str(error).startswith("asarray: "):
            raise type(error)(op + str(error).removeprefix("asarray")) from None
        raise


def _has_fractions(x: ArrayLike) -> bool:
    return Strided(x).dtype.kind == "f"


@composite
def logsumexp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Strided:
    """log(sum(exp(x))) over `axis`, without overflow: the largest element is taken out of the sum first.

    x: (n..., m...), floating; axis: the axes m, all when None. Result: (n...), with `keepdims` (n..., 1...), in the
    dtype of x. -inf where every element is -inf or there is none; inf where one is. The gradient is the softmax, which
    is NaN at infinite elements where the result is infinite.
    Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions" (2021).

    >>> import cytensor as ct
    >>> ct.logsumexp([[0., 0.], [1000., -1000.]], axis=1).tolist()
    [0.6931471824645996, 1000.0]
    """
    x = as_operand(x)
    if x.dtype.kind != "f":
        x = cyops.astype(x, "float32")
    if x.size == 0:
        return cyops.log(cyops.sum(x, axis=axis, keepdims=keepdims))
    largest = cyops.detach(cyops.max(x, axis=axis, keepdims=True))
    shift = cyops.where(cyops.isfinite(largest), largest, 0)
    total = cyops.log(cyops.sum(cyops.exp(x - shift), axis=axis, keepdims=True)) + shift
    if keepdims:
        return total
    return cyops.reshape(total, ()) if axis is None else cyops.squeeze(total, axis)
