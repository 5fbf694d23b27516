"""How the operands of a sample are drawn, and what a row of samples says."""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """How to call one op and what it must give.

    `draw(rng)` gives the floating operands as float64 arrays; `call(*tensors)` runs the op; `reference(*arrays)`
    evaluates it in float64. `terms` bounds, element by element, the sum of the absolute values the result is made of:
    the tolerance is `factor` * eps * terms.
    """

    draw: Callable
    call: Callable
    reference: Callable
    factor: float = 4.0
    terms: Callable | None = None
    has_gradient: bool = True


def normal(*shapes):
    return lambda rng: [rng.normal(size=shape) for shape in shapes]


def positive(*shapes):
    return lambda rng: [rng.uniform(0.5, 2.0, size=shape) for shape in shapes]


def distinct(*shapes):
    """Values no two of which are close, so that max and sorting have a gradient."""
    return lambda rng: [
        (rng.permutation(int(np.prod(shape))).reshape(shape) + 0.3) / max(np.prod(shape), 1) - 0.5 for shape in shapes
    ]


def apart_from_zero(*shapes):
    return lambda rng: [rng.uniform(0.3, 2.0, size=s) * rng.choice([-1.0, 1.0], size=s) for s in shapes]


def inside(*shapes):
    """Within (-1, 1), not close to its ends."""
    return lambda rng: [rng.uniform(-0.9, 0.9, size=s) for s in shapes]


def pair(call, reference, draw=None, **options):
    return Sample(draw or normal((4, 5), (4, 5)), call, reference, **options)


def single(call, reference, draw=None, **options):
    return Sample(draw or normal((4, 5)), call, reference, **options)


def absolute(function):
    return lambda *arrays: function(*[np.abs(a) for a in arrays])
