"""What a shape given as an argument must be. May be imported by everything in the package; imports types.py alone."""
import operator
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from cytensor.types import Shape


def as_shape(what: str, shape: Any, name: str = "shape") -> Shape:
    """A tuple of ints (None allowed) from an int or a sequence; `name` of the argument, for the message."""
    try:
        lengths = tuple(None if n is None else operator.index(n)
                        for n in ((shape,) if isinstance(shape, (int, np.integer)) else shape))
    except TypeError:
        raise TypeError(f"{what}: {name} must be a sequence of ints; got {shape!r}") from None
    if any(n is not None and n < 0 for n in lengths):
        raise ValueError(f"{what}: lengths must not be negative; got {name} {lengths}")
    return lengths


def is_shape(shape: object) -> TypeGuard[Sequence[int | None]]:
    """Whether this is one shape, and not those of several inputs."""
    return isinstance(shape, (list, tuple)) and all(n is None or isinstance(n, (int, np.integer)) for n in shape)


def broadcast(what: str, shapes: Sequence[Shape]) -> Shape:
    """The shape that several broadcast to; a length that is not known is taken to fit. ValueError where two do not."""
    longest = max(map(len, shapes), default=0)
    result: list[int | None] = []
    for place in range(-longest, 0):
        lengths = {shape[place] for shape in shapes if len(shape) >= -place} - {1}
        known = lengths - {None}
        if len(known) > 1:
            raise ValueError(f"{what}: shapes must broadcast; got {', '.join(map(str, shapes))}")
        result.append(next(iter(known)) if known else None if lengths else 1)
    return tuple(result)
