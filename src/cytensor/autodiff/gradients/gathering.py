"""Rules of taking, scattering and joining."""
from collections.abc import Sequence

import cyops
from cyops import Strided, take
from cytensor.autodiff.rules import define, define_variadic

define("take", x=lambda d, x_shape, indices, axis: cyops.take_gradient(d, indices, x_shape, axis))
define("take_gradient", d=lambda d, indices, axis: take(d, indices, axis=axis))
define(
    "scatter_add",
    x=lambda d: d,
    updates=lambda d, indices, axis: take(d, indices, axis=axis),
)


def _concat_gradient(d: Strided, index: int, inputs: Sequence[Strided], axis: int) -> Strided:
    start = sum(x.shape[axis] for x in inputs[:index])
    return d[(slice(None),) * axis + (slice(start, start + inputs[index].shape[axis]),)]


define_variadic("concat", _concat_gradient)
define_variadic("stack", lambda d, index, axis: d[(slice(None),) * axis + (index,)])
