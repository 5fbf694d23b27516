"""Axes that a layer was given, for an input of so many axes."""
from collections.abc import Sequence
from functools import lru_cache

from cytensor.initializers import as_axes


def within(what: str, axis: int | Sequence[int], ndim: int, name: str = "axis", lowest: int = 0) -> tuple[int, ...]:
    """The axes that an int or a sequence of ints names, each counted from 0, in their order.

    lowest: the first that may be named, 1 where the axis of samples may not. ValueError for an axis outside the input
    or one that is named twice.

    >>> within("Softmax", (-1, 1), 3)
    (2, 1)
    """
    return _within(what, as_axes(axis), ndim, name, lowest)


@lru_cache(256)                            # a layer asks the same at every call
def _within(what: str, given: tuple[int, ...], ndim: int, name: str, lowest: int) -> tuple[int, ...]:
    axis = given[0] if len(given) == 1 else given
    axes = tuple(one + ndim if one < 0 else one for one in given)
    if any(not lowest <= one < ndim for one in axes):
        which = "one of the input's" if lowest == 0 else "one of features"
        range_ = f", from {lowest} to {ndim - 1} or from {lowest - ndim} to -1" if ndim > lowest else ""
        raise ValueError(f"{what}: {name} must be {which}{range_}; got {axis} for an input of {ndim} axes")
    if len(set(axes)) < len(axes):
        raise ValueError(f"{what}: {name} must name each axis once; got {axis} for an input of {ndim} axes")
    return axes
