"""Functions that bring their own gradient: `custom_gradient`."""
import contextlib
import functools
from collections.abc import Callable
from typing import Any

import cyops
from cyops import Strided
from cytensor.autodiff.rules import define_variadic
from cytensor.autodiff.tape import active_tapes
from cytensor.ops import copy, zeros_like
from cytensor.tensor import Tensor, operand


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for `f(*tensors, **options) -> (result, gradient)`: tapes use `gradient` in place of f's operations.

    gradient(d) gives, from the gradient of the result, that for each tensor: one tensor, or a list with one for each,
    None for 0. A result that is a list or tuple of n tensors has gradient(d_1, ..., d_n). What `gradient` computes is
    seen by outer tapes, so it has derivatives of its own. As `tf.custom_gradient`, without variables that f reads from
    outside: hand them to it. TypeError where f does not return the two.

    >>> import cytensor as ct
    >>> @ct.custom_gradient
    ... def log1pexp(x):
    ...     e = ct.exp(x)
    ...     return ct.log(1 + e), lambda d: d * (1 - 1 / (1 + e))
    >>> x = ct.constant(100.)
    >>> with ct.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> float(tape.gradient(y, x))
    1.0
    """
    if not callable(f):
        raise TypeError(f"custom_gradient: what is decorated must be a function; got {f!r}")

    @functools.wraps(f)
    def called(*args: Any, **options: Any) -> Any:
        inputs = tuple(operand("custom_gradient", x) for x in args)
        with contextlib.ExitStack() as unseen:
            for tape in active_tapes():
                unseen.enter_context(tape.stop_recording())
            given = f(*inputs, **options)
            if isinstance(given, tuple) and len(given) == 2:
                several = isinstance(given[0], (list, tuple))
                outputs = [_fresh(x) for x in (given[0] if several else [given[0]])]
        if not isinstance(given, tuple) or len(given) != 2 or not callable(given[1]):
            raise TypeError(f"custom_gradient: the function must return (result, gradient); got {given!r:.200}")
        result, gradient = given
        for place, output in enumerate(outputs):
            cyops.record_op("custom_gradient", inputs, output,
                            {"gradients": _Gradients(gradient, outputs, place, len(inputs))})
        return type(result)(outputs) if several else outputs[0]
    return called


def _fresh(x: Any) -> Tensor:
    """A result as a tensor of its own, also where it is an input or another's view."""
    return copy(operand("custom_gradient", x))


class _Gradients:
    """What `gradient` gives for the gradient of one of the results, that of the others being 0."""

    def __init__(self, gradient: Callable[..., Any], outputs: list[Tensor], place: int, count: int) -> None:
        self.gradient, self.place, self.count = gradient, place, count
        self.shapes = [(x.shape, x.dtype) for x in outputs]
        self.last: tuple[Any, list[Any]] = (None, [])

    def __call__(self, d: Strided) -> list[Any]:
        if self.last[0] is not d:
            parts = [d if i == self.place else cyops.zeros(shape, dtype)
                     for i, (shape, dtype) in enumerate(self.shapes)]
            found = self.gradient(*parts)
            found = list(found) if isinstance(found, (list, tuple)) else [found]
            if len(found) != self.count:
                raise ValueError(f"custom_gradient: the gradient must give one tensor for each of the {self.count} "
                                 f"inputs; got {len(found)}")
            self.last = d, found
        return self.last[1]


def _of_input(d: Strided, index: int, inputs: tuple[Strided, ...], gradients: _Gradients) -> Strided:
    found = gradients(d)[index]
    return zeros_like(inputs[index]) if found is None else operand("custom_gradient", found)


define_variadic("custom_gradient", _of_input)
